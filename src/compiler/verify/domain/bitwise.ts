/**
 * AND, OR and XOR of scalars: known bits first, ranges from them.
 *
 * Where both operands are known the result is; `dst` then loses what ties it to others.
 */
import type { ReadonlyReg, Reg } from '../state.js';
import { boundsFromBits, setS, setU } from './bounds.js';
import { markKnown, markKnown32 } from './scalar.js';
import { tnumAnd, tnumIsConst, tnumOr, tnumXor } from './tnum.js';
import { I32_MAX, I32_MIN, leS, ltU } from './u64.js';

/** dst &= src: not more than either operand, not less than the bits known set. */
export function andScalar(dst: Reg, src: ReadonlyReg): void {
  tnumAnd(dst, dst, src);
  if (src.maskLo === 0 && dst.maskLo === 0) markKnown32(dst, dst.valueLo);
  else {
    dst.u32min = dst.valueLo;
    if (src.u32max >>> 0 < dst.u32max >>> 0) dst.u32max = src.u32max;
    signed32FromUnsigned(dst);
  }
  if (tnumIsConst(src) && tnumIsConst(dst)) {
    markKnown(dst, dst.valueHi, dst.valueLo);
    return;
  }
  dst.uminHi = dst.valueHi;
  dst.uminLo = dst.valueLo;
  if (ltU(src.umaxHi, src.umaxLo, dst.umaxHi, dst.umaxLo)) {
    dst.umaxHi = src.umaxHi;
    dst.umaxLo = src.umaxLo;
  }
  signed64FromUnsigned(dst);
}

/** dst |= src: not less than either operand, not more than the bits that may be set. */
export function orScalar(dst: Reg, src: ReadonlyReg): void {
  tnumOr(dst, dst, src);
  if (src.maskLo === 0 && dst.maskLo === 0) markKnown32(dst, dst.valueLo);
  else {
    if (src.u32min >>> 0 > dst.u32min >>> 0) dst.u32min = src.u32min;
    dst.u32max = dst.valueLo | dst.maskLo;
    signed32FromUnsigned(dst);
  }
  if (tnumIsConst(src) && tnumIsConst(dst)) {
    markKnown(dst, dst.valueHi, dst.valueLo);
    return;
  }
  if (ltU(dst.uminHi, dst.uminLo, src.uminHi, src.uminLo)) {
    dst.uminHi = src.uminHi;
    dst.uminLo = src.uminLo;
  }
  dst.umaxHi = dst.valueHi | dst.maskHi;
  dst.umaxLo = dst.valueLo | dst.maskLo;
  signed64FromUnsigned(dst);
}

/** dst ^= src: between the bits known set and those that may be. */
export function xorScalar(dst: Reg, src: ReadonlyReg): void {
  tnumXor(dst, dst, src);
  if (src.maskLo === 0 && dst.maskLo === 0) markKnown32(dst, dst.valueLo);
  else {
    dst.u32min = dst.valueLo;
    dst.u32max = dst.valueLo | dst.maskLo;
    signed32FromUnsigned(dst);
  }
  if (tnumIsConst(src) && tnumIsConst(dst)) {
    markKnown(dst, dst.valueHi, dst.valueLo);
    return;
  }
  setU(dst, dst.valueHi, dst.valueLo, dst.valueHi | dst.maskHi, dst.valueLo | dst.maskLo);
  signed64FromUnsigned(dst);
}

/** The unsigned range is a signed one too unless it crosses the sign bit. */
function signed32FromUnsigned(r: Reg): void {
  const fits = r.u32min <= r.u32max;
  r.s32min = fits ? r.u32min : I32_MIN;
  r.s32max = fits ? r.u32max : I32_MAX;
}
function signed64FromUnsigned(r: Reg): void {
  if (leS(r.uminHi, r.uminLo, r.umaxHi, r.umaxLo)) setS(r, r.uminHi, r.uminLo, r.umaxHi, r.umaxLo);
  else setS(r, I32_MIN, 0, I32_MAX, -1);
  boundsFromBits(r);
}
