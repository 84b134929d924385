/** An object as its sections tell it, before anything is resolved against a kernel. */
import type { Btf } from '../btf/btf.js';
import type { BtfExt } from '../btf/ext.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import type { ElfObject, Section } from '../elf/elf.js';
import type { Instructions } from '../isa/instructions.js';
import type { Failure } from '../outcome.js';
import type { SectionDefinition } from './sections.js';

/** What a relocated instruction refers to. */
export type Target =
  | { readonly kind: 'map'; readonly map: ObjectMap }
  | { readonly kind: 'data'; readonly map: ObjectMap; readonly offset: number }
  | { readonly kind: 'extern-load'; readonly extern: Extern }
  | { readonly kind: 'extern-call'; readonly extern: Extern }
  | { readonly kind: 'call'; readonly offset: number }
  | { readonly kind: 'subprogram-address'; readonly offset: number };

export interface Relocation {
  /** Slot index in its own function. */
  readonly instruction: number;
  readonly target: Target;
}

/** A function: a program, or (in .text) a subprogram. */
export interface ObjectProgram {
  readonly name: string;
  readonly sectionIndex: number;
  /** Without a leading '?'. */
  readonly section: string;
  /** First slot in its section, and number of slots. */
  readonly start: number;
  readonly count: number;
  /** Its instructions, which are copied before they are changed. */
  readonly instructions: Instructions;
  readonly isSubprogram: boolean;
  readonly isGlobal: boolean;
  /** A global function of hidden visibility: verified as if it were static. */
  readonly isHidden: boolean;
  readonly definition: SectionDefinition | null;
  readonly type: number;
  expectedAttachType: number;
  autoload: boolean;
  /** Set for struct_ops programs by the map that names them. */
  attachBtfId: number;
  /** In order of instruction. */
  relocations: Relocation[];
}

export type MapOrigin = 'user' | 'data' | 'rodata' | 'bss' | 'kconfig' | 'struct-ops';

/** A map as the object defines it. */
export interface ObjectMap {
  readonly index: number;
  readonly origin: MapOrigin;
  /** The author's name, or for a data section libbpf's name for its map. */
  readonly name: string;
  readonly sectionIndex: number;
  readonly sectionOffset: number;
  /** Bytes of the section it takes, for map-in-map and struct_ops initial values. */
  readonly sectionSize: number;
  readonly section: string;
  definition: MapDefinition;
  inner: MapDefinition | null;
  contents: Uint8Array | null;
  autocreate: boolean;
  /** struct_ops: type id of its struct in the program's BTF, and the programs of its members. */
  readonly structOps: StructOps | null;
  /** Offset in bytes of the initial values in the definition, -1 where there are none. */
  readonly valuesOffset: number;
  /** Names of a map-in-map's or program array's initial values, by slot. */
  readonly slots: Map<number, string>;
}

export interface StructOps {
  readonly typeId: number;
  /** Member index → program. */
  readonly programs: Map<number, ObjectProgram>;
  readonly data: Uint8Array;
  /** The map value's type in the kernel's BTF; 0 until it is found. */
  kernelValueType: number;
}

export interface MapDefinition {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  mapExtra: bigint;
  numaNode: number;
  pinning: number;
  keyTypeId: number;
  valueTypeId: number;
  hasInner: boolean;
}

export interface KconfigExtern {
  readonly type: 'bool' | 'tristate' | 'char' | 'int' | 'chars';
  readonly size: number;
  readonly alignment: number;
  readonly isSigned: boolean;
  offset: number;
}

/** A symbol that the kernel (or its configuration) defines. */
export interface Extern {
  readonly name: string;
  readonly symbol: number;
  readonly isWeak: boolean;
  readonly isFunction: boolean;
  /** Its VAR or FUNC in the program's BTF. */
  readonly btfId: number;
  readonly kconfig: KconfigExtern | null;
  /** Kernel symbols: the type behind the variable, or the prototype; 0 for an untyped (void) one. */
  readonly typeId: number;
  isSet: boolean;
  /** Resolved: id in the kernel's BTF, or the address of an untyped one ([high, low]). */
  kernelId: number;
  address: readonly [number, number];
  /** Where it is a module's: its number in the target from 1, and of functions that among the object's own modules. */
  moduleNumber: number;
  callOffset: number;
  /** Position among the externs in libbpf's order. */
  index: number;
  /** Configuration: the map that holds it. */
  mapIndex: number;
}

export interface ObjectModel {
  readonly elf: ElfObject;
  readonly byteOrder: ByteOrder;
  /** Index of .text, or 0. */
  readonly text: number;
  readonly license: string;
  readonly kernVersion: number;
  /** The object's name as libbpf would take it from its file's. */
  readonly name: string;
  btf: Btf | null;
  readonly ext: BtfExt | null;
  /** By section, then by place in it. */
  readonly programs: readonly ObjectProgram[];
  readonly maps: ObjectMap[];
  externs: readonly Extern[];
}

/** Sections by the role that libbpf gives them. */
export interface Roles {
  readonly license: Section | null;
  readonly version: Section | null;
  readonly legacyMaps: Section | null;
  readonly maps: Section | null;
  readonly btf: Section | null;
  readonly btfExt: Section | null;
  readonly arena: Section | null;
  readonly text: number;
  readonly code: readonly Section[];
  readonly data: ReadonlyMap<number, DataRole>;
  readonly structOps: readonly Section[];
  readonly relocations: readonly Section[];
}

export type DataRole = 'data' | 'rodata' | 'bss';
export type Refusal = { readonly ok: false; readonly failure: Failure };
