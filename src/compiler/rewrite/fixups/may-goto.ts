/**
 * may_goto, the jump that ends a loop at the latest after BPF_MAX_LOOPS rounds (since Linux 6.9).
 *
 * Each function that has one counts down in a stack slot of its own, below the rest of its stack:
 *
 *     ax = *(u64 *)(r10 - slot);  if ax == 0 goto target;  ax -= 1;  *(u64 *)(r10 - slot) = ax
 *
 * and starts with setting it. Jumps to the function's first instruction do not set it again; calls do.
 */
import * as isa from '../../isa/opcodes.js';
import { MAX_LOOPS } from '../bpf-loop.js';
import type { Draft, DraftFunction } from '../draft.js';
import type { Patches } from '../splice.js';
import { branchTarget, Sequence } from '../sequence.js';
import type { Fixup } from './fixup.js';

export const countMayGoto: Fixup = (context, i) => {
  const { insns } = context.draft;
  if (insns.opcode(i) !== (isa.JMP | isa.JCOND) || insns.src(i) !== 0) return null;
  context.usesMayGoto = true;
  const slot = -context.stackDepth - 8;
  return new Sequence()
    .load(isa.DW, isa.AX, isa.R10, slot)
    .jumpOut(isa.JEQ, isa.AX, 0, branchTarget(insns, i))
    .alu64Imm(isa.SUB, isa.AX, 1)
    .store(isa.DW, isa.R10, isa.AX, slot);
};

/** What sets the counters of these functions, whose stack depth includes the slot. */
export function initMayGotoCounters(draft: Draft, functions: Iterable<DraftFunction>): Patches {
  const patches: Patches = new Map();
  for (const fn of functions) {
    const sequence = new Sequence().storeImm(isa.DW, isa.R10, -fn.stackDepth, MAX_LOOPS).copy(draft, fn.start);
    sequence.landOnLast = true;
    patches.set(fn.start, sequence);
  }
  return patches;
}
