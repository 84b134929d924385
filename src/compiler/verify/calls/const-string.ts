/** Constant strings: in frozen maps that the program may only read, where their contents are known. */
import { CALLS } from '../refusals/calls.js';
import { refuse, refuseAs } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES, EINVAL, ENOTSUPP } from '../errno.js';
import { BPF_MAP_TYPE_ARRAY } from '../../targets/uapi.js';
import type { VerifierMap } from '../map.js';
import { isReadOnlyMap } from '../maps.js';
import { constantOffset } from '../objects/dynptr-slots.js';
import { isFormatValid } from './format-string.js';
import { checkMapAccess } from './memory-range.js';

/**
 * Contents of the map's only value behind `off`, up to the first byte that is zero because nothing was written there;
 * null where they are not known. A value may be far larger than its contents.
 */
function contentsBehind(map: VerifierMap, off: number): Uint8Array | null {
  const { contents, valueSize } = map.spec;
  if (off < 0 || off >= valueSize) return null;
  const written = (contents ?? new Uint8Array(0)).subarray(off, valueSize);
  if (off + written.length === valueSize) return written;
  const terminated = new Uint8Array(written.length + 1);
  terminated.set(written);
  return terminated;
}

/** The register points to a NUL-terminated constant (check_reg_const_str). */
export function checkConstString(env: Env, regno: number): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.type !== t.PTR_TO_MAP_VALUE) return refuse(env, CALLS.stringNotInMap);
  const map = reg.map!;
  if (!isReadOnlyMap(map)) {
    return refuse(env, CALLS.stringNotReadOnly, regno);
  }
  if (!isConst(reg)) {
    return refuse(env, CALLS.stringNotConstant, regno);
  }
  if (map.spec.type !== BPF_MAP_TYPE_ARRAY) {
    return refuseAs(env, EACCES, CALLS.noDirectValue);
  }
  const err = checkMapAccess(env, regno, reg.off, map.spec.valueSize - reg.off, false, true);
  if (err !== 0) return err;
  if (map.spec.maxEntries !== 1) {
    return refuseAs(env, ENOTSUPP, CALLS.stringUnreadable);
  }
  const bytes = contentsBehind(map, constantOffset(reg));
  if (bytes === null) {
    return refuseAs(env, EINVAL, CALLS.stringUnreadable);
  }
  if (!bytes.includes(0)) {
    return refuse(env, CALLS.stringUnterminated);
  }
  return 0;
}

/** bpf_snprintf: the format in R3, bytes of its 64-bit arguments in R5. */
export function checkSnprintf(env: Env): number {
  const regs = currentRegs(env);
  const format = regs[3]!;
  const bytesOfArguments = regs[5]!.valueLo >>> 0;
  if (bytesOfArguments % 8 !== 0) return refuse(env, CALLS.formatArguments);
  const bytes = contentsBehind(format.map!, constantOffset(format));
  if (bytes === null) {
    return refuse(env, CALLS.formatStringUnknown);
  }
  if (isFormatValid(bytes.subarray(0, bytes.indexOf(0)), bytesOfArguments / 8)) return 0;
  return refuse(env, CALLS.formatStringInvalid);
}
