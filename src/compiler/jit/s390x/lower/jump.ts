/** Jumps within a function and its end: short where they reach by what the walk before found, else long. */
import * as isa from '../../../isa/opcodes.js';
import { branchLong, branchShort, compareAndBranch, ril, rr, rre, rrf } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { MACHINE_REGISTER, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';

/** Masks of condition codes after a comparison (8 equal, 4 low, 2 high) by BPF operation (opcode bits 4–7); 0: no comparison. */
const MASK: readonly number[] = [
  0, // JA
  8,
  2, // JGT
  10, // JGE
  7, // JSET: not all zero
  7,
  2, // JSGT
  10, // JSGE
  0, // CALL
  0, // EXIT
  4, // JLT
  12, // JLE
  4, // JSLT
  12, // JSLE
  0, // JCOND: rewritten before the JIT
  0, // TAIL_CALL
];
const ALWAYS = 15;

/** Lowers a jump at slot `i`, conditional or not; false for an opcode that is none. */
export function lowerJump(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.JMP;
  const operation = opcode & isa.OP_MASK;
  if (opcode === (isa.JMP | isa.JA) || opcode === (isa.JMP32 | isa.JA)) {
    if (!wide && !s.options.longJumps) return false;
    branch(s, ALWAYS, target(s, i, wide ? instructions.off(i) : instructions.imm(i)));
    return true;
  }
  const mask = MASK[operation >> 4]!;
  if (mask === 0) return false;
  const to = target(s, i, instructions.off(i));
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  if (operation === isa.JSET) {
    testBits(s, i, opcode, wide, rd);
    branch(s, mask, to);
  } else if ((opcode & isa.X) !== 0) {
    compare(s, wide, isSigned(operation), rd, MACHINE_REGISTER[instructions.src(i)]!, mask, to);
  } else if (isSigned(operation)) {
    ril(s.code, wide ? op.CGFI : op.CFI, rd, instructions.imm(i));
    branch(s, mask, to);
  } else {
    ril(s.code, op.LGFI, WORK1, instructions.imm(i));
    compare(s, wide, false, rd, WORK1, mask, to);
  }
  return true;
}

/** The program's end: falls into the epilogue from the last slot, branches to it from any other. */
export function lowerExit(s: FunctionState, i: number): void {
  if (i !== s.fn.instructions.length - 1) branch(s, ALWAYS, s.layout.exit);
}

function isSigned(operation: number): boolean {
  return operation === isa.JSGT || operation === isa.JSGE || operation === isa.JSLT || operation === isa.JSLE;
}

/** First byte of the slot that a jump at slot `i` goes to. */
function target(s: FunctionState, i: number, off: number): number {
  const start = s.starts[i + off + 1];
  if (start === undefined) throw new RangeError(`slot ${i + off + 1} is outside the function`);
  return start;
}

/** Leaves a condition code of 0 where no bit is set in both operands. */
function testBits({ code, fn }: FunctionState, i: number, opcode: number, wide: boolean, rd: number): void {
  const { instructions } = fn;
  if ((opcode & isa.X) !== 0) {
    rrf(code, wide ? op.NGRK : op.NRK, WORK1, rd, MACHINE_REGISTER[instructions.src(i)]!);
    return;
  }
  ril(code, wide ? op.LGFI : op.LLILF, WORK1, instructions.imm(i));
  if (wide) rre(code, op.NGR, WORK1, rd);
  else rr(code, op.NR, WORK1, rd);
}

function branch(s: FunctionState, mask: number, to: number): void {
  if (s.reaches(to)) branchShort(s.code, mask, s.distanceTo(to));
  else branchLong(s.code, mask, s.distanceTo(to));
}

/** Compares two registers and branches: one instruction within its reach, else two. */
function compare(
  s: FunctionState,
  wide: boolean,
  signed: boolean,
  rd: number,
  rm: number,
  mask: number,
  to: number,
): void {
  const { code } = s;
  if (s.reaches(to)) {
    const both = signed ? (wide ? op.CGRJ : op.CRJ) : wide ? op.CLGRJ : op.CLRJ;
    compareAndBranch(code, both, rd, rm, mask, s.distanceTo(to));
    return;
  }
  if (wide) rre(code, signed ? op.CGR : op.CLGR, rd, rm);
  else rr(code, signed ? op.CR : op.CLR, rd, rm);
  branchLong(code, mask, s.distanceTo(to));
}
