/** Shifts of scalars by a known count that is less than the width; all other counts make the result unknown. */
import type { Reg } from '../state.js';
import { boundsFromBits, boundsFromBits32, setS, setU, unbound32, unbound64 } from './bounds.js';
import { tnumArsh32, tnumArsh64, tnumLsh, tnumRsh, tnumSubreg } from './tnum.js';
import { I32_MAX, I32_MIN, ltU, sarHi, sarLo, shlHi, shlLo, shrHi, shrLo } from './u64.js';

/** 32-bit range of r << n: lost when the top bit may fall out. `n` may be above 31 in a 64-bit shift. */
function lshBounds32(r: Reg, n: number): void {
  r.s32min = I32_MIN;
  r.s32max = I32_MAX;
  if (n > 31 || r.u32max >>> 0 > (1 << (31 - n)) >>> 0) {
    r.u32min = 0;
    r.u32max = -1;
  } else {
    r.u32min <<= n;
    r.u32max <<= n;
  }
}

export function lshScalar32(r: Reg, n: number): void {
  lshBounds32(r, n);
  tnumLsh(r, r, n);
  tnumSubreg(r, r);
  unbound64(r);
  boundsFromBits32(r);
}

export function lshScalar64(r: Reg, n: number): void {
  // Compilers sign-extend by << 32, s>> 32: the signed 32-bit range survives as the upper half.
  if (n === 32) setS(r, r.s32min, 0, r.s32max, 0);
  else setS(r, I32_MIN, 0, I32_MAX, -1);
  if (ltU(shlHi(0, 1, 63 - n), shlLo(1, 63 - n), r.umaxHi, r.umaxLo)) setU(r, 0, 0, -1, -1);
  else setU(r, shlHi(r.uminHi, r.uminLo, n), shlLo(r.uminLo, n), shlHi(r.umaxHi, r.umaxLo, n), shlLo(r.umaxLo, n));
  lshBounds32(r, n);
  tnumLsh(r, r, n);
  boundsFromBits(r);
}

/** Signed ranges of unsigned shifts are left to what unsigned ones and known bits say afterwards. */
export function rshScalar32(r: Reg, n: number): void {
  r.s32min = I32_MIN;
  r.s32max = I32_MAX;
  tnumSubreg(r, r);
  tnumRsh(r, r, n);
  r.u32min = (r.u32min >>> n) | 0;
  r.u32max = (r.u32max >>> n) | 0;
  unbound64(r);
  boundsFromBits32(r);
}

export function rshScalar64(r: Reg, n: number): void {
  setS(r, I32_MIN, 0, I32_MAX, -1);
  tnumRsh(r, r, n);
  setU(r, shrHi(r.uminHi, n), shrLo(r.uminHi, r.uminLo, n), shrHi(r.umaxHi, n), shrLo(r.umaxHi, r.umaxLo, n));
  unbound32(r);
  boundsFromBits(r);
}

/** Unsigned ranges of signed shifts are left to known bits. */
export function arshScalar32(r: Reg, n: number): void {
  r.s32min >>= n;
  r.s32max >>= n;
  tnumArsh32(r, r, n);
  r.u32min = 0;
  r.u32max = -1;
  unbound64(r);
  boundsFromBits32(r);
}

export function arshScalar64(r: Reg, n: number): void {
  setS(r, sarHi(r.sminHi, n), sarLo(r.sminHi, r.sminLo, n), sarHi(r.smaxHi, n), sarLo(r.smaxHi, r.smaxLo, n));
  tnumArsh64(r, r, n);
  setU(r, 0, 0, -1, -1);
  unbound32(r);
  boundsFromBits(r);
}
