/** The program while it is being rewritten: its length changes in splice.ts and remove.ts alone. */
import type { Instructions } from '../isa/instructions.js';
import type { LineInfo } from '../load/program.js';
import type { Facts } from '../verify/facts.js';
import type { SymbolRef } from './program.js';

/** A function of the program: instructions [start, the next one's start). */
export interface DraftFunction {
  start: number;
  /** Index among the verifier's subprograms; -1 for what the rewrites made. */
  readonly subprogram: number;
  readonly name: string;
  /** Bytes of BPF stack. */
  stackDepth: number;
  readonly isExceptionCallback: boolean;
  readonly tailCallReachable: boolean;
  /** Made by the rewrites; the kernel tells nobody of it. */
  readonly hidden: boolean;
}

/** A line of source, and the instruction that it starts at. */
export interface DraftLine {
  instruction: number;
  readonly info: LineInfo;
}

export interface Draft {
  insns: Instructions;
  facts: Facts[];
  /** Index in the program as handed in; -1 for what belongs to no instruction of it. */
  origin: Int32Array;
  /** Slot → what its immediate stands for. */
  symbols: Map<number, SymbolRef>;
  functions: DraftFunction[];
  lines: DraftLine[];
}

/** End (exclusive) of function `f`. */
export function functionEnd(draft: Draft, f: number): number {
  return draft.functions[f + 1]?.start ?? draft.insns.length;
}

/** Number of the function that starts at `start`. Throws where none does: calls only go to starts. */
export function functionAt(draft: Draft, start: number): number {
  let low = 0;
  let high = draft.functions.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (draft.functions[middle]!.start <= start) low = middle;
    else high = middle;
  }
  if (draft.functions[low]!.start !== start) throw new Error(`no function starts at instruction ${start}`);
  return low;
}
