/** Sums, differences and products of scalars: ranges of 32 and 64 bits, each in its own arithmetic. */
import type { ReadonlyReg, Reg } from '../state.js';
import { setS, setU, unbound32, unbound64 } from './bounds.js';
import { tnumAdd, tnumMul, tnumSub } from './tnum.js';
import {
  addHi,
  addLo,
  addOverflowsS,
  I32_MAX,
  I32_MIN,
  ltU,
  mul32Hi,
  mulHi,
  mulLo,
  subHi,
  subLo,
  subOverflowsS,
} from './u64.js';

/** dst += src. `src` may not be `dst`. */
export function addScalar(dst: Reg, src: ReadonlyReg): void {
  addBounds(dst, src);
  tnumAdd(dst, dst, src);
}
/** dst -= src. */
export function subScalar(dst: Reg, src: ReadonlyReg): void {
  subBounds32(dst, src);
  subBoundsS(dst, dst, src);
  subBoundsU(dst, dst, src);
  tnumSub(dst, dst, src);
}
/** dst *= src. */
export function mulScalar(dst: Reg, src: ReadonlyReg): void {
  tnumMul(dst, dst, src);
  mulBounds32(dst, src);
  mulBounds64(dst, src);
}

/** A range whose either end overflows says nothing any more. */
function addBounds(dst: Reg, src: ReadonlyReg): void {
  const smin = dst.s32min + src.s32min;
  const smax = dst.s32max + src.s32max;
  const fits = smin === (smin | 0) && smax === (smax | 0);
  dst.s32min = fits ? smin : I32_MIN;
  dst.s32max = fits ? smax : I32_MAX;
  const umin = (dst.u32min >>> 0) + (src.u32min >>> 0);
  const umax = (dst.u32max >>> 0) + (src.u32max >>> 0);
  const fitsU = umin <= 0xffffffff && umax <= 0xffffffff;
  dst.u32min = fitsU ? umin | 0 : 0;
  dst.u32max = fitsU ? umax | 0 : -1;
  addBoundsS(dst, dst, src);
  addBoundsU(dst, dst, src);
}

/** Signed 64-bit range of a + b into `out`, which may be `a`. */
export function addBoundsS(out: Reg, a: ReadonlyReg, b: ReadonlyReg): void {
  const minHi = addHi(a.sminHi, a.sminLo, b.sminHi, b.sminLo);
  const maxHi = addHi(a.smaxHi, a.smaxLo, b.smaxHi, b.smaxLo);
  if (addOverflowsS(a.sminHi, b.sminHi, minHi) || addOverflowsS(a.smaxHi, b.smaxHi, maxHi))
    setS(out, I32_MIN, 0, I32_MAX, -1);
  else setS(out, minHi, addLo(a.sminLo, b.sminLo), maxHi, addLo(a.smaxLo, b.smaxLo));
}
/** Unsigned 64-bit range of a + b. */
export function addBoundsU(out: Reg, a: ReadonlyReg, b: ReadonlyReg): void {
  const minLo = addLo(a.uminLo, b.uminLo);
  const minHi = addHi(a.uminHi, a.uminLo, b.uminHi, b.uminLo);
  const maxLo = addLo(a.umaxLo, b.umaxLo);
  const maxHi = addHi(a.umaxHi, a.umaxLo, b.umaxHi, b.umaxLo);
  if (ltU(minHi, minLo, a.uminHi, a.uminLo) || ltU(maxHi, maxLo, a.umaxHi, a.umaxLo)) setU(out, 0, 0, -1, -1);
  else setU(out, minHi, minLo, maxHi, maxLo);
}

function subBounds32(dst: Reg, src: ReadonlyReg): void {
  const smin = dst.s32min - src.s32max;
  const smax = dst.s32max - src.s32min;
  const fits = smin === (smin | 0) && smax === (smax | 0);
  dst.s32min = fits ? smin : I32_MIN;
  dst.s32max = fits ? smax : I32_MAX;
  if (dst.u32min >>> 0 < src.u32max >>> 0) {
    dst.u32min = 0;
    dst.u32max = -1;
  } else {
    dst.u32min = (dst.u32min - src.u32max) | 0;
    dst.u32max = (dst.u32max - src.u32min) | 0;
  }
}

/** Signed 64-bit range of a - b into `out`, which may be `a`. */
export function subBoundsS(out: Reg, a: ReadonlyReg, b: ReadonlyReg): void {
  const minHi = subHi(a.sminHi, a.sminLo, b.smaxHi, b.smaxLo);
  const maxHi = subHi(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo);
  if (subOverflowsS(a.sminHi, b.smaxHi, minHi) || subOverflowsS(a.smaxHi, b.sminHi, maxHi))
    setS(out, I32_MIN, 0, I32_MAX, -1);
  else setS(out, minHi, subLo(a.sminLo, b.smaxLo), maxHi, subLo(a.smaxLo, b.sminLo));
}
/** Unsigned 64-bit range of a - b. */
export function subBoundsU(out: Reg, a: ReadonlyReg, b: ReadonlyReg): void {
  if (ltU(a.uminHi, a.uminLo, b.umaxHi, b.umaxLo)) {
    setU(out, 0, 0, -1, -1);
    return;
  }
  const minHi = subHi(a.uminHi, a.uminLo, b.umaxHi, b.umaxLo);
  const maxHi = subHi(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo);
  setU(out, minHi, subLo(a.uminLo, b.umaxLo), maxHi, subLo(a.umaxLo, b.uminLo));
}

/** Products are followed only of factors that are not negative and fit in 16 bits. */
function mulBounds32(dst: Reg, src: ReadonlyReg): void {
  if (src.s32min < 0 || dst.s32min < 0 || src.u32max >>> 0 > 0xffff || dst.u32max >>> 0 > 0xffff) {
    unbound32(dst);
    return;
  }
  dst.u32min = Math.imul(dst.u32min, src.u32min);
  dst.u32max = Math.imul(dst.u32max, src.u32max);
  const fits = dst.u32max >= 0;
  dst.s32min = fits ? dst.u32min : I32_MIN;
  dst.s32max = fits ? dst.u32max : I32_MAX;
}

/** The same with 32 bits. */
function mulBounds64(dst: Reg, src: ReadonlyReg): void {
  if (src.sminHi < 0 || dst.sminHi < 0 || src.umaxHi !== 0 || dst.umaxHi !== 0) {
    unbound64(dst);
    return;
  }
  const minHi = mulHi(dst.uminHi, dst.uminLo, src.uminHi, src.uminLo);
  const maxHi = mul32Hi(dst.umaxLo, src.umaxLo);
  setU(dst, minHi, mulLo(dst.uminLo, src.uminLo), maxHi, mulLo(dst.umaxLo, src.umaxLo));
  if (dst.umaxHi < 0) setS(dst, I32_MIN, 0, I32_MAX, -1);
  else setS(dst, dst.uminHi, dst.uminLo, dst.umaxHi, dst.umaxLo);
}
