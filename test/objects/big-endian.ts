/** The default target's twin of the other byte order: the same kernel with its BTF turned, as no kernel that we have it from is. */
import { openKernelBtf, readKernelBtf } from '../../src/compiler/kernel-btf.js';
import { decodeProfile } from '../../src/compiler/targets/decode.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { readTarget, targetNames } from '../../src/service/targets.js';

/** Turns little-endian BTF: each field of the header and every word of the types. */
export function turnBtf(little: Uint8Array): Uint8Array {
  const from = new DataView(little.buffer, little.byteOffset, little.byteLength);
  const turned = Uint8Array.from(little);
  const to = new DataView(turned.buffer);
  to.setUint16(0, from.getUint16(0, true));
  for (let at = 4; at < 24; at += 4) to.setUint32(at, from.getUint32(at, true));
  const types = from.getUint32(4, true) + from.getUint32(8, true);
  const end = types + from.getUint32(12, true);
  for (let at = types; at < end; at += 4) to.setUint32(at, from.getUint32(at, true));
  return turned;
}

/** A target whose kernel differs from the recorded one in its byte order alone. */
export function bigEndianProfile(name = targetNames()[0]!): Profile {
  const { files } = readTarget(name);
  const btf = readKernelBtf(turnBtf(files.get('vmlinux.btf')!));
  if (!btf.ok) throw new Error(btf.failure.message);
  return decodeProfile(files, openKernelBtf(btf.value));
}
