/** What the JIT is given, and what it makes of it. */
import type { SymbolRef } from '../rewrite/program.js';

export type { ArgumentModel } from '../btf/argument-models.js';
export type { JitFunction, JitProgram, SymbolRef } from '../rewrite/program.js';

/** One entry of a function's exception table; offsets in bytes from the function's start. */
export interface ExceptionEntry {
  readonly offset: number;
  readonly resume: number;
  /** The register that a fault zeroes, by the architecture's number; a number that is no BPF register's where it zeroes none. */
  readonly register: number;
  /** Its name in the architecture's manuals; '' where none is zeroed. */
  readonly registerName: string;
  /** The kernel's struct exception_table_entry, as it is in memory. */
  readonly raw: Uint8Array;
}

/** A place in position-independent code that a linker must fill; docs/relocations.md tells how. */
export interface CodeRelocation {
  /** Of the instruction, in bytes from the function's start. */
  readonly offset: number;
  /** A name of the architecture's ELF supplement (Architecture.elf). */
  readonly type: string;
  readonly symbol: SymbolRef;
  /** What to add to the symbol's address: the symbol's own addend, where it has one. */
  readonly addend: number;
}

export interface CompiledFunction {
  readonly name: string;
  readonly code: Uint8Array;
  readonly exceptionTable: readonly ExceptionEntry[];
  /** Offset of the exception table from the function's start, 0 where there is none. */
  readonly exceptionTableOffset: number;
  readonly relocations: readonly CodeRelocation[];
  /** Byte offset of each slot's first instruction in the code. */
  readonly offsets: Uint32Array;
}
