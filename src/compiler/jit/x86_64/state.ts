/** One function on its way to code: what every lowering reads and writes. */
import type { Address } from '../address.js';
import type { ResolvedLink } from '../architecture.js';
import type { CodeRelocation, JitFunction, SymbolRef } from '../program.js';
import { CodeBuffer } from './code-buffer.js';
import type { BuildFeatures, CpuFeatures, KernelOffsets } from './cpu.js';

export interface JitOptions {
  readonly cpu: CpuFeatures;
  readonly build: BuildFeatures;
  readonly offsets: KernelOffsets;
  /** What loads through kernel pointers must lie above: the end of user addresses. */
  readonly userEnd: Address;
  /** Whether a function that is called (its address, or where that is null its symbol) has calls counted by its callers or by itself. */
  readonly countsItself: (target: Address | null, symbol: SymbolRef) => boolean;
  /** Null: position-independent code with relocations. */
  readonly link: ResolvedLink | null;
}

/** The code of one BPF instruction, or of entering the function, has at most this many bytes. */
export const LONGEST_LOWERING = 128;

/** A jump's kind where it is none of the conditions: one that may vanish, and one to the function's end, which never does. */
export const ALWAYS = 16;
export const TO_EXIT = 17;
/** A target that is the jump itself. */
export const SELF = -1;

/**
 * Jumps have no bytes in `code`: how long each is depends on all others (layout.ts). An offset in `code` goes with the number of jumps before
 * it, which together tell its place in the end.
 */
export class FunctionState {
  readonly code: CodeBuffer;
  /** Offset in `code` of each slot, and of the end. */
  readonly starts: Uint32Array;
  /** Jumps before each slot, and before the end. */
  readonly jumpsBefore: Uint32Array;
  /** Of each jump: its offset in `code`, its slot, the slot it goes to (or SELF), its kind (a condition, ALWAYS or TO_EXIT). */
  readonly jumpAt: number[] = [];
  readonly jumpSlot: number[] = [];
  readonly jumpTarget: number[] = [];
  readonly jumpKind: number[] = [];
  /** 32-bit distances to fill in: offset in `code` and jumps before, alternating; what each leads to. */
  readonly distanceAt: number[] = [];
  readonly distanceTo: Address[] = [];
  /** Accesses that may fault: offset, jumps before, length, register zeroed then (-1: none), one behind the other. */
  readonly faults: number[] = [];
  /** Relocations with their offsets in `code`, and the number of jumps before each. */
  readonly relocations: CodeRelocation[] = [];
  readonly relocationJumps: number[] = [];
  /** Which of BPF's R6 to R9 are saved, by their machine registers. */
  saved: readonly number[] = [];
  /** The slot of the first exit, where the function is left; -1 before it. */
  exitSlot = -1;
  /** BPF stack, rounded up to whole words. */
  readonly stackBytes: number;
  /** The image's own address, or null. */
  readonly address: Address | null;

  constructor(
    readonly fn: JitFunction,
    readonly index: number,
    readonly options: JitOptions,
    /** Index of the arena's map, -1 where the program has none. */
    readonly arenaMap: number,
    /** The program has other functions. */
    readonly hasOthers: boolean,
  ) {
    const slots = fn.instructions.length;
    this.code = new CodeBuffer(5 * slots + 2 * LONGEST_LOWERING);
    this.starts = new Uint32Array(slots + 1);
    this.jumpsBefore = new Uint32Array(slots + 1);
    this.stackBytes = (fn.stackDepth + 7) & ~7;
    this.address = options.link?.functions[index] ?? null;
  }

  jump(slot: number, target: number, kind: number): void {
    this.jumpAt.push(this.code.length);
    this.jumpSlot.push(slot);
    this.jumpTarget.push(target);
    this.jumpKind.push(kind);
  }

  /** Notes that the 32 bits at `at`, the last before instructions go on, are the distance from there to `target`. */
  leadTo(at: number, target: Address): void {
    this.distanceAt.push(at, this.jumpAt.length);
    this.distanceTo.push(target);
  }

  /** Notes that the bytes from `at` on are to be completed by a linker. */
  relocate(at: number, type: string, symbol: SymbolRef, addend: number): void {
    this.relocations.push({ offset: at, type, symbol, addend });
    this.relocationJumps.push(this.jumpAt.length);
  }

  /** Notes that an access which may fault begins at `at` and ends here; a fault zeroes `register` (-1: none). */
  mayFault(at: number, register: number): void {
    this.faults.push(at, this.jumpAt.length, this.code.length - at, register);
  }
}
