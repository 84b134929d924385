import type { Btf } from '../btf/btf.js';
import type { Instructions } from '../isa/instructions.js';
import type { KernelModule } from '../targets/modules.js';

/** A map as the program's author defined it; what BPF_MAP_CREATE is told. */
export interface MapSpec {
  /** At most 15 characters, as the kernel keeps it. */
  readonly name: string;
  /** The name that libbpf knows it by: the author's in full; a data section's map has the object's name in front. */
  readonly fullName: string;
  /** enum bpf_map_type. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_… of BPF_MAP_CREATE. */
  readonly flags: number;
  /** 64 bits; arenas keep their user address here. */
  readonly mapExtra: bigint;
  /** Types of key and value in `btf`; 0 where there are none. */
  readonly btf: Btf | null;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** The value's type in the kernel's BTF (struct_ops), or 0. */
  readonly btfVmlinuxValueTypeId: number;
  /** The template of a map-in-map's inner maps. */
  readonly innerMap: MapSpec | null;
  readonly numaNode: number;
  /** LIBBPF_PIN_BY_NAME is 1. */
  readonly pinning: number;
  /** Initial contents of a data section's map (`.data`, `.rodata`, `.bss`, `.kconfig`), or null. */
  readonly contents: Uint8Array | null;
  /** BPF_MAP_FREEZE was called: with BPF_F_RDONLY_PROG its contents are constants to the verifier. */
  readonly frozen: boolean;
  /** The section the map comes from, where it is a data section's. */
  readonly section: string;
}

/** struct bpf_func_info: `instruction` is a slot index in the whole program. */
export interface FuncInfo {
  readonly instruction: number;
  readonly typeId: number;
}

/** struct bpf_line_info: offsets are into the program BTF's string section. */
export interface LineInfo {
  readonly instruction: number;
  readonly fileNameOff: number;
  readonly lineOff: number;
  /** Line number in bits 10–31, column in bits 0–9. */
  readonly lineCol: number;
}

/** A function of a loaded program, as others may be attached to it (struct bpf_func_info_aux and its bpf_prog_aux). */
export interface TargetFunction {
  /** Of its FUNC in the program's BTF; 0 where there is no function information. */
  readonly typeId: number;
  /** Its prototype does not tell what it is called with. */
  readonly unreliable: boolean;
  readonly isExceptionCallback: boolean;
  readonly changesPacketData: boolean;
}

/** A loaded program that extensions and tracing programs may be attached to (what `attach_prog_fd` names). */
export interface TargetProgram {
  /** enum bpf_prog_type and enum bpf_attach_type. */
  readonly type: number;
  readonly expectedAttachType: number;
  /** Null where the program was loaded without function and line information. */
  readonly btf: Btf | null;
  /** The program itself first. */
  readonly functions: readonly TargetFunction[];
  /** An extension's own target's type; 0 for other programs. */
  readonly extendedType: number;
  /** It traces a tracing program itself. */
  readonly tracesTracing: boolean;
}

/** A program ready for BPF_PROG_LOAD: main program first, its subprograms behind it. */
export interface Program {
  /** At most 15 characters, as the kernel keeps it. */
  readonly name: string;
  /** The full function name. */
  readonly functionName: string;
  readonly section: string;
  /** enum bpf_prog_type. */
  readonly type: number;
  /** enum bpf_attach_type. */
  readonly expectedAttachType: number;
  /** What the process that loads it, and has made its maps, may do (CAP_…, effective). */
  readonly capabilities: number;
  /** BPF_F_SLEEPABLE and the like. */
  readonly flags: number;
  readonly license: string;
  readonly kernVersion: number;
  /**
   * LD_IMM64 with src 1 or 2 carries an index into `maps`; kernel functions and variables carry ids of the target's BTF,
   * and variables of modules the module's number in the target, from 1, in the second half.
   */
  readonly instructions: Instructions;
  /** Slots of LD_IMM64 whose map is a descriptor of the author's own, not an index into `maps`. */
  readonly descriptors?: ReadonlySet<number>;
  readonly maps: readonly MapSpec[];
  readonly btf: Btf | null;
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  /** Modules whose functions are called: a call's `off` counts them from 1 (bpf(2)'s fd_array). */
  readonly functionBtfs?: readonly KernelModule[];
  /** The kernel type (function, typedef, struct) it is attached to, in `attachBtf`; 0 where there is none. */
  readonly attachBtfId: number;
  /** The BTF that `attachBtfId` counts in: the target's, or the program BTF of the freplace target. */
  readonly attachBtf: Btf | null;
  /** The BPF program that it is attached to instead of the kernel. */
  readonly attachProgram: TargetProgram | null;
}
