/** Prefixes and operand bytes that instructions share (Intel SDM volume 2, chapter 2). */
import type { CodeBuffer } from '../code-buffer.js';

/** REX.W: the operand has 64 bits. */
const WIDE = 0x08;

/** Whether a number fits the signed byte of the short forms. */
export function isByte(value: number): boolean {
  return value === (value << 24) >> 24;
}

/** The REX prefix of an instruction with register `reg` (ModRM.reg), `index` (SIB) and `base` (ModRM.rm or SIB). */
export function rexOf(wide: boolean, reg: number, index: number, base: number): number {
  return 0x40 | (wide ? WIDE : 0) | ((reg & 8) >> 1) | ((index & 8) >> 2) | (base >> 3);
}

/** The REX prefix where the instruction needs one: for 64 bits, or for R8 to R15. */
export function putRex(code: CodeBuffer, wide: boolean, reg: number, rm: number): void {
  const rex = rexOf(wide, reg, 0, rm);
  if (rex !== 0x40) code.put(rex);
}

/** ModRM of two registers. */
export function registers(reg: number, rm: number): number {
  return 0xc0 | ((reg & 7) << 3) | (rm & 7);
}

/**
 * ModRM and displacement of [base + offset], the displacement always there, if only a byte of 0. `base` must not be RSP or R12, whose numbers
 * announce an index.
 */
export function putMemory(code: CodeBuffer, reg: number, base: number, offset: number): void {
  const operand = ((reg & 7) << 3) | (base & 7);
  if (isByte(offset)) code.put2(0x40 | operand, offset);
  else {
    code.put(0x80 | operand);
    code.put32(offset);
  }
}

/** ModRM, SIB and displacement of [base + index + offset]. */
export function putIndexedMemory(code: CodeBuffer, reg: number, base: number, index: number, offset: number): void {
  const operand = ((reg & 7) << 3) | 4;
  const sib = ((index & 7) << 3) | (base & 7);
  if (isByte(offset)) code.put3(0x40 | operand, sib, offset);
  else {
    code.put2(0x80 | operand, sib);
    code.put32(offset);
  }
}
