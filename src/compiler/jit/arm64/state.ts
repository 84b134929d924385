/** One function on its way to code: what every lowering reads and writes. */
import type { Address } from '../address.js';
import type { ResolvedLink } from '../architecture.js';
import type { CodeRelocation, JitFunction, SymbolRef } from '../program.js';
import { CodeBuffer } from './code-buffer.js';
import type { CpuFeatures, KernelOffsets } from './target.js';

export interface JitOptions {
  readonly cpu: CpuFeatures;
  readonly offsets: KernelOffsets;
  /** The kernel's JIT knows jumps of 32-bit offsets, which its verifier may take all the same. */
  readonly longJumps: boolean;
  /** Null: position-independent code with relocations. */
  readonly link: Pick<ResolvedLink, 'functions' | 'callBase' | 'arena'> | null;
}

/** The code of one BPF instruction has at most this many words (a tail call in an exception boundary: 33). */
export const LONGEST_LOWERING = 48;

export class FunctionState {
  readonly code: CodeBuffer;
  /** First word of each slot, and of the epilogue behind the last. */
  readonly starts: Uint32Array;
  /** Callee-saved registers in the order they are pushed; empty for exception boundaries and callbacks, which save all. */
  saved: readonly number[] = [];
  /** BPF stack, rounded up to what SP must be aligned to. */
  readonly stackBytes: number;
  /** Forward branches: word index, target slot, alternating. */
  readonly pending: number[] = [];
  /** Calls that came out as a single BL, by word index: the kernel's first estimate counts four words for them. */
  readonly nearCalls: number[] = [];
  /** Words that may fault, and the register zeroed then, alternating. */
  readonly faults: number[] = [];
  readonly relocations: CodeRelocation[] = [];
  /** The image's own address, or null. */
  readonly address: Address | null;

  constructor(
    readonly fn: JitFunction,
    readonly index: number,
    readonly options: JitOptions,
    /** Index of the arena's map, -1 where the program has none. */
    readonly arenaMap: number,
    /** The program has no other function. */
    readonly isAlone: boolean,
  ) {
    const slots = fn.instructions.length;
    this.code = new CodeBuffer(2 * slots + LONGEST_LOWERING);
    this.starts = new Uint32Array(slots + 1);
    this.stackBytes = (fn.stackDepth + 15) & ~15;
    this.address = options.link?.functions[index] ?? null;
  }

  put(instruction: number): void {
    this.code.put(instruction);
  }

  /** Notes that the word about to be put is to be completed by a linker. */
  relocate(type: string, symbol: SymbolRef): void {
    const addend = 'addend' in symbol ? symbol.addend : 0;
    this.relocations.push({ offset: this.code.length * 4, type, symbol, addend });
  }
}
