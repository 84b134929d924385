/** What instructions do, by opcode: arithmetic here, the others in the tables beside this file. */
import { MASK32 } from '../processor.js';
import { ACCESSES } from './accesses.js';
import { BRANCHES } from './branches.js';
import { IMMEDIATES } from './immediates.js';
import * as op from './operations.js';
import type { Operation, Width } from './operations.js';
import type { Operands } from './operands.js';
import type { Cpu, Instruction, Table } from './table.js';
import { SHIFTS } from './shifts.js';

/** Combines a register with an operand, and keeps the result in it where there is one. */
function into(cpu: Cpu, operation: Operation, register: number, b: bigint, width: Width): void {
  const result = operation(cpu, cpu.r[register]!, b, width);
  if (result !== null) cpu.set(register, result, width);
}

type Extend = (value: bigint) => bigint;
const WHOLE: Extend = (value) => value;
const SIGNED_WORD: Extend = (value) => BigInt.asIntN(32, value);
const WORD: Extend = (value) => value & MASK32;

/** Formats: how the second operand is found. */
const rr =
  (f: Operation, w: Width = 32): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, cpu.r[o.b]!, w);
const rre =
  (f: Operation, w: Width, extend = WHOLE): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.n2, extend(cpu.r[o.n3]!), w);
const rx =
  (f: Operation, size: number, w: Width = 32): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, cpu.memoryOperand(cpu.address(o.n0, o.b, o.d1), size, true), w);
const rxy =
  (f: Operation, w: Width, size: number, isSigned = true): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, cpu.memoryOperand(cpu.address(o.n0, o.b, o.long), size, isSigned), w);
const ri =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, BigInt(o.i16), w);
const ril =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, BigInt(o.i32), w);
const rilUnsigned =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, BigInt(o.i32 >>> 0), w);
/** Relative to the instruction: an operand in memory near the code. */
const rel =
  (f: Operation, w: Width, size: number, isSigned = true): Instruction =>
  (cpu, o) =>
    into(cpu, f, o.a, cpu.memoryOperand(o.far, size, isSigned), w);
/** Three operands: the result in a register of its own. */
const rrf =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) =>
    cpu.set(o.n2, f(cpu, cpu.r[o.n3]!, cpu.r[o.n0]!, w) ?? 0n, w);
const rie =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) =>
    cpu.set(o.a, f(cpu, cpu.r[o.b]!, BigInt(o.i16), w) ?? 0n, w);

const ARITHMETIC: Table = [
  [0x1a, rr(op.add)], [0x5a, rx(op.add, 4)], [0xe35a, rxy(op.add, 32, 4)], [0x4a, rx(op.add, 2)],
  [0xe37a, rxy(op.add, 32, 2)], [0xa7a, ri(op.add, 32)], [0xc29, ril(op.add, 32)], [0xb9f8, rrf(op.add, 32)],
  [0xecd8, rie(op.add, 32)], [0xb908, rre(op.add, 64)], [0xb918, rre(op.add, 64, SIGNED_WORD)],
  [0xe308, rxy(op.add, 64, 8)], [0xe318, rxy(op.add, 64, 4)], [0xa7b, ri(op.add, 64)], [0xc28, ril(op.add, 64)],
  [0xb9e8, rrf(op.add, 64)], [0xecd9, rie(op.add, 64)],

  [0x1b, rr(op.subtract)], [0x5b, rx(op.subtract, 4)], [0xe35b, rxy(op.subtract, 32, 4)], [0x4b, rx(op.subtract, 2)],
  [0xe37b, rxy(op.subtract, 32, 2)], [0xb9f9, rrf(op.subtract, 32)], [0xb909, rre(op.subtract, 64)],
  [0xb919, rre(op.subtract, 64, SIGNED_WORD)], [0xe309, rxy(op.subtract, 64, 8)], [0xe319, rxy(op.subtract, 64, 4)],
  [0xb9e9, rrf(op.subtract, 64)],

  [0x1e, rr(op.addLogical)], [0x5e, rx(op.addLogical, 4)], [0xe35e, rxy(op.addLogical, 32, 4)],
  [0xc2b, rilUnsigned(op.addLogical, 32)], [0xb9fa, rrf(op.addLogical, 32)], [0xecda, rie(op.addLogical, 32)],
  [0xb90a, rre(op.addLogical, 64)], [0xb91a, rre(op.addLogical, 64, WORD)], [0xe30a, rxy(op.addLogical, 64, 8)],
  [0xe31a, rxy(op.addLogical, 64, 4, false)], [0xc2a, rilUnsigned(op.addLogical, 64)],
  [0xb9ea, rrf(op.addLogical, 64)], [0xecdb, rie(op.addLogical, 64)],

  [0x1f, rr(op.subtractLogical)], [0x5f, rx(op.subtractLogical, 4)], [0xe35f, rxy(op.subtractLogical, 32, 4)],
  [0xc25, rilUnsigned(op.subtractLogical, 32)], [0xb9fb, rrf(op.subtractLogical, 32)],
  [0xb90b, rre(op.subtractLogical, 64)], [0xb91b, rre(op.subtractLogical, 64, WORD)],
  [0xe30b, rxy(op.subtractLogical, 64, 8)], [0xe31b, rxy(op.subtractLogical, 64, 4, false)],
  [0xc24, rilUnsigned(op.subtractLogical, 64)], [0xb9eb, rrf(op.subtractLogical, 64)],

  [0xb998, rre(op.addWithCarry, 32)], [0xb988, rre(op.addWithCarry, 64)], [0xe398, rxy(op.addWithCarry, 32, 4)],
  [0xe388, rxy(op.addWithCarry, 64, 8)], [0xb999, rre(op.subtractWithBorrow, 32)],
  [0xb989, rre(op.subtractWithBorrow, 64)], [0xe399, rxy(op.subtractWithBorrow, 32, 4)],
  [0xe389, rxy(op.subtractWithBorrow, 64, 8)],

  [0x14, rr(op.and)], [0x54, rx(op.and, 4)], [0xe354, rxy(op.and, 32, 4)], [0xb9f4, rrf(op.and, 32)],
  [0xb980, rre(op.and, 64)], [0xe380, rxy(op.and, 64, 8)], [0xb9e4, rrf(op.and, 64)],
  [0x16, rr(op.or)], [0x56, rx(op.or, 4)], [0xe356, rxy(op.or, 32, 4)], [0xb9f6, rrf(op.or, 32)],
  [0xb981, rre(op.or, 64)], [0xe381, rxy(op.or, 64, 8)], [0xb9e6, rrf(op.or, 64)],
  [0x17, rr(op.xor)], [0x57, rx(op.xor, 4)], [0xe357, rxy(op.xor, 32, 4)], [0xb9f7, rrf(op.xor, 32)],
  [0xb982, rre(op.xor, 64)], [0xe382, rxy(op.xor, 64, 8)], [0xb9e7, rrf(op.xor, 64)],

  [0x19, rr(op.compare)], [0x59, rx(op.compare, 4)], [0xe359, rxy(op.compare, 32, 4)], [0x49, rx(op.compare, 2)],
  [0xe379, rxy(op.compare, 32, 2)], [0xa7e, ri(op.compare, 32)], [0xc2d, ril(op.compare, 32)],
  [0xb920, rre(op.compare, 64)], [0xb930, rre(op.compare, 64, SIGNED_WORD)], [0xe320, rxy(op.compare, 64, 8)],
  [0xe330, rxy(op.compare, 64, 4)], [0xe334, rxy(op.compare, 64, 2)], [0xa7f, ri(op.compare, 64)],
  [0xc2c, ril(op.compare, 64)], [0xc64, rel(op.compare, 64, 2)], [0xc65, rel(op.compare, 32, 2)],
  [0xc68, rel(op.compare, 64, 8)], [0xc6c, rel(op.compare, 64, 4)], [0xc6d, rel(op.compare, 32, 4)],
  [0x15, rr(op.compareLogical)], [0x55, rx(op.compareLogical, 4)], [0xe355, rxy(op.compareLogical, 32, 4)],
  [0xc2f, rilUnsigned(op.compareLogical, 32)], [0xb921, rre(op.compareLogical, 64)],
  [0xb931, rre(op.compareLogical, 64, WORD)], [0xe321, rxy(op.compareLogical, 64, 8)],
  [0xe331, rxy(op.compareLogical, 64, 4, false)], [0xc2e, rilUnsigned(op.compareLogical, 64)],
  [0xc66, rel(op.compareLogical, 64, 2, false)], [0xc67, rel(op.compareLogical, 32, 2, false)],
  [0xc6a, rel(op.compareLogical, 64, 8)], [0xc6e, rel(op.compareLogical, 64, 4, false)],
  [0xc6f, rel(op.compareLogical, 32, 4)],

  [0xb252, rre(op.multiply, 32)], [0x71, rx(op.multiply, 4)], [0xe351, rxy(op.multiply, 32, 4)],
  [0x4c, rx(op.multiply, 2)], [0xe37c, rxy(op.multiply, 32, 2)], [0xa7c, ri(op.multiply, 32)],
  [0xa7d, ri(op.multiply, 64)], [0xc21, ril(op.multiply, 32)], [0xc20, ril(op.multiply, 64)],
  [0xb90c, rre(op.multiply, 64)], [0xb91c, rre(op.multiply, 64, SIGNED_WORD)], [0xe30c, rxy(op.multiply, 64, 8)],
  [0xe31c, rxy(op.multiply, 64, 4)],

  [0x12, rr(op.moveAndTest)], [0xb902, rre(op.moveAndTest, 64)], [0xb912, rre(op.moveAndTest, 64, SIGNED_WORD)],
  [0xe312, rxy(op.moveAndTest, 32, 4)], [0xe302, rxy(op.moveAndTest, 64, 8)], [0xe332, rxy(op.moveAndTest, 64, 4)],
  [0x13, rr(op.negate)], [0xb903, rre(op.negate, 64)], [0xb913, rre(op.negate, 64, SIGNED_WORD)],
  [0x10, rr(op.positive)], [0xb900, rre(op.positive, 64)], [0xb910, rre(op.positive, 64, SIGNED_WORD)],
  [0x11, rr(op.negative)], [0xb901, rre(op.negative, 64)], [0xb911, rre(op.negative, 64, SIGNED_WORD)],

  [0x18, rr(op.move)], [0xb904, rre(op.move, 64)], [0xb914, rre(op.move, 64, SIGNED_WORD)],
  [0xb916, rre(op.move, 64, WORD)], [0xb917, rre(op.move, 64, (v) => v & 0x7fff_ffffn)],
  [0xb906, rre(op.move, 64, (v) => BigInt.asIntN(8, v))], [0xb907, rre(op.move, 64, (v) => BigInt.asIntN(16, v))],
  [0xb926, rre(op.move, 32, (v) => BigInt.asIntN(8, v))], [0xb927, rre(op.move, 32, (v) => BigInt.asIntN(16, v))],
  [0xb984, rre(op.move, 64, (v) => v & 0xffn)], [0xb985, rre(op.move, 64, (v) => v & 0xffffn)],
  [0xb994, rre(op.move, 32, (v) => v & 0xffn)], [0xb995, rre(op.move, 32, (v) => v & 0xffffn)],
  [0x58, rx(op.move, 4)], [0xe358, rxy(op.move, 32, 4)], [0x48, rx(op.move, 2)], [0xe378, rxy(op.move, 32, 2)],
  [0xe304, rxy(op.move, 64, 8)], [0xe314, rxy(op.move, 64, 4)], [0xe316, rxy(op.move, 64, 4, false)],
  [0xe315, rxy(op.move, 64, 2)], [0xe391, rxy(op.move, 64, 2, false)], [0xe377, rxy(op.move, 64, 1)],
  [0xe390, rxy(op.move, 64, 1, false)], [0xe376, rxy(op.move, 32, 1)], [0xe394, rxy(op.move, 32, 1, false)],
  [0xe395, rxy(op.move, 32, 2, false)], [0xa78, ri(op.move, 32)], [0xa79, ri(op.move, 64)],
  [0xc01, ril(op.move, 64)], [0xc48, rel(op.move, 64, 8)], [0xc4c, rel(op.move, 64, 4)],
  [0xc4e, rel(op.move, 64, 4, false)], [0xc4d, rel(op.move, 32, 4)], [0xc44, rel(op.move, 64, 2)],
  [0xc45, rel(op.move, 32, 2)], [0xc46, rel(op.move, 64, 2, false)], [0xc42, rel(op.move, 32, 2, false)],
]; // prettier-ignore

const INSTRUCTIONS: ReadonlyMap<number, Instruction> = new Map([
  ...ARITHMETIC,
  ...ACCESSES,
  ...BRANCHES,
  ...IMMEDIATES,
  ...SHIFTS,
]);

export function instructionOf({ opcode }: Operands): Instruction | undefined {
  return INSTRUCTIONS.get(opcode);
}
