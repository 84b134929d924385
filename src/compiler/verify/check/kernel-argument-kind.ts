/** What an argument of a kernel function is, by its type, its name's suffix and the register (get_kfunc_ptr_arg_type, 6.12). */
import type { Btf } from '../../btf/btf.js';
import { KIND_ARRAY, KIND_FUNC_PROTO, KIND_INT, KIND_PTR, KIND_STRUCT, KIND_VOID } from '../../btf/kinds.js';
import { isEnum, isStructOrUnion } from '../../btf/layout.js';
import { kindName } from '../../btf/print.js';
import * as kf from '../../targets/profile.js';
import { SCALAR_VALUE, baseType, PTR_TO_BTF_ID } from '../../targets/types.js';
import { isNull } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';
import type { Reg } from '../state.js';
import { isProgContextType } from './context-type.js';
import type { KernelCallMeta } from './kernel-call-meta.js';
import { kernelTypes, structBehind } from './kernel-types.js';
import type { KnownStruct } from './kernel-types.js';

export type PointerKind =
  | 'ctx'
  | 'null'
  | 'alloc-object'
  | 'refcounted'
  | 'dynptr'
  | 'iter'
  | 'list-head'
  | 'list-node'
  | 'rb-root'
  | 'rb-node'
  | 'const-str'
  | 'map'
  | 'workqueue'
  | 'object'
  | 'callback'
  | 'mem'
  | 'mem-size';

/** A parameter of a prototype: its type without modifiers, and what a pointer points to, likewise. */
export class Parameter {
  readonly name: string;
  readonly typeId: number;
  readonly typeWithModifiers: number;
  readonly pointee: number;

  constructor(
    readonly btf: Btf,
    readonly protoId: number,
    readonly index: number,
  ) {
    this.name = btf.paramName(protoId, index);
    this.typeWithModifiers = btf.paramType(protoId, index);
    this.typeId = btf.skipModifiers(this.typeWithModifiers);
    this.pointee = this.isPointer ? btf.skipModifiers(btf.sizeOrType(this.typeId)) : 0;
  }

  get isPointer(): boolean {
    return this.btf.kind(this.typeId) === KIND_PTR;
  }
  get isScalar(): boolean {
    return isScalarType(this.btf, this.typeId);
  }
  /** The name ends in a suffix that says how the argument is meant (Documentation/bpf/kfuncs.rst). */
  endsWith(suffix: string): boolean {
    return this.name.length > suffix.length && this.name.endsWith(suffix);
  }
}

export function isScalarType(btf: Btf, id: number): boolean {
  return btf.kind(id) === KIND_INT || isEnum(btf, id);
}

/** `__sz`: bytes of the memory that the argument before points to; `__szk`: the same as a constant. */
export function isMemSize(parameter: Parameter, reg: Reg, suffix: '__sz' | '__szk'): boolean {
  return parameter.isScalar && reg.type === SCALAR_VALUE && parameter.endsWith(suffix);
}

/** Nothing but numbers inside, structs of them nested at most four deep. */
export function isScalarStruct(env: Env, btf: Btf, id: number, depth = 0): boolean {
  if (!isStructOrUnion(btf, id)) return false;
  const count = btf.vlen(id);
  for (let i = 0; i < count; i++) {
    let member = btf.skipModifiers(btf.memberType(id, i));
    if (isStructOrUnion(btf, member)) {
      if (depth >= 3) {
        env.log.write('max struct nesting depth exceeded\n');
        return false;
      }
      if (!isScalarStruct(env, btf, member, depth + 1)) return false;
      continue;
    }
    if (btf.kind(member) === KIND_ARRAY) {
      if (btf.arrayCount(member) === 0) return false;
      member = btf.skipModifiers(btf.arrayElem(member));
    }
    if (!isScalarType(btf, member)) return false;
  }
  return true;
}

const BY_STRUCT: readonly (readonly [KnownStruct, PointerKind])[] = [
  ['bpf_list_head', 'list-head'],
  ['bpf_list_node', 'list-node'],
  ['bpf_rb_root', 'rb-root'],
  ['bpf_rb_node', 'rb-node'],
];

/** Whether the argument is an iterator's state: the first one of iterator functions, `__iter` ones of others. */
function isIterator(meta: KernelCallMeta, parameter: Parameter): boolean {
  if (meta.has(kf.KF_ITER_NEW | kf.KF_ITER_NEXT | kf.KF_ITER_DESTROY)) return parameter.index === 0;
  return parameter.endsWith('__iter');
}

/** Kinds that the prototype alone tells; null where the register has a say. */
function kindByPrototype(env: Env, meta: KernelCallMeta, parameter: Parameter, reg: Reg): PointerKind | null {
  const { btf } = parameter;
  if (meta.special === 'bpf_cast_to_kern_ctx') return 'ctx';
  if (isProgContextType(env, btf, parameter.typeId, env.progType)) return 'ctx';
  if (parameter.endsWith('__nullable') && isNull(reg)) return 'null';
  if (parameter.endsWith('__alloc')) return 'alloc-object';
  if (parameter.endsWith('__refcounted_kptr')) return 'refcounted';
  const known = kernelTypes(env);
  const pointsTo = (name: KnownStruct): boolean => parameter.pointee !== 0 && parameter.pointee === known.struct(name);
  if (pointsTo('bpf_dynptr')) return 'dynptr';
  if (isIterator(meta, parameter)) return 'iter';
  for (const [name, kind] of BY_STRUCT) if (pointsTo(name)) return kind;
  if (parameter.endsWith('__str')) return 'const-str';
  if (parameter.endsWith('__map')) return 'map';
  return pointsTo('bpf_wq') ? 'workqueue' : null;
}

/** The kind of a pointer argument, or a negative errno with a sentence in the log. */
export function pointerKind(env: Env, meta: KernelCallMeta, parameter: Parameter, count: number): PointerKind | number {
  const regs = currentRegs(env);
  const { btf, index, pointee } = parameter;
  const reg = regs[index + 1]!;
  const kind = kindByPrototype(env, meta, parameter, reg);
  if (kind !== null) return kind;
  if (baseType(reg.type) === PTR_TO_BTF_ID || structBehind(env, baseType(reg.type)) !== 0) {
    if (isStructOrUnion(btf, pointee)) return 'object';
    const type = `${kindName(btf, pointee)} ${btf.typeName(pointee)}`;
    env.log.write(`kernel function ${meta.fn.name} args#${index} pointer type ${type} is not supported\n`);
    return -EINVAL;
  }
  if (btf.kind(pointee) === KIND_FUNC_PROTO) return 'callback';
  const next = index + 1 < count ? new Parameter(btf, parameter.protoId, index + 1) : null;
  const hasSize =
    next !== null && (isMemSize(next, regs[index + 2]!, '__sz') || isMemSize(next, regs[index + 2]!, '__szk'));
  const isPlain = isScalarType(btf, pointee) || isScalarStruct(env, btf, pointee);
  if (!isPlain && !(hasSize && btf.kind(pointee) === KIND_VOID)) {
    const type = `${kindName(btf, pointee)} ${btf.typeName(pointee)}`;
    const allowed = `${hasSize ? 'void, ' : ''}scalar, or struct with scalar`;
    env.log.write(`arg#${index} pointer type ${type} must point to ${allowed}\n`);
    return -EINVAL;
  }
  return hasSize ? 'mem-size' : 'mem';
}

/** The struct of an iterator argument: `struct bpf_iter_…`, or 0. */
export function iteratorStruct(parameter: Parameter): number {
  const { btf, pointee } = parameter;
  if (pointee === 0 || btf.kind(pointee) !== KIND_STRUCT) return 0;
  return btf.typeName(pointee).startsWith('bpf_iter_') ? pointee : 0;
}
