/**
 * Tracked numbers: what is known of each bit of a 64-bit value (Documentation/bpf/verifier.rst, include/linux/tnum.h).
 *
 * A bit is known where `mask` has 0, and then stands in `value`; `value & mask` is always 0. Operations write into `out`,
 * which may be one of the operands. Registers carry the four fields themselves, so a Reg is a Tnum.
 */
import { addHi, addLo, fls, hex, mulHi, mulLo, sarHi, sarLo, shlHi, shlLo, shrHi, shrLo, subHi, subLo } from './u64.js';

export interface Tnum {
  valueHi: number;
  valueLo: number;
  maskHi: number;
  maskLo: number;
}

/** A fresh tracked number; unknown unless told. */
export function makeTnum(valueHi = 0, valueLo = 0, maskHi = -1, maskLo = -1): Tnum {
  return { valueHi, valueLo, maskHi, maskLo };
}

function set(out: Tnum, valueHi: number, valueLo: number, maskHi: number, maskLo: number): void {
  out.valueHi = valueHi;
  out.valueLo = valueLo;
  out.maskHi = maskHi;
  out.maskLo = maskLo;
}

export function tnumCopy(out: Tnum, a: Tnum): void {
  set(out, a.valueHi, a.valueLo, a.maskHi, a.maskLo);
}
export function tnumConst(out: Tnum, hi: number, lo: number): void {
  set(out, hi, lo, 0, 0);
}
export function tnumUnknown(out: Tnum): void {
  set(out, 0, 0, -1, -1);
}

/** The bits that all values of an unsigned range [min, max] share. */
export function tnumRange(out: Tnum, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  const bits = fls(minHi ^ maxHi, minLo ^ maxLo);
  if (bits > 63) {
    tnumUnknown(out);
    return;
  }
  const maskHi = bits > 32 ? (1 << (bits - 32)) - 1 : 0;
  const maskLo = bits >= 32 ? -1 : (1 << bits) - 1;
  set(out, minHi & ~maskHi, minLo & ~maskLo, maskHi, maskLo);
}

export function tnumIsConst(a: Tnum): boolean {
  return (a.maskHi | a.maskLo) === 0;
}

export function tnumAdd(out: Tnum, a: Tnum, b: Tnum): void {
  addParts(out, a.valueHi, a.valueLo, a.maskHi, a.maskLo, b.valueHi, b.valueLo, b.maskHi, b.maskLo);
}

/** Sum of two numbers given by their parts. */
function addParts(
  out: Tnum,
  avHi: number,
  avLo: number,
  amHi: number,
  amLo: number,
  bvHi: number,
  bvLo: number,
  bmHi: number,
  bmLo: number,
): void {
  const svLo = addLo(avLo, bvLo);
  const svHi = addHi(avHi, avLo, bvHi, bvLo);
  const smLo = addLo(amLo, bmLo);
  const smHi = addHi(amHi, amLo, bmHi, bmLo);
  // A carry that differs between the least and the greatest sum makes its bit unknown.
  const muLo = (addLo(smLo, svLo) ^ svLo) | amLo | bmLo;
  const muHi = (addHi(smHi, smLo, svHi, svLo) ^ svHi) | amHi | bmHi;
  set(out, svHi & ~muHi, svLo & ~muLo, muHi, muLo);
}

export function tnumSub(out: Tnum, a: Tnum, b: Tnum): void {
  const dvLo = subLo(a.valueLo, b.valueLo);
  const dvHi = subHi(a.valueHi, a.valueLo, b.valueHi, b.valueLo);
  const mostLo = addLo(dvLo, a.maskLo);
  const mostHi = addHi(dvHi, dvLo, a.maskHi, a.maskLo);
  const leastLo = subLo(dvLo, b.maskLo);
  const leastHi = subHi(dvHi, dvLo, b.maskHi, b.maskLo);
  const muLo = (mostLo ^ leastLo) | a.maskLo | b.maskLo;
  const muHi = (mostHi ^ leastHi) | a.maskHi | b.maskHi;
  set(out, dvHi & ~muHi, dvLo & ~muLo, muHi, muLo);
}

export function tnumAnd(out: Tnum, a: Tnum, b: Tnum): void {
  const vHi = a.valueHi & b.valueHi;
  const vLo = a.valueLo & b.valueLo;
  const maskHi = (a.valueHi | a.maskHi) & (b.valueHi | b.maskHi) & ~vHi;
  const maskLo = (a.valueLo | a.maskLo) & (b.valueLo | b.maskLo) & ~vLo;
  set(out, vHi, vLo, maskHi, maskLo);
}
export function tnumOr(out: Tnum, a: Tnum, b: Tnum): void {
  const vHi = a.valueHi | b.valueHi;
  const vLo = a.valueLo | b.valueLo;
  set(out, vHi, vLo, (a.maskHi | b.maskHi) & ~vHi, (a.maskLo | b.maskLo) & ~vLo);
}
export function tnumXor(out: Tnum, a: Tnum, b: Tnum): void {
  const muHi = a.maskHi | b.maskHi;
  const muLo = a.maskLo | b.maskLo;
  set(out, (a.valueHi ^ b.valueHi) & ~muHi, (a.valueLo ^ b.valueLo) & ~muLo, muHi, muLo);
}

/**
 * Product by long multiplication: the known bits multiply exactly, the unknown ones add up as a mask
 * (Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers", 2021).
 */
export function tnumMul(out: Tnum, a: Tnum, b: Tnum): void {
  let { valueHi: avHi, valueLo: avLo, maskHi: amHi, maskLo: amLo } = a;
  let { valueHi: bvHi, valueLo: bvLo, maskHi: bmHi, maskLo: bmLo } = b;
  const productLo = mulLo(avLo, bvLo);
  const productHi = mulHi(avHi, avLo, bvHi, bvLo);
  set(out, 0, 0, 0, 0);
  if ((amHi | amLo | bmHi | bmLo) !== 0) {
    while ((avHi | avLo | amHi | amLo) !== 0) {
      if ((avLo & 1) !== 0) addParts(out, out.valueHi, out.valueLo, out.maskHi, out.maskLo, 0, 0, bmHi, bmLo);
      else if ((amLo & 1) !== 0)
        addParts(out, out.valueHi, out.valueLo, out.maskHi, out.maskLo, 0, 0, bvHi | bmHi, bvLo | bmLo);
      avLo = shrLo(avHi, avLo, 1);
      avHi = shrHi(avHi, 1);
      amLo = shrLo(amHi, amLo, 1);
      amHi = shrHi(amHi, 1);
      bvHi = shlHi(bvHi, bvLo, 1);
      bvLo = shlLo(bvLo, 1);
      bmHi = shlHi(bmHi, bmLo, 1);
      bmLo = shlLo(bmLo, 1);
    }
  }
  addParts(out, productHi, productLo, 0, 0, out.valueHi, out.valueLo, out.maskHi, out.maskLo);
}

export function tnumLsh(out: Tnum, a: Tnum, n: number): void {
  const { valueHi, valueLo, maskHi, maskLo } = a;
  set(out, shlHi(valueHi, valueLo, n), shlLo(valueLo, n), shlHi(maskHi, maskLo, n), shlLo(maskLo, n));
}
export function tnumRsh(out: Tnum, a: Tnum, n: number): void {
  const { valueHi, valueLo, maskHi, maskLo } = a;
  set(out, shrHi(valueHi, n), shrLo(valueHi, valueLo, n), shrHi(maskHi, n), shrLo(maskHi, maskLo, n));
}
export function tnumArsh64(out: Tnum, a: Tnum, n: number): void {
  const { valueHi, valueLo, maskHi, maskLo } = a;
  set(out, sarHi(valueHi, n), sarLo(valueHi, valueLo, n), sarHi(maskHi, n), sarLo(maskHi, maskLo, n));
}
/** Arithmetic shift of the low half; the upper half becomes known zero. */
export function tnumArsh32(out: Tnum, a: Tnum, n: number): void {
  set(out, 0, a.valueLo >> n, 0, a.maskLo >> n);
}

/** Whether some value belongs to both. */
export function tnumOverlap(a: Tnum, b: Tnum): boolean {
  const muHi = ~a.maskHi & ~b.maskHi;
  const muLo = ~a.maskLo & ~b.maskLo;
  return (((a.valueHi ^ b.valueHi) & muHi) | ((a.valueLo ^ b.valueLo) & muLo)) === 0;
}
export function tnumSubregOverlap(a: Tnum, b: Tnum): boolean {
  return ((a.valueLo ^ b.valueLo) & ~a.maskLo & ~b.maskLo) === 0;
}

/** What both know. Where they contradict each other, the result says 1. */
export function tnumIntersect(out: Tnum, a: Tnum, b: Tnum): void {
  const muHi = a.maskHi & b.maskHi;
  const muLo = a.maskLo & b.maskLo;
  set(out, (a.valueHi | b.valueHi) & ~muHi, (a.valueLo | b.valueLo) & ~muLo, muHi, muLo);
}

/** Intersects with the bits that an unsigned range shares (tnumIntersect with a tnumRange). */
export function tnumIntersectRange(a: Tnum, minHi: number, minLo: number, maxHi: number, maxLo: number): void {
  const bits = fls(minHi ^ maxHi, minLo ^ maxLo);
  if (bits > 63) return;
  const freeHi = bits > 32 ? (1 << (bits - 32)) - 1 : 0;
  const freeLo = bits >= 32 ? -1 : (1 << bits) - 1;
  const muHi = a.maskHi & freeHi;
  const muLo = a.maskLo & freeLo;
  set(a, (a.valueHi | (minHi & ~freeHi)) & ~muHi, (a.valueLo | (minLo & ~freeLo)) & ~muLo, muHi, muLo);
}
/** The same of the low half alone. */
export function tnumIntersectSubregRange(a: Tnum, min: number, max: number): void {
  const bits = 32 - Math.clz32(min ^ max);
  const free = bits === 32 ? -1 : (1 << bits) - 1;
  a.maskLo &= free;
  a.valueLo = (a.valueLo | (min & ~free)) & ~a.maskLo;
}

/** Keeps the low `size` bytes (1, 2, 4 or 8). */
export function tnumCast(out: Tnum, a: Tnum, size: number): void {
  if (size === 8) tnumCopy(out, a);
  else {
    const keep = size === 4 ? -1 : (1 << (size * 8)) - 1;
    set(out, 0, a.valueLo & keep, 0, a.maskLo & keep);
  }
}
export function tnumSubreg(out: Tnum, a: Tnum): void {
  set(out, 0, a.valueLo, 0, a.maskLo);
}

/** Whether all values are multiples of `size` (a power of two up to 2^31, or 0: always). */
export function tnumIsAligned(a: Tnum, size: number): boolean {
  return size === 0 || ((a.valueLo | a.maskLo) & (size - 1)) === 0;
}

/** As the kernel's log writes it: `(0x…; 0x…)` for value and mask, or just the value where it is known. */
export function tnumText(a: Tnum): string {
  const value = hex(a.valueHi, a.valueLo);
  if (!tnumIsConst(a)) return `(0x${value}; 0x${hex(a.maskHi, a.maskLo)})`;
  return a.valueHi === 0 && a.valueLo >>> 0 <= 0xffff ? String(a.valueLo) : `0x${value}`;
}
