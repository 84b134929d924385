/**
 * Ranges of a register and how they, and the known bits, inform each other.
 *
 * A register has four ranges: signed and unsigned, of all 64 bits and of the low 32. What one learns about a value
 * usually narrows one of them; syncBounds carries it over to the others, step by step in the order of Linux 6.12, on which
 * the resulting ranges (and so verdicts, logs and pruning) depend.
 */
import type { ReadonlyReg, Reg } from '../state.js';
import { hex, I32_MAX, I32_MIN, leS, leU, ltS, ltU } from './u64.js';
import { tnumIntersectRange, tnumIntersectSubregRange } from './tnum.js';

export function unbound64(r: Reg): void {
  setS(r, I32_MIN, 0, I32_MAX, -1);
  setU(r, 0, 0, -1, -1);
}
export function unbound32(r: Reg): void {
  r.s32min = I32_MIN;
  r.s32max = I32_MAX;
  r.u32min = 0;
  r.u32max = -1;
}
export function unbound(r: Reg): void {
  unbound64(r);
  unbound32(r);
}

/** Sets the signed 64-bit range. */
export function setS(r: Reg, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  r.sminHi = minHi;
  r.sminLo = minLo;
  r.smaxHi = maxHi;
  r.smaxLo = maxLo;
}
/** Sets the unsigned 64-bit range. */
export function setU(r: Reg, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  r.uminHi = minHi;
  r.uminLo = minLo;
  r.umaxHi = maxHi;
  r.umaxLo = maxLo;
}

/** Intersects the signed 64-bit range with [min, max]. */
export function narrowS(r: Reg, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  if (ltS(r.sminHi, r.sminLo, minHi, minLo)) {
    r.sminHi = minHi;
    r.sminLo = minLo;
  }
  if (ltS(maxHi, maxLo, r.smaxHi, r.smaxLo)) {
    r.smaxHi = maxHi;
    r.smaxLo = maxLo;
  }
}
/** Intersects the unsigned 64-bit range with [min, max]. */
export function narrowU(r: Reg, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  if (ltU(r.uminHi, r.uminLo, minHi, minLo)) {
    r.uminHi = minHi;
    r.uminLo = minLo;
  }
  if (ltU(maxHi, maxLo, r.umaxHi, r.umaxLo)) {
    r.umaxHi = maxHi;
    r.umaxLo = maxLo;
  }
}
/** Intersects the signed 32-bit range. */
export function narrowS32(r: Reg, min: number, max: number): void {
  if (min > r.s32min) r.s32min = min;
  if (max < r.s32max) r.s32max = max;
}
/** Intersects the unsigned 32-bit range. */
export function narrowU32(r: Reg, min: number, max: number): void {
  if (min >>> 0 > r.u32min >>> 0) r.u32min = min;
  if (max >>> 0 < r.u32max >>> 0) r.u32max = max;
}

/** Whether every range is the one value that all known bits give. */
function isSettledConst(r: ReadonlyReg): boolean {
  const { valueHi: hi, valueLo: lo } = r;
  return (
    (r.maskHi | r.maskLo) === 0 &&
    ((r.sminHi ^ hi) | (r.smaxHi ^ hi) | (r.uminHi ^ hi) | (r.umaxHi ^ hi)) === 0 &&
    ((r.sminLo ^ lo) | (r.smaxLo ^ lo) | (r.uminLo ^ lo) | (r.umaxLo ^ lo)) === 0 &&
    ((r.s32min ^ lo) | (r.s32max ^ lo) | (r.u32min ^ lo) | (r.u32max ^ lo)) === 0
  );
}
/** Nothing is known of the value. */
export function isUnknown(r: ReadonlyReg): boolean {
  return (
    (r.maskHi & r.maskLo & r.umaxHi & r.umaxLo & r.smaxLo & r.u32max) === -1 &&
    (r.uminHi | r.uminLo | r.sminLo | r.u32min) === 0 &&
    r.sminHi === I32_MIN &&
    r.smaxHi === I32_MAX &&
    r.s32min === I32_MIN &&
    r.s32max === I32_MAX
  );
}

/**
 * Whether the upper half is known to be zero and all descriptions agree on the low one: all unsigned ranges, and the
 * signed one of 64 bits, are the same, the signed one of 32 bits is too unless it would cross the sign bit, and neither
 * ranges nor known bits would narrow the other. Most 32-bit operations leave this.
 */
function isSettledWord(r: ReadonlyReg): boolean {
  const { u32min: min, u32max: max, valueLo: value, maskLo: mask } = r;
  if ((r.valueHi | r.maskHi | r.uminHi | r.umaxHi | r.sminHi | r.smaxHi) !== 0) return false;
  if (((r.uminLo ^ min) | (r.sminLo ^ min) | (r.umaxLo ^ max) | (r.smaxLo ^ max)) !== 0) return false;
  const crosses = min > max;
  if (r.s32min !== (crosses ? I32_MIN : min) || r.s32max !== (crosses ? I32_MAX : max)) return false;
  if (r.s32min < (value | (mask & I32_MIN)) || r.s32max > (value | (mask & I32_MAX))) return false;
  if (min >>> 0 > max >>> 0 || min >>> 0 < value >>> 0 || max >>> 0 > (value | mask) >>> 0) return false;
  // Bits that all values of the range share are known.
  const shared = min === max ? -1 : ~(-1 >>> Math.clz32(min ^ max));
  return (mask & shared) === 0 && ((min ^ value) & shared) === 0;
}

/** Bounds from known bits: the sign bit as bad as it may be, the others all clear or all set. */
export function boundsFromBits32(r: Reg): void {
  narrowS32(r, r.valueLo | (r.maskLo & I32_MIN), r.valueLo | (r.maskLo & I32_MAX));
  narrowU32(r, r.valueLo, r.valueLo | r.maskLo);
}
export function boundsFromBits(r: Reg): void {
  boundsFromBits32(r);
  const { valueHi, valueLo, maskHi, maskLo } = r;
  narrowS(r, valueHi | (maskHi & I32_MIN), valueLo, valueHi | (maskHi & I32_MAX), valueLo | maskLo);
  narrowU(r, valueHi, valueLo, valueHi | maskHi, valueLo | maskLo);
}

/** What 64-bit ranges say of the low half: it is a range wherever the upper half stays, or turns over once, in it. */
function deduce32From64(r: Reg): void {
  if (r.uminHi === r.umaxHi) {
    narrowU32(r, r.uminLo, r.umaxLo);
    if (r.uminLo <= r.umaxLo) narrowS32(r, r.uminLo, r.umaxLo);
  }
  if (r.sminHi === r.smaxHi) {
    if (r.sminLo >>> 0 <= r.smaxLo >>> 0) narrowU32(r, r.sminLo, r.smaxLo);
    if (r.sminLo <= r.smaxLo) narrowS32(r, r.sminLo, r.smaxLo);
  }
  if (((r.uminHi + 1) | 0) === r.umaxHi && r.uminLo < 0 && r.umaxLo >= 0) narrowS32(r, r.uminLo, r.umaxLo);
  if (((r.sminHi + 1) | 0) === r.smaxHi && r.sminLo < 0 && r.smaxLo >= 0) narrowS32(r, r.sminLo, r.smaxLo);
}

/**
 * Signed and unsigned 32-bit ranges: equal where neither crosses the other's seam. Where the signed one crosses zero it
 * is two pieces to the unsigned one, of which one may lie outside it.
 */
function deduce32(r: Reg): void {
  deduce32From64(r);
  if (r.u32min <= r.u32max) narrowS32(r, r.u32min, r.u32max);
  if (r.s32min >>> 0 <= r.s32max >>> 0) narrowU32(r, r.s32min, r.s32max);
  else if (r.u32max >>> 0 < r.s32min >>> 0) {
    r.s32min = r.u32min;
    if (r.s32max >>> 0 < r.u32max >>> 0) r.u32max = r.s32max;
  } else if (r.s32max >>> 0 < r.u32min >>> 0) {
    r.s32max = r.u32max;
    if (r.s32min >>> 0 > r.u32min >>> 0) r.u32min = r.s32min;
  }
}

/** The same of 64 bits. */
function deduce64(r: Reg): void {
  if (leS(r.uminHi, r.uminLo, r.umaxHi, r.umaxLo)) narrowS(r, r.uminHi, r.uminLo, r.umaxHi, r.umaxLo);
  if (leU(r.sminHi, r.sminLo, r.smaxHi, r.smaxLo)) narrowU(r, r.sminHi, r.sminLo, r.smaxHi, r.smaxLo);
  else if (ltU(r.umaxHi, r.umaxLo, r.sminHi, r.sminLo)) {
    r.sminHi = r.uminHi;
    r.sminLo = r.uminLo;
    narrowU(r, 0, 0, r.smaxHi, r.smaxLo);
  } else if (ltU(r.smaxHi, r.smaxLo, r.uminHi, r.uminLo)) {
    r.smaxHi = r.umaxHi;
    r.smaxLo = r.umaxLo;
    narrowU(r, r.sminHi, r.sminLo, -1, -1);
  }
}

/** What 32-bit ranges say of the 64-bit ones: their low halves cannot lie outside. */
function deduce64From32(r: Reg): void {
  narrowU(r, r.uminHi, r.u32min, r.umaxHi, r.u32max);
  narrowS(r, r.sminHi, r.u32min, r.smaxHi, r.u32max);
  if (r.s32min >>> 0 <= r.s32max >>> 0) {
    narrowU(r, r.uminHi, r.s32min, r.umaxHi, r.s32max);
    narrowS(r, r.sminHi, r.s32min, r.smaxHi, r.s32max);
  }
  // After a sign-extending load: a value in [S32_MIN, S32_MAX] whose low half is not negative is that low half.
  if (r.s32min >= 0 && leS(-1, I32_MIN, r.sminHi, r.sminLo) && leS(r.smaxHi, r.smaxLo, 0, I32_MAX)) {
    const { s32min, s32max } = r;
    setS(r, 0, s32min, s32max >> 31, s32max);
    setU(r, 0, s32min, s32max >> 31, s32max);
    tnumIntersectRange(r, 0, s32min, s32max >> 31, s32max);
  }
}

/** One round of what the ranges say of one another. Whether any of them became narrower. */
function deduce(r: Reg): boolean {
  const { s32min, s32max, u32min, u32max } = r;
  const { sminHi, sminLo, smaxHi, smaxLo, uminHi, uminLo, umaxHi, umaxLo } = r;
  deduce32(r);
  deduce64(r);
  deduce64From32(r);
  return (
    ((r.s32min ^ s32min) | (r.s32max ^ s32max) | (r.u32min ^ u32min) | (r.u32max ^ u32max)) !== 0 ||
    ((r.sminHi ^ sminHi) | (r.sminLo ^ sminLo) | (r.smaxHi ^ smaxHi) | (r.smaxLo ^ smaxLo)) !== 0 ||
    ((r.uminHi ^ uminHi) | (r.uminLo ^ uminLo) | (r.umaxHi ^ umaxHi) | (r.umaxLo ^ umaxLo)) !== 0
  );
}

/** Known bits from the unsigned ranges. */
function bitsFromBounds(r: Reg): void {
  tnumIntersectRange(r, r.uminHi, r.uminLo, r.umaxHi, r.umaxLo);
  tnumIntersectSubregRange(r, r.u32min, r.u32max);
}

/** Carries what is known of a register from each of its descriptions to all others. */
export function syncBounds(r: Reg): void {
  // All three are fixed points of what follows.
  if (isSettledConst(r) || isUnknown(r) || isSettledWord(r)) return;
  boundsFromBits(r);
  // Three rounds as in Linux 6.12, of which the rest are idle once one is.
  if (deduce(r) && deduce(r)) deduce(r);
  bitsFromBounds(r);
  boundsFromBits(r);
}

/** What is inconsistent in a register's description, in the log's words; null where nothing is. */
export function boundsViolation(r: ReadonlyReg): string | null {
  if (
    ltU(r.umaxHi, r.umaxLo, r.uminHi, r.uminLo) ||
    ltS(r.smaxHi, r.smaxLo, r.sminHi, r.sminLo) ||
    r.u32max >>> 0 < r.u32min >>> 0 ||
    r.s32max < r.s32min
  )
    return 'range bounds violation';
  const { valueHi: hi, valueLo: lo } = r;
  if (
    (r.maskHi | r.maskLo) === 0 &&
    (((r.uminHi ^ hi) | (r.umaxHi ^ hi) | (r.sminHi ^ hi) | (r.smaxHi ^ hi)) !== 0 ||
      ((r.uminLo ^ lo) | (r.umaxLo ^ lo) | (r.sminLo ^ lo) | (r.smaxLo ^ lo)) !== 0)
  )
    return 'const tnum out of sync with range bounds';
  if (r.maskLo === 0 && ((r.u32min ^ lo) | (r.u32max ^ lo) | (r.s32min ^ lo) | (r.s32max ^ lo)) !== 0)
    return 'const subreg tnum out of sync with range bounds';
  return null;
}

/** The ranges in hexadecimal, as the log shows a violation. */
export function boundsText(r: ReadonlyReg): string {
  const x = (hi: number, lo: number): string => `0x${hex(hi, lo)}`;
  return (
    `u64=[${x(r.uminHi, r.uminLo)}, ${x(r.umaxHi, r.umaxLo)}] ` +
    `s64=[${x(r.sminHi, r.sminLo)}, ${x(r.smaxHi, r.smaxLo)}] ` +
    `u32=[${x(0, r.u32min)}, ${x(0, r.u32max)}] s32=[${x(0, r.s32min)}, ${x(0, r.s32max)}] ` +
    `var_off=(${x(r.valueHi, r.valueLo)}, ${x(r.maskHi, r.maskLo)})`
  );
}
