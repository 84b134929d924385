/** Memory of known size: map values and keys, packets, helpers' buffers. */
import * as t from '../../targets/types.js';
import { I32_MIN, toNumberS } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
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
  const access = `off=${off} size=${size}`;
  switch (reg.type) {
    case t.PTR_TO_MAP_KEY:
      env.log.write(`invalid access to map key, key_size=${bytes | 0} ${access}\n`);
      break;
    case t.PTR_TO_MAP_VALUE:
      env.log.write(`invalid access to map value, value_size=${bytes | 0} ${access}\n`);
      break;
    case t.PTR_TO_PACKET:
    case t.PTR_TO_PACKET_META:
    case t.PTR_TO_PACKET_END: {
      const where = `R${regno}(id=${reg.id & ~ADD_CONST},off=${off},r=${bytes | 0})`;
      env.log.write(`invalid access to packet, ${access}, ${where}\n`);
      break;
    }
    default:
      env.log.write(`invalid access to memory, mem_size=${bytes >>> 0} ${access}\n`);
  }
  return -EACCES;
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
      writeNegativeMin(env, regno);
      return -EACCES;
    }
  }
  let err = checkFixedAccess(env, regno, (reg.sminLo + off) | 0, size, bytes, zeroSizeAllowed);
  if (err !== 0) {
    env.log.write(`R${regno} min value is outside of the allowed memory range\n`);
    return err;
  }
  if (reg.umaxHi !== 0 || reg.umaxLo >>> 0 >= MAX_VAR_OFF) {
    env.log.write(`R${regno} unbounded memory access, make sure to bounds check any such access\n`);
    return -EACCES;
  }
  err = checkFixedAccess(env, regno, (reg.umaxLo + off) | 0, size, bytes, zeroSizeAllowed);
  if (err !== 0) env.log.write(`R${regno} max value is outside of the allowed memory range\n`);
  return err;
}

export function writeNegativeMin(env: Env, regno: number): void {
  env.log.write(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.\n`);
}
