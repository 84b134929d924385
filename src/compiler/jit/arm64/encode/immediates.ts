/**
 * Immediates as checked types: a `maybe…` function answers the instruction's field when the value fits, and null when it
 * does not, so that no encoder can be handed a value that it would have to cut (the idea is Cranelift's).
 *
 * The fields are Arm's: Arm Architecture Reference Manual for A-profile (DDI 0487), section C.
 */

declare const checked: unique symbol;
type Checked<Name extends string> = number & { readonly [checked]: Name };

/** sh:imm12 of ADD/SUB (immediate), bits 12–0 of the field: 0…4095, or a multiple of 4096 below 2^24. */
export type AddSubImmediate = Checked<'AddSub'>;
/** N:immr:imms of AND/ORR/EOR/ANDS (immediate), 13 bits. */
export type LogicalImmediate = Checked<'Logical'>;
/** imm12 of a load or store with unsigned offset: the offset in units of the access. */
export type ScaledOffset = Checked<'Scaled'>;
/** A distance in instructions that fits the 19 bits of B.cond, CBZ, CBNZ and LDR (literal). */
export type ShortDistance = Checked<'Short'>;
/** A distance in instructions that fits the 26 bits of B and BL. */
export type LongDistance = Checked<'Long'>;

/** The field for adding or subtracting `value` (unsigned 32 bits, given as int32), or null. */
export function maybeAddSubImmediate(value: number): AddSubImmediate | null {
  if ((value & ~0xfff) === 0) return value as AddSubImmediate;
  if ((value & ~0xfff000) === 0) return (0x1000 | (value >>> 12)) as AddSubImmediate;
  return null;
}

/** The field for a byte offset into accesses of 2^`sizeLog2` bytes, or null where it is negative, unaligned or too far. */
export function maybeScaledOffset(offset: number, sizeLog2: number): ScaledOffset | null {
  if (offset < 0 || offset > 0xfff << sizeLog2) return null;
  if ((offset & ((1 << sizeLog2) - 1)) !== 0) return null;
  return (offset >> sizeLog2) as ScaledOffset;
}

export function maybeShortDistance(words: number): ShortDistance | null {
  return words >= -0x40000 && words < 0x40000 ? (words as ShortDistance) : null;
}

export function maybeLongDistance(words: number): LongDistance | null {
  return words >= -0x2000000 && words < 0x2000000 ? (words as LongDistance) : null;
}

/**
 * The field of a bitmask immediate, or null. The value must be an element of 2, 4, 8, 16, 32 or 64 bits, repeated over the
 * register, that is a rotated run of ones (neither none nor all). `hi` is ignored for 32-bit operations.
 */
export function maybeLogicalImmediate(wide: boolean, hi: number, lo: number): LogicalImmediate | null {
  if (wide && hi !== lo) return wholeRegister(hi, lo);
  let bits = 32;
  while (bits > 2 && repeats(lo, bits >> 1)) bits >>= 1;
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  const element = lo & mask;
  const previous = (element << 1) | (element >>> (bits - 1)); // each bit's lower neighbour, around the element
  if (popCount((element ^ previous) & mask) !== 2) return null;
  const start = trailingZeros(element & ~previous & mask);
  return field(bits, popCount(element), start);
}

/** A 64-bit element, whose halves differ. */
function wholeRegister(hi: number, lo: number): LogicalImmediate | null {
  const previousLo = (lo << 1) | (hi >>> 31);
  const previousHi = (hi << 1) | (lo >>> 31);
  if (popCount(lo ^ previousLo) + popCount(hi ^ previousHi) !== 2) return null;
  const startLo = lo & ~previousLo;
  const start = startLo !== 0 ? trailingZeros(startLo) : 32 + trailingZeros(hi & ~previousHi);
  return field(64, popCount(lo) + popCount(hi), start);
}

/** N:immr:imms of a run of `ones` bits that starts at bit `start` of an element of `bits`. */
function field(bits: number, ones: number, start: number): LogicalImmediate {
  const n = bits === 64 ? 1 : 0;
  const immr = (bits - start) % bits;
  const imms = (~(2 * bits - 1) & 0x3f) | (ones - 1);
  return ((n << 12) | (immr << 6) | imms) as LogicalImmediate;
}

function repeats(word: number, half: number): boolean {
  const mask = (1 << half) - 1;
  return (word & mask) === ((word >>> half) & mask);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function popCount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
