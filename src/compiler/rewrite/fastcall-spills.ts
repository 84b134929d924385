/**
 * Removes the spills and fills around calls of `bpf_fastcall` functions (since Linux 6.12).
 *
 * A compiler that does not know whether the kernel honours the attribute saves its registers around such a call:
 *
 *     *(u64 *)(r10 - 8) = r1;  call f;  r1 = *(u64 *)(r10 - 8)
 *
 * Where the verifier recognised the whole pattern, the stores and loads become `ja +0`, which go with the other
 * no-operations. If all of a function's fast-call slots are used for nothing else, its stack shrinks by them.
 */
import * as isa from '../isa/opcodes.js';
import type { Subprogram } from '../verify/env.js';
import { functionEnd, type Draft } from './draft.js';

export function removeFastcallSpills(draft: Draft, subprograms: readonly Subprogram[]): void {
  draft.functions.forEach((fn, f) => {
    const subprogram = subprograms[f]!;
    const end = functionEnd(draft, f);
    let modified = false;
    for (let i = fn.start; i < end; i++) {
      const spills = draft.facts[i]!.fastcallSpills;
      for (let k = 1; k <= spills; k++) {
        draft.insns.set(i - k, isa.JMP | isa.JA, 0, 0, 0, 0);
        draft.insns.set(i + k, isa.JMP | isa.JA, 0, 0, 0, 0);
      }
      modified ||= spills > 0;
    }
    if (modified && !subprogram.keepFastcallStack) fn.stackDepth = -subprogram.fastcallStackOff;
  });
}
