/** Loads and stores. Sizes are logarithms of bytes: 0 byte, 1 half-word, 2 word, 3 double word. */
import type { ScaledOffset, ShortDistance } from './immediates.js';

// Unsigned, scaled immediate offset; the base may be SP.
export function storeOffset(sizeLog2: number, rt: number, rn: number, offset: ScaledOffset): number {
  return 0x39000000 | (sizeLog2 << 30) | (offset << 10) | (rn << 5) | rt;
}
export function loadOffset(sizeLog2: number, rt: number, rn: number, offset: ScaledOffset): number {
  return 0x39400000 | (sizeLog2 << 30) | (offset << 10) | (rn << 5) | rt;
}
/** Sign-extends into an X register; not for double words. */
export function loadSignedOffset(sizeLog2: number, rt: number, rn: number, offset: ScaledOffset): number {
  return 0x39800000 | (sizeLog2 << 30) | (offset << 10) | (rn << 5) | rt;
}

// Register offset, neither extended nor scaled.
export function storeIndexed(sizeLog2: number, rt: number, rn: number, rm: number): number {
  return 0x38206800 | (sizeLog2 << 30) | (rm << 16) | (rn << 5) | rt;
}
export function loadIndexed(sizeLog2: number, rt: number, rn: number, rm: number): number {
  return 0x38606800 | (sizeLog2 << 30) | (rm << 16) | (rn << 5) | rt;
}
/** Sign-extends into an X register; not for double words. The index is extended by SXTX, as the kernel has it: no change. */
export function loadSignedIndexed(sizeLog2: number, rt: number, rn: number, rm: number): number {
  return 0x38a0e800 | (sizeLog2 << 30) | (rm << 16) | (rn << 5) | rt;
}

/** Pushes two X registers: `stp rt, rt2, [rn, #-16]!`. */
export function push(rt: number, rt2: number, rn: number): number {
  return 0xa9bf0000 | (rt2 << 10) | (rn << 5) | rt;
}
/** Pops two X registers: `ldp rt, rt2, [rn], #16`. */
export function pop(rt: number, rt2: number, rn: number): number {
  return 0xa8c10000 | (rt2 << 10) | (rn << 5) | rt;
}

/** Loads an X register from a place in the code, `distance` instructions on. */
export function loadLiteral(rt: number, distance: ShortDistance): number {
  return 0x58000000 | ((distance & 0x7ffff) << 5) | rt;
}
