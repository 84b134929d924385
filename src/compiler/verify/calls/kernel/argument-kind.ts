/** What an argument of a kernel function is, by its type, its name's suffix and the register (get_kfunc_ptr_arg_type, 6.12). */
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { refuse } from '../../refusals/refuse.js';
import type { Btf } from '../../../btf/btf.js';
import { KIND_ARRAY, KIND_FUNC_PROTO, KIND_VOID } from '../../../btf/kinds.js';
import { isStructOrUnion } from '../../../btf/layout.js';
import * as kf from '../../../targets/profile.js';
import { SCALAR_VALUE, baseType, PTR_TO_BTF_ID } from '../../../targets/types.js';
import { isNull } from '../../domain/scalar.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import type { ReadonlyReg } from '../../state.js';
import { isProgContextType } from '../../kernel/context-type.js';
import type { KernelCallMeta } from './call-meta.js';
import { isScalarType } from '../../kernel/parameter.js';
import type { Parameter } from '../../kernel/parameter.js';
import { kernelTypes, structBehind } from '../../kernel/types.js';
import type { KnownStruct } from '../../kernel/types.js';

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

/** `__sz`: bytes of the memory that the argument before points to; `__szk`: the same as a constant. */
export function isMemSize(parameter: Parameter, reg: ReadonlyReg, suffix: '__sz' | '__szk'): boolean {
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
        env.log.note(() => 'max struct nesting depth exceeded\n');
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
function kindByPrototype(env: Env, meta: KernelCallMeta, parameter: Parameter, reg: ReadonlyReg): PointerKind | null {
  const { btf } = parameter;
  if (meta.special === 'bpf_cast_to_kern_ctx') return 'ctx';
  parameter.isContext ??= isProgContextType(env, btf, parameter.typeId, env.progType);
  if (parameter.isContext) return 'ctx';
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
export function pointerKind(env: Env, meta: KernelCallMeta, parameter: Parameter): PointerKind | number {
  const regs = currentRegs(env);
  const { btf, index, pointee } = parameter;
  const reg = regs[index + 1]!;
  const kind = kindByPrototype(env, meta, parameter, reg);
  if (kind !== null) return kind;
  if (baseType(reg.type) === PTR_TO_BTF_ID || structBehind(env, baseType(reg.type)) !== 0) {
    if (isStructOrUnion(btf, pointee)) return 'object';
    return refuse(env, KERNEL_CALLS.kfuncPointerType, meta.fn.name, index, btf, pointee);
  }
  if (btf.kind(pointee) === KIND_FUNC_PROTO) return 'callback';
  const next = meta.fn.parameters[index + 1];
  const hasSize =
    next !== undefined && (isMemSize(next, regs[index + 2]!, '__sz') || isMemSize(next, regs[index + 2]!, '__szk'));
  const isPlain = isScalarType(btf, pointee) || isScalarStruct(env, btf, pointee);
  if (!isPlain && !(hasSize && btf.kind(pointee) === KIND_VOID)) {
    return refuse(env, KERNEL_CALLS.kfuncMemoryType, index, btf, pointee, hasSize);
  }
  return hasSize ? 'mem-size' : 'mem';
}
