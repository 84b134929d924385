/**
 * bpf_tail_call(ctx, array, index): leaves this function's frame and jumps into array->ptrs[index], behind its set-up of the
 * count. Goes on behind the call where the index is out of range, the slot is empty or the count is used up.
 */
import {
  branchLong,
  branchShort,
  branchTo,
  compareAndBranch,
  compareNumberAndBranch,
  ri,
  rre,
  rsy,
  rxy,
} from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { MACHINE_REGISTER, NONE, STACK, WORK0, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { countOffset, restoreRegisters, TAIL_CALL_ENTRY } from './frame.js';

/** Most tail calls in a row (MAX_TAIL_CALL_CNT, since Linux 5.16). */
const MAX_TAIL_CALLS = 33;

/** Masks of condition codes after a comparison. */
const EQUAL = 8;
const HIGH = 2;
const NOT_LOW = 10;

export function lowerTailCall(s: FunctionState): void {
  const { code, options } = s;
  const { offsets } = options;
  const array = MACHINE_REGISTER[2]!;
  const slot = MACHINE_REGISTER[3]!;
  rxy(code, op.LLGF, WORK1, NONE, array, offsets.arrayMaxEntries);
  const outOfRange = code.length;
  compareAndBranch(code, op.CLRJ, slot, WORK1, NOT_LOW, 0);

  ri(code, op.LHI, WORK0, 1);
  rsy(code, op.LAAL, WORK1, WORK0, STACK, countOffset(s));
  const tooMany = code.length;
  compareNumberAndBranch(code, op.CLIJ, WORK1, MAX_TAIL_CALLS - 1, HIGH, 0);

  rre(code, op.LLGFR, WORK1, slot);
  rsy(code, op.SLLG, WORK1, WORK1, NONE, 3);
  rxy(code, op.LTG, WORK1, array, WORK1, offsets.arrayPointers);
  const empty = code.length;
  branchShort(code, EQUAL, 0);

  restoreRegisters(s);
  rxy(code, op.LG, WORK1, WORK1, NONE, offsets.programFunction);
  if (options.cpu.expolines) {
    s.calls = true; // the function has the thunk that calls go through
    ri(code, op.AGHI, WORK1, TAIL_CALL_ENTRY);
    branchLong(code, 15, s.distanceTo(s.layout.thunk));
  } else branchTo(code, WORK1, TAIL_CALL_ENTRY);

  landHere(s, outOfRange);
  landHere(s, tooMany);
  landHere(s, empty);
}

/** Lets the branch at byte `at`, whose distance is in its second half-word, come out here. */
function landHere({ code }: FunctionState, at: number): void {
  code.setHalf(at + 2, (code.length - at) >> 1);
}
