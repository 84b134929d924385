/** What the compiler is asked and what it answers: the contract's messages (proto/bpfjit/v1) as the core sees them. */
import type { Failure } from './outcome.js';
import type { CpuFacts } from './jit/architecture.js';
import type { CodeRelocation, ExceptionEntry } from './jit/program.js';
import type { ListedInstruction } from './link/listing.js';
import type { MapSpec } from './load/program.js';

export interface RawMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly innerMap: RawMap | null;
}

export interface RawProgram {
  readonly name: string;
  readonly type: number;
  readonly expectedAttachType: number;
  readonly instructions: Uint8Array;
  readonly maps: readonly RawMap[];
  readonly btf: Uint8Array;
  readonly funcInfo: Uint8Array;
  readonly lineInfo: Uint8Array;
  readonly license: string;
  readonly flags: number;
  readonly attachTo: string;
  readonly attachBtfId: number;
}

/** Addresses are 64-bit; they come in as hexadecimal text and are BigInt only here, at the edge. */
export interface LinkMap {
  readonly address: bigint;
  readonly valueAddress: bigint;
  readonly kernelAddress: bigint;
}
export interface Link {
  readonly functions: readonly bigint[];
  readonly maps: ReadonlyMap<string, LinkMap>;
  readonly symbols: ReadonlyMap<string, bigint>;
  readonly programAux: bigint;
}

/** A part of the way through, as `compile` tells of it. */
export type CompileStage = 'load' | 'verify' | 'rewrite' | 'jit' | 'link';

/** A BPF program that the request's programs are attached to: exactly one of `program` and `name`. */
export interface AttachProgram {
  readonly program: RawProgram | null;
  /** Its object; the request's own where null. */
  readonly object: Uint8Array | null;
  /** Its name in the object. */
  readonly name: string;
  /** The function of it that an object's programs are attached to; '' where their sections name it. */
  readonly function: string;
  /** What it is attached to itself. */
  readonly attachProgram: AttachProgram | null;
}

export interface CompileRequest {
  /** An ELF object, or null where `program` is given. */
  readonly object: Uint8Array | null;
  /** Which programs of the object, by function name; all that load by default where empty. */
  readonly programs: readonly string[];
  readonly program: RawProgram | null;
  readonly attachProgram?: AttachProgram | null;
  /** Features of the processor that change code; what is missing is as the profile's kernel has it. */
  readonly cpu: CpuFacts;
  /** The architecture whose features those are, where the request names it. */
  readonly cpuArchitecture?: string | null;
  /** bpf(2)'s log level bits 1, 2, 4; 0 for no log. */
  readonly logLevel: number;
  /** Take the `maps` section that libbpf 1.x refuses. */
  readonly legacyMaps: boolean;
  /** What the process may do that loads (CAP_… of targets/capabilities.ts, effective); everything by default. */
  readonly capabilities?: number;
  /** Answer each function's `instructions`, too. */
  readonly listing?: boolean;
  readonly link: Link | null;
}

export interface VerifierStats {
  readonly processedInstructions: number;
  readonly maxStatesPerInstruction: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly markRead: number;
  /** Bytes of stack of each subprogram. */
  readonly stackDepths: readonly number[];
}

export interface LineEntry {
  /** Byte offset in the function's code. */
  readonly offset: number;
  /** Index of the translated instruction (in the whole program), and of the one handed in (-1: none). */
  readonly translated: number;
  readonly instruction: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface FunctionResult {
  readonly name: string;
  readonly address: bigint | null;
  readonly code: Uint8Array;
  readonly exceptionTable: readonly ExceptionEntry[];
  readonly exceptionTableOffset: number;
  readonly relocations: readonly CodeRelocation[];
  readonly lines: readonly LineEntry[];
  /** Where it was asked for: the BPF instructions, to show beside the code. */
  readonly instructions?: readonly ListedInstruction[];
}

export interface ProgramResult {
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly accepted: boolean;
  readonly errno: number;
  readonly failure: Failure | null;
  readonly log: string;
  readonly stats: VerifierStats | null;
  readonly instructions: Uint8Array;
  readonly translated: Uint8Array;
  readonly functions: readonly FunctionResult[];
  /** Accepted, and left to the kernel's interpreter: there is no code. */
  readonly interpreted: boolean;
}

export interface CompileResponse {
  readonly programs: readonly ProgramResult[];
  readonly maps: readonly MapSpec[];
  /** The object as a whole could not be loaded. */
  readonly failure: Failure | null;
}
