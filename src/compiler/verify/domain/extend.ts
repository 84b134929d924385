/** Truncation and extension of values: what loads and moves of less than 64 bits leave of a register's description. */
import type { Reg } from '../state.js';
import { setS, setU, syncBounds, unbound32 } from './bounds.js';
import { setKnown } from './scalar.js';
import { tnumCast, tnumIsConst, tnumRange, tnumUnknown } from './tnum.js';

/** The upper half becomes zero: what every 32-bit operation does to its result. The caller syncs. */
export function zeroExtend32(r: Reg): void {
  r.valueHi = 0;
  r.maskHi = 0;
  setU(r, 0, r.u32min, 0, r.u32max);
  if (r.s32min >= 0 && r.s32max >= 0) setS(r, 0, r.s32min, 0, r.s32max);
  else setS(r, 0, 0, 0, -1);
}

/** Cuts to 1, 2 or 4 bytes and clears the rest. */
export function truncate(r: Reg, size: number): void {
  tnumCast(r, r, size);
  const keep = size === 4 ? -1 : (1 << (size * 8)) - 1;
  if (r.uminHi === r.umaxHi && ((r.uminLo ^ r.umaxLo) & ~keep) === 0) setU(r, 0, r.uminLo & keep, 0, r.umaxLo & keep);
  else setU(r, 0, 0, 0, keep);
  setS(r, 0, r.uminLo, 0, r.umaxLo);
  if (size < 4) unbound32(r);
  syncBounds(r);
}

/** The low `bytes` (1, 2 or 4) of a word, sign-extended to 32 bits. */
function extendLo(lo: number, bytes: number): number {
  const shift = 32 - bytes * 8;
  return (lo << shift) >> shift;
}

/** Sign extension of the low `size` bytes (1, 2 or 4) to 64 bits. Ranges are exact unless the cut bits vary. */
export function signExtend64(r: Reg, size: number): void {
  if (tnumIsConst(r)) {
    const lo = extendLo(r.valueLo, size);
    setKnown(r, lo >> 31, lo);
    return;
  }
  const bits = size * 8;
  const differHi = r.smaxHi ^ r.sminHi;
  const differLo = r.smaxLo ^ r.sminLo;
  const sameTop = differHi === 0 && (bits === 32 || differLo >>> bits === 0);
  const a = extendLo(r.smaxLo, size);
  const b = extendLo(r.sminLo, size);
  const max = Math.max(a, b);
  const min = Math.min(a, b);
  if (!sameTop || max >= 0 !== min >= 0) {
    setSignExtendedDefault(r, bits);
    return;
  }
  setS(r, min >> 31, min, max >> 31, max);
  setU(r, min >> 31, min, max >> 31, max);
  r.s32min = min;
  r.s32max = max;
  r.u32min = min;
  r.u32max = max;
  tnumRange(r, min >> 31, min, max >> 31, max);
}

function setSignExtendedDefault(r: Reg, bits: number): void {
  const min = -1 << (bits - 1);
  const max = ~min;
  setS(r, -1, min, 0, max);
  setU(r, 0, 0, -1, -1);
  r.s32min = min;
  r.s32max = max;
  r.u32min = 0;
  r.u32max = -1;
  tnumUnknown(r);
}

/** Sign extension of the low `size` bytes (1 or 2) to 32 bits; the caller clears the upper half. */
export function signExtend32(r: Reg, size: number): void {
  if (tnumIsConst(r)) {
    const lo = extendLo(r.valueLo, size);
    r.valueHi = lo >> 31;
    r.valueLo = lo;
    r.s32min = lo;
    r.s32max = lo;
    r.u32min = lo;
    r.u32max = lo;
    return;
  }
  const bits = size * 8;
  const a = extendLo(r.s32max, size);
  const b = extendLo(r.s32min, size);
  const max = Math.max(a, b);
  const min = Math.min(a, b);
  if ((r.s32max ^ r.s32min) >>> bits === 0 && min >= 0 === max >= 0) {
    r.s32min = min;
    r.s32max = max;
    r.u32min = min;
    r.u32max = max;
    tnumRange(r, min >> 31, min, max >> 31, max);
  } else {
    r.s32min = -1 << (bits - 1);
    r.s32max = ~r.s32min;
    r.u32min = 0;
    r.u32max = -1;
    tnumUnknown(r);
  }
  r.valueHi = 0;
  r.maskHi = 0;
}
