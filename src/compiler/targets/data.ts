/**
 * A profile's files as tools/record-target writes them: JSON, one record a line. Types of registers, arguments and
 * results are numbers of types.ts; everything else is the recorded kernel's own number.
 */

/** `manifest.json`: what the kernel is. */
export interface Manifest {
  readonly name: string;
  readonly release: string;
  /** SHA-256 over the profile's other files, by name and contents. */
  readonly digest: string;
  /** The kernel's own words of its build (uname -v). */
  readonly version: string;
  /** The processor architecture, as jit/architectures.ts names it. */
  readonly architecture: string;
  /** The Debian package, or how else the kernel was reached. */
  readonly source: string;
  /** 'verified', or a sentence saying what of its answers has not been held against the kernel. */
  readonly verified: string;
  readonly pageSize: number;
  readonly virtualAddressBits: number;
  /** Hexadecimal; addresses at or above are the kernel's. "0x0": the kernel guards no user addresses. */
  readonly userLimit: string;
  readonly possibleCpus: number;
  readonly kernelHz: number;
  /** Features and mitigations of the recorded machine that change machine code, by the names that requests change them. */
  readonly cpu?: Readonly<Record<string, boolean | number | string>>;
  /** Words of /proc/cpuinfo's list of features. */
  readonly cpuFeatures: readonly string[];
  /** What the kernel's verifier and JIT can do beyond the oldest: words of docs/behaviours.md. */
  readonly features: readonly string[];
  /** Numbers of the helpers whose calls the JIT replaces. */
  readonly jitInlinedHelpers: readonly number[];
  /** The JIT needs no barriers against speculation past stores (bpf_jit_bypass_spec_v4, since 6.17 and late 6.12). */
  readonly jitBypassesSpecV4?: boolean;
  /** Hexadecimal: how far from its linked addresses, which the profile has, the kernel ran when it was recorded (KASLR). */
  readonly loadOffset: string;
  /** How many answers of this profile were put to the live kernel while it was recorded. */
  readonly asked: Readonly<Record<string, number>>;
}

/** struct bpf_func_proto. */
export interface ProtoRecord {
  /** Its own symbol, and its implementation's. */
  readonly proto: string;
  readonly symbol: string;
  readonly retType: number;
  readonly retBtfId: number;
  readonly argTypes: readonly number[];
  /** Per argument: fixed size where its type has MEM_FIXED_SIZE, else BTF id; 0 for none. */
  readonly argValues: readonly number[];
  readonly gplOnly: boolean;
  readonly pktAccess: boolean;
  readonly mightSleep: boolean;
  readonly allowFastcall: boolean;
  /** What its `allowed` says of attach points, by kind of program; null where it has none. */
  readonly allowed: readonly AllowedRule[] | null;
}

/** Programs of a type, narrowed by what the kernel tells apart; null: whatever. The first that fits counts. */
export interface KindPattern {
  readonly type: number;
  readonly attachTypes: readonly number[] | null;
  readonly attachBtfIds: readonly number[] | null;
}

/** Whether a helper may be called where such a program is attached; the first that fits counts, none refuses. */
export interface AllowedRule extends KindPattern {
  /** For programs attached to other BPF programs, for all others, or (null) for both. */
  readonly toProgram: boolean | null;
  readonly allowed: boolean;
}

export interface HelperVariant extends KindPattern {
  readonly sleepable: boolean | null;
  /** Helper number, index into `protos`, by turns. */
  readonly helpers: readonly number[];
  /** Helper number, capabilities (CAP_…) of the loading process without which it may not be called, by turns. */
  readonly needs?: readonly number[];
}

/** `helpers.json`. */
export interface HelperData {
  /** By number, without BPF_FUNC_. */
  readonly names: readonly (string | null)[];
  readonly protos: readonly ProtoRecord[];
  readonly variants: readonly HelperVariant[];
  /** Numbers of those that may move packet data. */
  readonly packetChangers: readonly number[];
}

export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
/** A sign-extending load, where the kernel answers otherwise than for a plain one. */
export const ACCESS_READ_SIGNED = 2;

/**
 * Allowed accesses: [mode, size, first offset, last offset, step, register type, field size, BTF id, note]. Where
 * `note` is not 0, such an access sets that bit of the program's notes, which conversions depend on.
 */
export type AccessRow = readonly [number, number, number, number, number, number, number, number, number];

/** Registers of a template: 0–10, or these. */
export const REGISTER_DST = 16;
export const REGISTER_SRC = 17;

/** An instruction of a template: opcode, dst, src, offset, immediate (null: the original's). */
export type TemplateInstruction = readonly [number, number, number, number, number | null];

/**
 * What an access becomes: [opcode, offset, notes, target size, choice]: `choice` is an index into `choices`, or, negative,
 * ~index of the template that fits all registers.
 */
export type ConversionRow = readonly [number, number, number, number, number];

export interface LayoutRecord {
  readonly access: readonly AccessRow[];
  readonly convert: readonly ConversionRow[];
  /** Offsets count in the function prototype of the attach point; `access` says what may be asked of it. */
  readonly btf: boolean;
  /** Prologues without and with direct packet writes (template indices, -1: none). */
  readonly prologue: readonly [number, number];
}

/** `contexts.json`. */
export interface ContextData {
  readonly templates: readonly (readonly TemplateInstruction[])[];
  /** Templates by dst * 10 + src, as runs: [template, length, …]. */
  readonly choices: readonly (readonly number[])[];
  readonly layouts: readonly LayoutRecord[];
  /** With `needs`, for processes with these capabilities alone; what others see stands behind it. */
  readonly programs: readonly (KindPattern & { readonly layout: number; readonly needs?: number })[];
  /** Socket pointers: [register type, layout]. */
  readonly pointers: readonly (readonly [number, number])[];
}

/** Kernel functions by BTF id, KF_ flags, by turns. */
export interface FunctionVariant extends KindPattern {
  readonly functions: readonly number[];
}

/** Attach types: all but those listed, where `others`; else those listed. */
export interface AttachTypes {
  readonly others: boolean;
  readonly listed: readonly number[];
}

/** A program type that the kernel has. */
export interface ProgramRecord {
  readonly type: number;
  /** Expected attach types that BPF_PROG_LOAD takes. */
  readonly attachTypes: AttachTypes;
  /** Those with which the program may be sleepable. */
  readonly sleepable: AttachTypes;
}

/** Bits of a PacketAccessRow's masks. */
export const PACKET_READ = 1;
export const PACKET_WRITE = 2;
/** A read, a write, that counts as the program writing packet data itself. */
export const PACKET_READ_NOTED = 4;
export const PACKET_WRITE_NOTED = 8;

/** A program type and what it may do with packet data: itself, through helpers with pkt_access, through other helpers. */
export type PacketAccessRow = readonly [number, number, number, number];

/** Programs that may change socket maps with a helper. */
export interface SocketMapUpdate extends KindPattern {
  readonly helper: number;
}

/** `kernel.json`: everything else that programs meet. */
export interface KernelData {
  readonly programs: readonly ProgramRecord[];
  readonly packetAccess: readonly PacketAccessRow[];
  /** Opcodes that programs may use. */
  readonly opcodes: readonly number[];
  /** Helpers with a map argument, and the map types that they take; socket maps for those of socketMapUpdates aside. */
  readonly mapHelpers: readonly (readonly [number, readonly number[]])[];
  readonly socketMapUpdates: readonly SocketMapUpdate[];
  /** Helpers without arguments whose calls the verifier replaces, and by what: [number, instructions]. */
  readonly inlinedHelpers?: readonly (readonly [number, readonly TemplateInstruction[]])[];
  /** Map types that sleepable programs may use. */
  readonly sleepableMaps: readonly number[];
  /** Registered kernel functions by hook (BTF_KFUNC_HOOK_…, its name): BTF id, KF_ flags (ours), by turns. */
  readonly functionSets: Readonly<Record<string, readonly number[]>>;
  /** Which of them each kind of program may call. */
  readonly functions: readonly FunctionVariant[];
  /** BTF id sets and lists by symbol. */
  readonly idSets: Readonly<Record<string, readonly number[]>>;
  /** Pointed-to BTF type, destructor's BTF id, by turns. */
  readonly destructors: readonly number[];
  readonly mapOps: readonly (readonly [number, Readonly<Record<string, string | number>>])[];
  readonly structOps: readonly StructOpsRecord[];
  readonly iterators: readonly IteratorRecord[];
  readonly rawTracepoints: Readonly<Record<string, string>>;
  /** Tracepoint → its arguments that may be null (1) or an error (2), four bits each: hexadecimal. */
  readonly rawTracepointNulls: Readonly<Record<string, string>>;
  readonly errorInjectable: readonly string[];
  /** Program type → BTF ids of the user's and the kernel's context structure. */
  readonly contextTypes: readonly (readonly [number, number, number])[];
  /** LSM hook's BTF id, smallest and largest result. */
  readonly lsmResults: readonly (readonly [number, number, number])[];
}

export interface StructOpsRecord {
  readonly name: string;
  readonly typeId: number;
  readonly valueId: number;
  readonly supported: readonly number[];
  readonly sleepable: readonly number[];
  /** Arguments whose type the prototype alone does not tell: member index, offset, register type, BTF id. */
  readonly arguments: readonly (readonly [number, number, number, number])[];
  /** Where contexts may hold a type that programs see as another: [from, to] BTF ids. */
  readonly promoted: readonly (readonly [number, number])[];
  /** Fields that programs may write: [BTF id of the structure, offset, size]. */
  readonly writable: readonly (readonly [number, number, number])[];
}

export interface IteratorRecord {
  readonly name: string;
  readonly btfId: number;
  /** Offset in the context, register type, BTF id. */
  readonly arguments: readonly (readonly [number, number, number])[];
}
