/**
 * A kernel as data. Everything the compiler must know of one kernel stands behind this interface, whose data are
 * recorded from that kernel (tools/record-target) and live in targets/NAME/.
 *
 * Enumerations (register types, argument types, return types …) use our own stable constants, those of
 * targets/types.ts; the recorder translates a kernel's numbers by the enumerators' names in its BTF.
 */
import type { Btf } from '../btf/btf.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import type { Behaviour } from './behaviour.js';
import type { TemplateInstruction } from './data.js';
import type { KernelModule } from './modules.js';

/** struct bpf_func_proto of one helper as one program type sees it. */
export interface HelperProto {
  /** BPF_FUNC_… number. */
  readonly id: number;
  /** Without `bpf_`: "map_lookup_elem". */
  readonly name: string;
  /** The kernel symbol of its implementation, whose address a call is linked to. */
  readonly symbol: string;
  /** RET_… with flags. */
  readonly retType: number;
  readonly retBtfId: number;
  /** ARG_… with flags, of R1 to R5. */
  readonly argTypes: readonly [number, number, number, number, number];
  /** Per argument: BTF id of a pointee, or the fixed size of memory (bytes). */
  readonly argBtfIds: readonly [number, number, number, number, number];
  readonly argSizes: readonly [number, number, number, number, number];
  readonly gplOnly: boolean;
  readonly pktAccess: boolean;
  readonly mightSleep: boolean;
  readonly allowFastcall: boolean;
  /** Whether it may be called where such a program is attached: to a function by its BTF id, or to another program. */
  isAllowedAt(progType: number, attachType: number, attachBtfId: number, toProgram: boolean): boolean;
}

/** Flags of a kernel function in its set (KF_… of include/linux/btf.h, 6.12). */
export const KF_ACQUIRE = 1 << 0;
export const KF_RELEASE = 1 << 1;
export const KF_RET_NULL = 1 << 2;
export const KF_TRUSTED_ARGS = 1 << 4;
export const KF_SLEEPABLE = 1 << 5;
export const KF_DESTRUCTIVE = 1 << 6;
export const KF_RCU = 1 << 7;
export const KF_ITER_NEW = 1 << 8;
export const KF_ITER_NEXT = 1 << 9;
export const KF_ITER_DESTROY = 1 << 10;
export const KF_RCU_PROTECTED = 1 << 11;

/** What a context access is to the verifier and becomes in the translated program. */
export interface ContextAccess {
  /** Register type of what is loaded: SCALAR_VALUE, PTR_TO_PACKET, PTR_TO_BTF_ID_OR_NULL … (targets/types.ts). */
  readonly regType: number;
  readonly btfId: number;
  /** Width in bytes of the field that a narrower load is cut from; 0 where the access is taken as it is. */
  readonly fieldSize: number;
  /** Bytes of the kernel's own field that the conversion loads (*target_size of convert_ctx_access); 0: fieldSize. */
  readonly targetSize: number;
  /** Bits that such an access sets in the program's notes, on which conversions of other accesses depend. */
  readonly notes: number;
}

/** Context layout of one program type with one expected attach type. */
export interface ContextLayout {
  /** The access as the kernel's is_valid_access judges it, or null where it refuses. `off`, `size` in bytes. */
  access(off: number, size: number, write: boolean): ContextAccess | null;
  /**
   * The instructions that replace an allowed access (raw wire words: 8 bytes each), with the program's own registers;
   * null where the access stays as it is. `opcode`, `dst`, `src`, `imm` are those of the original instruction, `notes`
   * those of all the program's accesses.
   */
  convert(opcode: number, dst: number, src: number, off: number, imm: number, notes: number): Uint8Array | null;
  /** Instructions in front of the program (gen_prologue), given whether packet data is written directly; or null. */
  prologue(directWrite: boolean): Uint8Array | null;
}

/** struct bpf_map_ops of a map type, as far as programs call it: kernel symbols, null where it has none. */
export interface MapOps {
  readonly genLookup: string | null;
  readonly lookupElem: string | null;
  readonly updateElem: string | null;
  readonly deleteElem: string | null;
  readonly pushElem: string | null;
  readonly popElem: string | null;
  readonly peekElem: string | null;
  readonly redirect: string | null;
  readonly forEachCallback: string | null;
  readonly lookupPercpuElem: string | null;
  /** The map's structure in the kernel's BTF (map_btf_id: struct bpf_array …), 0 where programs may not read it. */
  readonly btfId: number;
}

/** What a type of programs may do with packet data: PACKET_… bits (targets/data.ts). */
export interface PacketAccess {
  /** By its own loads and stores. */
  readonly direct: number;
  /** Through helpers that take packet pointers, and through all others. */
  readonly helper: number;
  readonly otherHelper: number;
}

/** What a symbol of the target's kernel is. */
export interface SymbolTable {
  /** Address as [high, low] unsigned 32-bit halves, the first where several symbols share the name; or null. */
  address(name: string): readonly [number, number] | null;
  /** The second address of a name that several symbols share, else null. */
  otherAddress(name: string): readonly [number, number] | null;
  readonly size: number;
}

export interface Profile {
  readonly name: string;
  readonly release: string;
  /** The processor architecture, as jit/architectures.ts names it. */
  readonly architecture: string;
  /** SHA-256 over the profile's files. */
  readonly digest: string;
  /** How far its answers have been held against the kernel: 'verified', or a sentence saying what is not. */
  readonly verified: string;
  /** What the kernel can do beyond the oldest: words of docs/behaviours.md. */
  readonly features: readonly string[];
  /** The same as what our own code must do (behaviour.ts). */
  readonly behaviour: Behaviour;
  /** Features and mitigations of the recorded machine that change machine code, by the names that requests change them. */
  readonly cpu: Readonly<Record<string, boolean | number | string>>;
  /** Words of /proc/cpuinfo's list of features of the recorded machine. */
  readonly cpuFeatures: readonly string[];
  readonly btf: Btf;
  /** The machine's: of everything that programs bring along and are answered. */
  readonly byteOrder: ByteOrder;
  /** The modules that the request says are loaded, in its order. */
  readonly modules: readonly KernelModule[];
  readonly symbols: SymbolTable;
  /** CONFIG_… → value as .config has it (y, m, numbers, quoted strings). */
  readonly config: ReadonlyMap<string, string>;
  readonly pageSize: number;
  /** Addresses at or above this are the kernel's: what PROBE_MEM's guard compares with ([high, low]). */
  readonly userLimit: readonly [number, number];
  readonly possibleCpus: number;
  readonly kernelHz: number;

  /** Name of a helper by number ("map_lookup_elem"), whatever may call it; null for an unknown number. */
  helperName(id: number): string | null;
  /** Whether it was recorded what processes with less than all capabilities may do: `helper` and `context` know. */
  readonly knowsCapabilities: boolean;
  /** The JIT, or the CPU it compiles for, needs no barriers against speculation past stores (bpf_jit_bypass_spec_v4). */
  readonly jitBypassesSpecV4: boolean;
  /** Whether a helper may move packet data, by number. */
  helperChangesPacket(id: number): boolean;
  /** Whether the kernel takes programs of a type with an expected attach type, and lets those be sleepable. */
  takesAttachType(type: number, attachType: number): boolean;
  maySleep(type: number, attachType: number): boolean;
  packetAccess(type: number): PacketAccess;
  /** Opcodes that programs may use. */
  readonly opcodes: ReadonlySet<number>;
  /** Map types that sleepable programs may use. */
  readonly sleepableMaps: ReadonlySet<number>;
  /** Whether a helper works on maps of a type; socket maps that updatesSocketMaps answers for aside. */
  helperTakesMap(id: number, mapType: number): boolean;
  /** Whether such programs may change socket maps with a helper. */
  updatesSocketMaps(type: number, attachType: number, helper: number): boolean;
  /** The prototype as this kind of program sees it, or null where it may not call it; loaded with all capabilities by default. */
  helper(
    progType: number,
    attachType: number,
    attachBtfId: number,
    id: number,
    sleepable: boolean,
    capabilities?: number,
  ): HelperProto | null;
  /** The context of this kind of program, or null where it has none the profile knows (BTF-typed contexts). */
  context(progType: number, attachType: number, capabilities?: number): ContextLayout | null;
  /** What PTR_TO_SOCKET, PTR_TO_SOCK_COMMON, PTR_TO_TCP_SOCK and PTR_TO_XDP_SOCK show of a socket; null for other types. */
  pointerContext(regType: number): ContextLayout | null;
  /** The operations of a map type (enum bpf_map_type), or null where the kernel has no such maps. */
  mapOps(mapType: number): MapOps | null;
  /** Helpers (by number) whose calls the JIT replaces by instructions of its own. */
  readonly jitInlinedHelpers: ReadonlySet<number>;
  /** Helpers (by number) whose calls the verifier replaces by these instructions. */
  readonly inlinedHelpers: ReadonlyMap<number, readonly TemplateInstruction[]>;
  /** Flags (KF_…) of a kernel function for this kind of program, or -1 where it may not call it. */
  kernelFunctionFlags(progType: number, btfFuncId: number, attachType?: number, attachBtfId?: number): number;
  /** Members of a BTF id set or list of the kernel by its symbol (without __BTF_ID prefixes), empty where there is none. */
  btfIdSet(symbol: string): ReadonlySet<number>;
  /** The same in the order of the kernel's list, with zeroes where it leaves entries unused. */
  btfIdList(symbol: string): readonly number[];
  /** The function that releases a kernel object of a type (for kptrs), by BTF ids; 0 where there is none. */
  destructor(btfId: number): number;
  /** BTF ids of the pointers' targets: the context as programs of a type declare it, and as the kernel has it. */
  contextTypes(progType: number): readonly [number, number] | null;
  /** Smallest and largest result of programs on an LSM hook, by its BTF id; null where the kernel does not limit it. */
  lsmResultRange(hookBtfId: number): readonly [number, number] | null;

  /** Names of the functions on the kernel's error-injection list. */
  readonly errorInjectable: ReadonlySet<string>;
  /** Flags (KF_…) of a function that fmod_ret programs may be attached to, or -1. */
  modifyReturnFlags(btfFuncId: number): number;
  /** The template function (`__bpf_trace_…`) behind a raw tracepoint, or null where there is no such tracepoint. */
  rawTracepointFunction(tracepoint: string): string | null;
  /**
   * Arguments of a tracepoint that may be null (1) or an error pointer (2), four bits an argument from the lowest; null
   * where the kernel does not list the tracepoint (raw_tp_null_args).
   */
  rawTracepointNullArguments(tracepoint: string): number | null;
  /** A structure of function pointers that struct_ops programs may implement, by its BTF id, or null. */
  structOps(btfTypeId: number): StructOps | null;
  /** The iterator behind an attach function (`bpf_iter_…`), or null. */
  iterTarget(btfFuncId: number): IterTarget | null;
}

/** struct bpf_struct_ops as registered. */
export interface StructOps {
  readonly name: string;
  /** Members (by index) that a program may implement, and those where the program may sleep. */
  readonly supported: ReadonlySet<number>;
  readonly sleepable: ReadonlySet<number>;
  /** The structure around it that a map's value is (`bpf_struct_ops_…`). */
  readonly valueTypeId: number;
  /** Arguments whose type the prototype alone does not tell, by member and offset in the context. */
  readonly arguments: readonly {
    readonly member: number;
    readonly offset: number;
    readonly regType: number;
    readonly btfId: number;
  }[];
  /** Structures that programs see as another: a pointer to the first is taken for one to the second. */
  readonly promoted: ReadonlyMap<number, number>;
  /** Fields that programs may write, in bytes. */
  readonly writable: readonly { readonly btfId: number; readonly offset: number; readonly size: number }[];
}

/** struct bpf_iter_reg: arguments of the context whose type the prototype alone does not tell. */
export interface IterTarget {
  readonly name: string;
  readonly arguments: readonly { readonly offset: number; readonly regType: number; readonly btfId: number }[];
}
