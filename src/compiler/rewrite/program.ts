/** What the JIT is given: the program after all rewrites, cut into functions. */
import type { ArgumentModel } from '../btf/argument-models.js';
import type { Instructions } from '../isa/instructions.js';

/** What an immediate stands for, where it is not a plain number: filled in by `link`, or kept as a relocation. */
export type SymbolRef =
  | { readonly kind: 'function'; readonly index: number } // a subprogram of this program, by index
  | KernelSymbol
  | { readonly kind: 'map'; readonly index: number } // struct bpf_map of the program's map
  | { readonly kind: 'mapValue'; readonly index: number; readonly addend: number } // inside its value area
  | { readonly kind: 'programAux'; readonly addend: number } // the program's struct bpf_prog_aux
  | { readonly kind: 'structMeta'; readonly typeId: number } // the kernel's struct btf_struct_meta of a type of the program's BTF
  | { readonly kind: 'arena'; readonly index: number; readonly side: 'kernel' | 'user' | 'userUpperHalf' }; // start of the arena's mapping there

/** A helper's implementation, a kernel function or variable. */
export interface KernelSymbol {
  readonly kind: 'kernel';
  readonly name: string;
  readonly addend: number;
  /** Of a kernel function that is called: how it takes its arguments. */
  readonly arguments?: readonly ArgumentModel[];
  /** … and its BTF id, where the dump of the program shows that in place of its distance. */
  readonly btfId?: number;
}

export interface JitFunction {
  readonly name: string;
  /** Internal opcodes allowed (PROBE_MEM, TAIL_CALL, NOSPEC, address-space and per-CPU moves). */
  readonly instructions: Instructions;
  /** Slot index → what its immediate (LD_IMM64: both) stands for. */
  readonly symbols: ReadonlyMap<number, SymbolRef>;
  /** Slot of a call of a kernel function → how that takes its arguments: some ABIs have the caller extend them. */
  readonly kernelCalls?: ReadonlyMap<number, readonly ArgumentModel[]>;
  /** Bytes of BPF stack. */
  readonly stackDepth: number;
  /** Each slot's original instruction index in the program as handed in, -1 for inserted ones without one. */
  readonly original: Int32Array;
  readonly isSubprogram: boolean;
  readonly exceptionBoundary: boolean;
  readonly exceptionCallback: boolean;
  readonly tailCallReachable: boolean;
}

export interface JitProgram {
  readonly functions: readonly JitFunction[];
  /** Where an arena lies, when the program uses one: its map's index. */
  readonly arenaMap: number;
  /** The program's type changes code in places (struct_ops trampolines, freplace). */
  readonly type: number;
}
