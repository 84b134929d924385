/**
 * Turns calls of bpf_loop into loops of the program (since Linux 5.17).
 *
 * Where every path to the call passes the same callback and zero flags, the helper's indirect call is replaced by a
 * counted loop around a direct call:
 *
 *          if r1 <= BPF_MAX_LOOPS goto spill;  w0 = -E2BIG;  goto done
 *     spill: keep r6, r7, r8 on the stack
 *          r6 = r1 (count);  w7 = 0 (index);  r8 = r3 (context)
 *     head: if r7 >= r6 goto end;  r1 = r7;  r2 = r8;  call callback;  r7 += 1;  if r0 == 0 goto head
 *     end: r0 = r7;  restore r6, r7, r8
 *     done:
 *
 * The function's stack grows by three slots, once, behind its depth rounded up to 8.
 */
import * as isa from '../isa/opcodes.js';
import { E2BIG } from '../verify/errno.js';
import { functionEnd, type Draft, type DraftFunction } from './draft.js';
import { type Patches } from './splice.js';
import { Sequence } from './sequence.js';
import * as helper from '../targets/helper-ids.js';

/** BPF_MAX_LOOPS. */
export const MAX_LOOPS = 8 * 1024 * 1024;

export function inlineLoops(draft: Draft): Patches {
  const patches: Patches = new Map();
  draft.functions.forEach((fn, f) => {
    const end = functionEnd(draft, f);
    const roundUp = -fn.stackDepth & 7;
    const extra = 3 * 8 + roundUp;
    let used = false;
    for (let i = fn.start; i < end; i++) {
      if (!isInlinableLoop(draft, i)) continue;
      const callback = draft.functions[draft.facts[i]!.callbackSubprog]!;
      patches.set(i, loop(-(fn.stackDepth + extra), callback));
      used = true;
    }
    if (used) fn.stackDepth += extra;
  });
  return patches;
}

function isInlinableLoop(draft: Draft, i: number): boolean {
  const { insns } = draft;
  return (
    insns.opcode(i) === (isa.JMP | isa.CALL) &&
    insns.src(i) === 0 &&
    insns.imm(i) === helper.LOOP &&
    draft.facts[i]!.loopInline
  );
}

/** `stackBase`: offset from the frame pointer of the lowest of the three slots. */
function loop(stackBase: number, callback: DraftFunction): Sequence {
  const [slot6, slot7, slot8] = [stackBase, stackBase + 8, stackBase + 16];
  return new Sequence()
    .jumpImm(isa.JLE, isa.R1, MAX_LOOPS, 2)
    .mov32Imm(isa.R0, -E2BIG)
    .ja(16)
    .store(isa.DW, isa.R10, isa.R6, slot6)
    .store(isa.DW, isa.R10, isa.R7, slot7)
    .store(isa.DW, isa.R10, isa.R8, slot8)
    .mov64(isa.R6, isa.R1)
    .mov32Imm(isa.R7, 0)
    .mov64(isa.R8, isa.R3)
    .jump(isa.JGE, isa.R7, isa.R6, 5)
    .mov64(isa.R1, isa.R7)
    .mov64(isa.R2, isa.R8)
    .callFunction(callback.start)
    .alu64Imm(isa.ADD, isa.R7, 1)
    .jumpImm(isa.JEQ, isa.R0, 0, -6)
    .mov64(isa.R0, isa.R7)
    .load(isa.DW, isa.R6, isa.R10, slot6)
    .load(isa.DW, isa.R7, isa.R10, slot7)
    .load(isa.DW, isa.R8, isa.R10, slot8);
}
