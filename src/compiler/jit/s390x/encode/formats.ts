/**
 * Encoders, one for each instruction format. Each writes an instruction and notes the registers that it names, of which the
 * prologue saves those that the ABI wants kept.
 *
 * Fields and their order are those of z/Architecture's Principles of Operation (SA22-7832), chapter 5. Distances count
 * half-words from the instruction itself. A displacement or distance beyond its field is cut: while a function is only
 * measured, what lies ahead has no place yet.
 */
import type { CodeBuffer } from '../code-buffer.js';
import * as op from './opcodes.js';

/** Byte 0 of a two-place operation code. */
function first(opcode: number): number {
  return (opcode >>> 8) << 24;
}

export function rr(c: CodeBuffer, opcode: op.Rr, r1: number, r2: number): void {
  c.named |= (1 << r1) | (1 << r2);
  c.half((opcode << 8) | (r1 << 4) | r2);
}

export function rre(c: CodeBuffer, opcode: op.Rre, r1: number, r2: number): void {
  c.named |= (1 << r1) | (1 << r2);
  c.word((opcode << 16) | (r1 << 4) | r2);
}

/** RRF-a: r1 = r2 operation r3. */
export function rrf(c: CodeBuffer, opcode: op.Rrf, r1: number, r2: number, r3: number): void {
  c.named |= (1 << r1) | (1 << r2) | (1 << r3);
  c.word((opcode << 16) | (r3 << 12) | (r1 << 4) | r2);
}

/** A register and `displacement`(`base`), 0…4095. */
export function rs(c: CodeBuffer, opcode: op.Rs, r1: number, base: number, displacement: number): void {
  c.named |= (1 << r1) | (1 << base);
  c.word((opcode << 24) | (r1 << 20) | (base << 12) | (displacement & 0xfff));
}

/** A register and `displacement`(`index`,`base`), 20 bits signed. */
export function rxy(
  c: CodeBuffer,
  opcode: op.Rxy | op.Rsy,
  r1: number,
  index: number,
  base: number,
  displacement: number,
): void {
  c.named |= (1 << r1) | (1 << index) | (1 << base);
  c.word(first(opcode) | (r1 << 20) | (index << 16) | (base << 12) | (displacement & 0xfff));
  c.half(((displacement >> 4) & 0xff00) | (opcode & 0xff));
}

/** Two registers and `displacement`(`base`), 20 bits signed: RXY with a register where that has its index. */
export function rsy(c: CodeBuffer, opcode: op.Rsy, r1: number, r3: number, base: number, displacement: number): void {
  rxy(c, opcode, r1, r3, base, displacement);
}

/** A register and an immediate of 16 bits. */
export function ri(c: CodeBuffer, opcode: op.Ri, r1: number, immediate: number): void {
  c.named |= 1 << r1;
  riMask(c, opcode, r1, immediate);
}

function riMask(c: CodeBuffer, opcode: op.Ri, field: number, immediate: number): void {
  c.word(((opcode >> 4) << 24) | (field << 20) | ((opcode & 0xf) << 16) | (immediate & 0xffff));
}

/** A register and an immediate of 32 bits, which may be a distance. */
export function ril(c: CodeBuffer, opcode: op.Ril, r1: number, immediate: number): void {
  c.named |= 1 << r1;
  rilMask(c, opcode, r1, immediate);
}

function rilMask(c: CodeBuffer, opcode: op.Ril, field: number, immediate: number): void {
  c.word(((opcode >> 4) << 24) | (field << 20) | ((opcode & 0xf) << 16) | (immediate >>> 16));
  c.half(immediate & 0xffff);
}

/** Branches where the condition code is one of `mask`: 15 always, 0 never. */
export function branchShort(c: CodeBuffer, mask: number, distance: number): void {
  riMask(c, op.BRC, mask, distance);
}

export function branchLong(c: CodeBuffer, mask: number, distance: number): void {
  rilMask(c, op.BRCL, mask, distance);
}

export function branchRegister(c: CodeBuffer, mask: number, r2: number): void {
  c.half((op.BCR << 8) | (mask << 4) | r2);
}

/** Branches to `displacement`(`base`), 0…4095, in any case. */
export function branchTo(c: CodeBuffer, base: number, displacement: number): void {
  c.word(0x47f0_0000 | (base << 12) | (displacement & 0xfff));
}

/** RIE-b: compares two registers and branches where the result is one of `mask`. */
export function compareAndBranch(
  c: CodeBuffer,
  opcode: op.Rie,
  r1: number,
  r2: number,
  mask: number,
  distance: number,
): void {
  c.named |= (1 << r1) | (1 << r2);
  c.word(first(opcode) | (r1 << 20) | (r2 << 16) | (distance & 0xffff));
  c.half((mask << 12) | (opcode & 0xff));
}

/** RIE-c: compares a register with 8 bits and branches. */
export function compareNumberAndBranch(
  c: CodeBuffer,
  opcode: op.Rie,
  r1: number,
  number: number,
  mask: number,
  distance: number,
): void {
  c.named |= 1 << r1;
  c.word(first(opcode) | (r1 << 20) | (mask << 16) | (distance & 0xffff));
  c.half((number << 8) | (opcode & 0xff));
}

/** RIE-f, RISBG: bits `start` to `end` of r1 become those of r2 (bit 0 is the highest), the others stay. */
export function insertBits(c: CodeBuffer, r1: number, r2: number, start: number, end: number): void {
  c.named |= (1 << r1) | (1 << r2);
  c.word(first(op.RISBG) | (r1 << 20) | (r2 << 16) | (start << 8) | end);
  c.half(op.RISBG & 0xff);
}

/** SS-a: `bytes` (1…256) bytes at `displacement1`(`base1`) and at `displacement2`(`base2`). */
export function ss(
  c: CodeBuffer,
  opcode: op.Ss,
  bytes: number,
  base1: number,
  displacement1: number,
  base2: number,
  displacement2: number,
): void {
  c.named |= (1 << base1) | (1 << base2);
  c.word((opcode << 24) | ((bytes - 1) << 16) | (base1 << 12) | displacement1);
  c.half((base2 << 12) | displacement2);
}
