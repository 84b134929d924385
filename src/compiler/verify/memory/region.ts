/** Memory of known size: map values and keys, packets, helpers' buffers. */
import { MEMORY } from '../refusals/memory.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import { I32_MIN, toNumberS } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { MAX_VAR_OFF } from '../limits.js';
import { ADD_CONST } from '../state.js';

/** `size` bytes at a fixed offset of a region of `bytes` bytes, which register `regno` points into. */
export function checkFixedAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  bytes: number,
  zeroSizeAllowed: boolean,
): number {
  if (off >= 0 && (size > 0 || (size === 0 && zeroSizeAllowed)) && off + size <= bytes >>> 0) return 0;
  const reg = currentRegs(env)[regno]!;
  switch (reg.type) {
    case t.PTR_TO_MAP_KEY:
      return refuse(env, MEMORY.outsideMapKey, bytes, off, size);
    case t.PTR_TO_MAP_VALUE:
      return refuse(env, MEMORY.outsideMapValue, bytes, off, size);
    case t.PTR_TO_PACKET:
    case t.PTR_TO_PACKET_META:
    case t.PTR_TO_PACKET_END:
      return refuse(env, MEMORY.outsidePacketRange, regno, off, size, reg.id & ~ADD_CONST, bytes);
    default:
      return refuse(env, MEMORY.outsideMemory, bytes, off, size);
  }
}

/** The same with the register's variable offset: both ends of its range must lie inside. */
export function checkRegionAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  bytes: number,
  zeroSizeAllowed: boolean,
): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.sminHi < 0) {
    const least = toNumberS(reg.sminHi, reg.sminLo) + off;
    if (reg.sminHi === I32_MIN || least < 0 || least !== (least | 0)) {
      return refuse(env, MEMORY.offsetNegative, regno);
    }
  }
  let err = checkFixedAccess(env, regno, (reg.sminLo + off) | 0, size, bytes, zeroSizeAllowed);
  if (err !== 0) {
    amend(env, MEMORY.leastOutside, regno);
    return err;
  }
  if (reg.umaxHi !== 0 || reg.umaxLo >>> 0 >= MAX_VAR_OFF) {
    return refuse(env, MEMORY.memoryUnbounded, regno);
  }
  err = checkFixedAccess(env, regno, (reg.umaxLo + off) | 0, size, bytes, zeroSizeAllowed);
  if (err !== 0) amend(env, MEMORY.greatestOutside, regno);
  return err;
}
