/**
 * Scalars that share an id, as a jump finds them: they gain their ranges together, and need precision together.
 *
 * One is packed into 10 bits, as many as Linux 6.12 has room for in its history.
 */

/** Registers and stack slots, packed. */
export type LinkedRegs = readonly number[];

const FRAME_BITS = 3;
const FRAME_MASK = (1 << FRAME_BITS) - 1;
const INDEX_MASK = 0x3f;
const IS_REG = 1 << 9;

export function packLinkedReg(frame: number, register: number): number {
  return packLinkedSlot(frame, register) | IS_REG;
}

export function packLinkedSlot(frame: number, slot: number): number {
  return frame | (slot << FRAME_BITS);
}

export function linkedFrame(packed: number): number {
  return packed & FRAME_MASK;
}

/** Number of the register, or of the slot. */
export function linkedIndex(packed: number): number {
  return (packed >> FRAME_BITS) & INDEX_MASK;
}

/** A register, not a slot. */
export function isLinkedReg(packed: number): boolean {
  return (packed & IS_REG) !== 0;
}
