/**
 * 64-bit integers as two int32 halves.
 *
 * Every value is a pair (hi, lo) of int32, whatever its signedness; a function that yields a 64-bit value comes as a
 * pair `fHi`, `fLo`, so that nothing is allocated and V8 inlines both. Shift counts are 0…63.
 */

export const I32_MIN = -0x80000000;
export const I32_MAX = 0x7fffffff;

export function addLo(aLo: number, bLo: number): number {
  return (aLo + bLo) | 0;
}
export function addHi(aHi: number, aLo: number, bHi: number, bLo: number): number {
  const lo = (aLo + bLo) | 0;
  return (aHi + bHi + (lo >>> 0 < aLo >>> 0 ? 1 : 0)) | 0;
}

export function subLo(aLo: number, bLo: number): number {
  return (aLo - bLo) | 0;
}
export function subHi(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return (aHi - bHi - (aLo >>> 0 < bLo >>> 0 ? 1 : 0)) | 0;
}

/** Two's complement negation. */
export function negHi(hi: number, lo: number): number {
  return (~hi + (lo === 0 ? 1 : 0)) | 0;
}
export function negLo(lo: number): number {
  return -lo | 0;
}

/** Upper 32 bits of the unsigned product of two 32-bit values. */
export function mul32Hi(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16);
  const low = (mid & 0xffff) + a0 * b1;
  // mid may exceed 32 bits as a double; its upper part is taken by division.
  return (a1 * b1 + Math.floor(mid / 0x10000) + Math.floor(low / 0x10000)) | 0;
}
/** Low 64 bits of a product. */
export function mulLo(aLo: number, bLo: number): number {
  return Math.imul(aLo, bLo);
}
export function mulHi(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return (mul32Hi(aLo, bLo) + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0;
}

export function shlHi(hi: number, lo: number, n: number): number {
  if (n === 0) return hi;
  return n >= 32 ? lo << (n - 32) : (hi << n) | (lo >>> (32 - n));
}
export function shlLo(lo: number, n: number): number {
  return n >= 32 ? 0 : lo << n;
}
export function shrHi(hi: number, n: number): number {
  return n >= 32 ? 0 : (hi >>> n) | 0;
}
export function shrLo(hi: number, lo: number, n: number): number {
  if (n === 0) return lo;
  return n >= 32 ? (hi >>> (n - 32)) | 0 : (lo >>> n) | (hi << (32 - n));
}
export function sarHi(hi: number, n: number): number {
  return n >= 32 ? hi >> 31 : hi >> n;
}
export function sarLo(hi: number, lo: number, n: number): number {
  if (n === 0) return lo;
  return n >= 32 ? hi >> (n - 32) : (lo >>> n) | (hi << (32 - n));
}

/** Unsigned a < b. */
export function ltU(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi >>> 0 < bHi >>> 0;
}
/** Unsigned a ≤ b. */
export function leU(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 <= bLo >>> 0 : aHi >>> 0 < bHi >>> 0;
}
/** Signed a < b. */
export function ltS(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi < bHi;
}
/** Signed a ≤ b. */
export function leS(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 <= bLo >>> 0 : aHi < bHi;
}

/** Whether a signed sum leaves 64 bits; `sumHi` is addHi of the operands. */
export function addOverflowsS(aHi: number, bHi: number, sumHi: number): boolean {
  return ((aHi ^ sumHi) & (bHi ^ sumHi)) < 0;
}
/** Whether a signed difference leaves 64 bits; `diffHi` is subHi of the operands. */
export function subOverflowsS(aHi: number, bHi: number, diffHi: number): boolean {
  return ((aHi ^ bHi) & (aHi ^ diffHi)) < 0;
}

/** Number of the highest set bit, counted from 1; 0 for zero. */
export function fls(hi: number, lo: number): number {
  return hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lo);
}

/** Whether exactly one bit is set. */
export function isPowerOfTwo(hi: number, lo: number): boolean {
  if (hi === 0) return lo !== 0 && (lo & (lo - 1)) === 0;
  return lo === 0 && (hi & (hi - 1)) === 0;
}

/** The value as a JS number; exact only up to 2^53 in magnitude. */
export function toNumberS(hi: number, lo: number): number {
  return hi * 0x100000000 + (lo >>> 0);
}
export function toNumberU(hi: number, lo: number): number {
  return (hi >>> 0) * 0x100000000 + (lo >>> 0);
}

/** Decimal text of the unsigned value, as %llu. */
export function decimalU(hi: number, lo: number): string {
  const high = hi >>> 0;
  if (high < 0x200000) return String(high * 0x100000000 + (lo >>> 0));
  // Two steps of long division by 10^9.
  const q0 = Math.floor(high / 1e9);
  const r0 = high % 1e9;
  let rest = r0;
  let quotient = 0;
  for (let shift = 16; shift >= 0; shift -= 16) {
    rest = rest * 0x10000 + ((lo >>> shift) & 0xffff);
    quotient = quotient * 0x10000 + Math.floor(rest / 1e9);
    rest = rest % 1e9;
  }
  return String(q0 * 0x100000000 + quotient) + String(rest).padStart(9, '0');
}
/** Decimal text of the signed value, as %lld. */
export function decimalS(hi: number, lo: number): string {
  return hi < 0 ? `-${decimalU(negHi(hi, lo), negLo(lo))}` : decimalU(hi, lo);
}
/** Hexadecimal text of the unsigned value without prefix, as %llx. */
export function hex(hi: number, lo: number): string {
  const low = (lo >>> 0).toString(16);
  return hi === 0 ? low : (hi >>> 0).toString(16) + low.padStart(8, '0');
}
