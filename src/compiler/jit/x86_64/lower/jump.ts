/** Jumps within a function and its end. How long they are is decided once all slots are known (layout.ts). */
import * as isa from '../../../isa/opcodes.js';
import * as a from '../encode/arithmetic.js';
import * as c from '../encode/control.js';
import { MACHINE_REGISTER } from '../registers.js';
import { ALWAYS, SELF, TO_EXIT, type FunctionState } from '../state.js';
import { leaveFunction } from './frame.js';

/** Condition by BPF operation (opcode bits 4–7), -1 where there is none. */
const CONDITION: readonly number[] = [
  -1, // JA
  c.EQUAL,
  c.ABOVE, // JGT
  c.ABOVE_EQUAL, // JGE
  c.NOT_EQUAL, // JSET
  c.NOT_EQUAL,
  c.GREATER,
  c.GREATER_EQUAL,
  -1, // CALL
  -1, // EXIT
  c.BELOW, // JLT
  c.BELOW_EQUAL, // JLE
  c.LESS,
  c.LESS_EQUAL,
  -1, // JCOND: rewritten before the JIT
  -1, // TAIL_CALL
];

/** Lowers a jump at slot `i`, conditional or not; false for an opcode that is none. */
export function lowerJump(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.JMP;
  if (opcode === (isa.JMP | isa.JA) || opcode === (isa.JMP32 | isa.JA)) {
    const away = wide ? instructions.off(i) : instructions.imm(i);
    s.jump(i, away === -1 ? SELF : i + 1 + away, ALWAYS);
    return true;
  }
  const condition = CONDITION[opcode >> 4]!;
  if (condition < 0) return false;
  const rn = MACHINE_REGISTER[instructions.dst(i)]!;
  const imm = instructions.imm(i);
  const isTest = (opcode & isa.OP_MASK) === isa.JSET;
  if ((opcode & isa.X) !== 0) {
    const rm = MACHINE_REGISTER[instructions.src(i)]!;
    if (isTest) a.test(s.code, wide, rn, rm);
    else a.arithmetic(s.code, a.CMP, wide, rn, rm);
  } else if (isTest) a.testNumber(s.code, wide, rn, imm);
  else if (imm === 0) a.test(s.code, wide, rn, rn);
  else a.compareNumber(s.code, wide, rn, imm);
  s.jump(i, i + 1 + instructions.off(i), condition);
  return true;
}

/** The first exit leaves the function; all others jump to it. */
export function lowerExit(s: FunctionState, i: number): void {
  if (s.exitSlot >= 0) s.jump(i, s.exitSlot, TO_EXIT);
  else {
    s.exitSlot = i;
    leaveFunction(s);
  }
}
