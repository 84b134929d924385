/**
 * The seam behind which everything stands that one processor architecture does differently from another. The rest of the
 * compiler knows this interface and the table in architectures.ts, and names no architecture.
 *
 * What the *verifier* and the rewrites must know of a kernel's JIT (which helpers it inlines, whether it wants results
 * zero-extended …) is recorded with the kernel, not asked here.
 */
import type { ByteOrder } from '../bytes/byte-order.js';
import type { ByteReader } from '../bytes/reader.js';
import type { Outcome } from '../outcome.js';
import type { Profile } from '../targets/profile.js';
import type { Address } from './address.js';
import type { CompiledFunction, JitProgram } from './program.js';

/** Where a program's arena lies. */
export interface ArenaAddresses {
  /** Start of its mapping in the kernel (kern_vm_start). */
  readonly kernel: Address;
  /** Start of its mapping in the user's process, of which code embeds the upper half. */
  readonly user: Address;
}

/** The addresses that code depends on, apart from those in immediates. */
export interface ResolvedLink {
  /** The image of each function, main program first; functions at the end that nothing refers to may be left out. */
  readonly functions: readonly Address[];
  /** __bpf_call_base: what the immediates of calls count from. */
  readonly callBase: Address;
  /** Null where the program has no arena, or nobody knows where it lies. */
  readonly arena: ArenaAddresses | null;
  /** Where the kernel has a symbol that code refers to by itself (a thunk, an entry point), or null. */
  symbol(name: string): Address | null;
}

/** Features of a processor and its mitigations that change code, by name, as requests and manifests have them. */
export type CpuFacts = Readonly<Record<string, boolean | number | string>>;

export interface CompileOptions {
  readonly profile: Profile;
  /** What a request says of the processor; what it leaves out is as the profile's kernel has it. */
  readonly cpu: CpuFacts;
  /** Null: position-independent code with relocations. */
  readonly link: ResolvedLink | null;
}

/** An ELF file's numbers and relocation types for an architecture. */
export interface ElfFacts {
  /** e_machine and e_flags. */
  readonly machine: number;
  readonly flags: number;
  /** The types of relocations, by the names that its ELF supplement gives them. */
  readonly relocations: Readonly<Record<string, number>>;
  /** Of these, the ones for data: an address in 64 and in 32 bits, and a 32-bit distance from the place itself. */
  readonly absolute64: string;
  readonly absolute32: string;
  readonly relative32: string;
  /** Local symbols that tell disassemblers where code and where data begins, where the supplement has such. */
  readonly mappingSymbols: { readonly code: string; readonly data: string } | null;
  /** The kernel's symbol whose address stands in the 8 bytes behind each function, or null where nothing does. */
  readonly addressBehind: string | null;
}

/** An instruction as a disassembler tells it: its bytes, and its text. */
export interface DisassembledInstruction {
  readonly size: number;
  readonly mnemonic: string;
  readonly opStr: string;
}

export interface Architecture {
  /** As manifests and answers name it. */
  readonly name: string;
  /** The setting of a kernel's configuration that says that it is built for this architecture. */
  readonly kernelSetting: string;
  readonly byteOrder: ByteOrder;
  /** Names of the features that `CompileOptions.cpu` may have. */
  readonly cpuFeatures: readonly string[];
  /** Instructions are multiples of this many bytes: also the unit in which data among them is shown. */
  readonly instructionUnit: 1 | 2 | 4;
  readonly elf: ElfFacts;
  /** Names of capstone's constants for it; null where capstone's build for JavaScript lacks it. */
  readonly capstone: { readonly architecture: string; readonly modes: readonly string[] } | null;
  /**
   * Stands in for capstone: as many instructions as it knows from the start of `code` on, whose first byte lies at `address`.
   * Without either, code is shown as data.
   */
  readonly disassemble?: (code: Uint8Array, address: number) => readonly DisassembledInstruction[];
  /** What kernel modules' code shows of the functions that they register. */
  readonly moduleCalls: {
    /** Numbers of the relocation types that calls of other functions have. */
    readonly relocations: readonly number[];
    /** The constant that the call whose relocation is at `offset` gets as its first argument; null where it shows none. */
    firstArgument(code: ByteReader, offset: number): number | null;
  };
  /**
   * Code of every function of a program, main program first. Fails with stage JIT where the kernel's JIT would give up:
   * BRANCH_TOO_FAR where a kernel with an interpreter may use that instead.
   */
  compile(program: JitProgram, options: CompileOptions): Outcome<readonly CompiledFunction[]>;
}
