/** Parameters of kernel functions: all that their prototype and their names tell, found once a program. */
import type { Btf } from '../../btf/btf.js';
import { KIND_INT, KIND_PTR, KIND_STRUCT } from '../../btf/kinds.js';
import { isEnum } from '../../btf/layout.js';

/** R1 to R5. */
export const MAX_ARGUMENTS = 5;

/** A parameter: its type without modifiers, and what a pointer points to, likewise. */
export class Parameter {
  readonly name: string;
  readonly typeId: number;
  readonly typeWithModifiers: number;
  readonly isPointer: boolean;
  readonly isScalar: boolean;
  readonly pointee: number;
  /** The struct of an iterator argument: `struct bpf_iter_…`, or 0. */
  readonly iteratorStruct: number;
  /** Whether it is the program's context, as far as that was asked. */
  isContext: boolean | null = null;
  /** The name's last part, from its underscores on. */
  private readonly suffix: string;

  constructor(
    readonly btf: Btf,
    readonly index: number,
    protoId: number,
  ) {
    this.name = btf.paramName(protoId, index);
    this.suffix = this.name.slice(Math.max(1, this.name.lastIndexOf('__')));
    this.typeWithModifiers = btf.paramType(protoId, index);
    this.typeId = btf.skipModifiers(this.typeWithModifiers);
    this.isPointer = btf.kind(this.typeId) === KIND_PTR;
    this.isScalar = isScalarType(btf, this.typeId);
    this.pointee = this.isPointer ? btf.skipModifiers(btf.sizeOrType(this.typeId)) : 0;
    const isStruct = this.pointee !== 0 && btf.kind(this.pointee) === KIND_STRUCT;
    this.iteratorStruct = isStruct && btf.typeName(this.pointee).startsWith('bpf_iter_') ? this.pointee : 0;
  }

  /** Whether the name ends in a suffix that says how the argument is meant (Documentation/bpf/kfuncs.rst). */
  endsWith(suffix: `__${string}`): boolean {
    return this.suffix === suffix;
  }
}

/** The parameters of a prototype, as far as they go in registers. */
export function parametersOf(btf: Btf, protoId: number): Parameter[] {
  const count = Math.min(btf.vlen(protoId), MAX_ARGUMENTS);
  return Array.from({ length: count }, (_, i) => new Parameter(btf, i, protoId));
}

export function isScalarType(btf: Btf, id: number): boolean {
  return btf.kind(id) === KIND_INT || isEnum(btf, id);
}
