/** Jumps within a function and its end. Distances of forward jumps are filled in once all slots are placed. */
import * as isa from '../../../isa/opcodes.js';
import { cmnImmediate, cmp, cmpImmediate, tst, tstImmediate } from '../encode/arithmetic.js';
import { branch, branchIf } from '../encode/branch.js';
import {
  maybeAddSubImmediate,
  maybeLogicalImmediate,
  maybeLongDistance,
  maybeShortDistance,
} from '../encode/immediates.js';
import * as cond from '../encode/registers.js';
import { MACHINE_REGISTER, TMP1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadNumber } from './constants.js';

/** Condition by BPF operation (opcode bits 4–7), -1 where there is none. */
const CONDITION: readonly number[] = [
  -1, // JA
  cond.EQ,
  cond.HI, // JGT
  cond.CS, // JGE
  cond.NE, // JSET
  cond.NE,
  cond.GT,
  cond.GE,
  -1, // CALL
  -1, // EXIT
  cond.CC, // JLT
  cond.LS, // JLE
  cond.LT,
  cond.LE,
  -1, // JCOND: rewritten before the JIT
  -1, // TAIL_CALL
];

/** Lowers a jump at slot `i`, conditional or not; false for an opcode that is none. */
export function lowerJump(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.JMP;
  if (opcode === (isa.JMP | isa.JA) || opcode === (isa.JMP32 | isa.JA)) {
    jumpTo(s, i + 1 + (wide ? instructions.off(i) : instructions.imm(i)), -1);
    return true;
  }
  const condition = CONDITION[opcode >> 4]!;
  if (condition < 0) return false;
  const rn = MACHINE_REGISTER[instructions.dst(i)]!;
  const test = (opcode & isa.OP_MASK) === isa.JSET;
  if ((opcode & isa.X) !== 0) {
    const rm = MACHINE_REGISTER[instructions.src(i)]!;
    s.put(test ? tst(wide, rn, rm) : cmp(wide, rn, rm));
  } else if (test) testNumber(s, wide, rn, instructions.imm(i));
  else compareNumber(s, wide, rn, instructions.imm(i));
  jumpTo(s, i + 1 + instructions.off(i), condition);
  return true;
}

/** The program's end: falls into the epilogue from the last slot, branches to it from any other. */
export function lowerExit(s: FunctionState, i: number): void {
  const last = s.fn.instructions.length - 1;
  if (i !== last) jumpTo(s, last + 1, -1);
}

function compareNumber(s: FunctionState, wide: boolean, rn: number, value: number): void {
  const plus = maybeAddSubImmediate(value);
  const minus = maybeAddSubImmediate(-value | 0);
  if (plus !== null) s.put(cmpImmediate(wide, rn, plus));
  else if (minus !== null) s.put(cmnImmediate(wide, rn, minus));
  else {
    loadNumber(s, wide, TMP1, value);
    s.put(cmp(wide, rn, TMP1));
  }
}

function testNumber(s: FunctionState, wide: boolean, rn: number, value: number): void {
  const mask = maybeLogicalImmediate(wide, value >> 31, value);
  if (mask !== null) {
    s.put(tstImmediate(wide, rn, mask));
    return;
  }
  loadNumber(s, wide, TMP1, value);
  s.put(tst(wide, rn, TMP1));
}

/** A branch to a slot (the slot count: the epilogue), its distance left open; -1 is no condition. */
function jumpTo(s: FunctionState, slot: number, condition: number): void {
  s.pending.push(s.code.length, slot);
  s.put(condition < 0 ? branch(maybeLongDistance(0)!) : branchIf(condition, maybeShortDistance(0)!));
}

/** Fills in the distances; false where one does not fit its instruction. */
export function resolveJumps(s: FunctionState): boolean {
  const { pending, starts } = s;
  const { words } = s.code;
  for (let k = 0; k < pending.length; k += 2) {
    const at = pending[k]!;
    const target = starts[pending[k + 1]!];
    if (target === undefined) throw new RangeError(`slot ${pending[k + 1]} is outside the function`);
    const word = words[at]!;
    const short = word >>> 26 !== 0x05; // B has its own major opcode
    const away = short ? maybeShortDistance(target - at) : maybeLongDistance(target - at);
    if (away === null) return false;
    words[at] = short ? word | ((away & 0x7ffff) << 5) : word | (away & 0x3ffffff);
  }
  return true;
}
