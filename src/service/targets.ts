/** Reads targets/NAME/ once, into memory that all workers share. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { openKernelBtf, readKernelBtf } from '../compiler/kernel-btf.js';
import { decodeProfile } from '../compiler/targets/decode.js';
import type { Profile } from '../compiler/targets/profile.js';
import type { TargetFiles } from './pool/protocol.js';

/** targets/ of the package. */
export const TARGETS_DIR = fileURLToPath(new URL('../../targets/', import.meta.url));

/** A file beside the targets: the name of the one that is meant where a request names none. */
const DEFAULT = 'default';

/** Written last by the recorder: without it a recording is not finished. */
export const MANIFEST = 'manifest.json';

const NAME = /^[a-z0-9][a-z0-9._-]*$/;

/** Names of the targets in a directory, the default first. */
export function targetNames(dir = TARGETS_DIR): string[] {
  if (!existsSync(dir)) return [];
  const first = existsSync(join(dir, DEFAULT)) ? readFileSync(join(dir, DEFAULT), 'utf8').trim() : '';
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name) && existsSync(join(dir, entry.name, MANIFEST)))
    .map((entry) => entry.name)
    .sort((a, b) => Number(b === first) - Number(a === first) || (a < b ? -1 : 1));
}

/** One target's files, unpacked (`.gz`, `.br`), by name without that suffix. */
export function readTarget(name: string, dir = TARGETS_DIR): TargetFiles {
  const files = new Map<string, Uint8Array<SharedArrayBuffer>>();
  const folder = join(dir, name);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const [plain, bytes] = unpack(entry.name, readFileSync(join(folder, entry.name)));
    files.set(plain, share(bytes));
  }
  const btf = readKernelBtf(files.get('vmlinux.btf') ?? new Uint8Array(0));
  if (!btf.ok) throw new Error(`targets/${name}/vmlinux.btf: ${btf.failure.message}`);
  return { name, files, btf: btf.value, digest: targetDigest(files) };
}

export function readTargets(dir = TARGETS_DIR): TargetFiles[] {
  return targetNames(dir).map((name) => readTarget(name, dir));
}

function unpack(name: string, bytes: Buffer): [string, Uint8Array] {
  if (name.endsWith('.gz')) return [name.slice(0, -3), gunzipSync(bytes)];
  if (name.endsWith('.br')) return [name.slice(0, -3), brotliDecompressSync(bytes)];
  return [name, bytes];
}

/** A copy that threads share. */
export function share(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

/** SHA-256 over names and contents, in the order of names. */
function targetDigest(files: TargetFiles['files']): string {
  const hash = createHash('sha256');
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name)!;
    hash.update(`${name}\0${bytes.byteLength}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** One target's profile, the default's where none is named, for use outside of workers. Throws where there is none. */
export function loadProfile(name?: string): Profile {
  const target = readTarget(name ?? targetNames()[0] ?? '');
  return decodeProfile(target.files, openKernelBtf(target.btf));
}
