import * as op from '../../isa/opcodes.js';

/** Operations of ALU and ALU64 with two operands. */
const ALU_BINARY = [op.ADD, op.SUB, op.MUL, op.DIV, op.OR, op.AND, op.LSH, op.RSH, op.MOD, op.XOR, op.MOV, op.ARSH];
const COMPARISONS = [op.JEQ, op.JGT, op.JGE, op.JSET, op.JNE, op.JSGT, op.JSGE, op.JLT, op.JLE, op.JSLT, op.JSLE];

/** Opcodes that a program may use (bpf_opcode_in_insntable, Linux 6.12). */
const OPCODES: ReadonlySet<number> = new Set([
  ...ALU_BINARY.flatMap((o) => [op.ALU, op.ALU64].flatMap((c) => [c | o | op.K, c | o | op.X])),
  op.ALU | op.NEG,
  op.ALU64 | op.NEG,
  op.ALU | op.END | op.K,
  op.ALU | op.END | op.X,
  op.ALU64 | op.END | op.K,
  ...COMPARISONS.flatMap((o) => [op.JMP, op.JMP32].flatMap((c) => [c | o | op.K, c | o | op.X])),
  op.JMP | op.JA,
  op.JMP32 | op.JA,
  op.JMP | op.CALL,
  op.JMP | op.EXIT,
  op.JMP | op.JCOND,
  ...[op.B, op.H, op.W, op.DW].flatMap((s) => [op.STX | op.MEM | s, op.ST | op.MEM | s, op.LDX | op.MEM | s]),
  ...[op.B, op.H, op.W].flatMap((s) => [op.LDX | op.MEMSX | s, op.LD | op.ABS | s, op.LD | op.IND | s]),
  op.STX | op.ATOMIC | op.W,
  op.STX | op.ATOMIC | op.DW,
  op.LD_IMM64,
]);

export function isOpcode(opcode: number): boolean {
  return OPCODES.has(opcode);
}
