/** Arguments of BTF-typed contexts of which the prototype does not tell all (struct bpf_ctx_arg_aux). */
import * as kind from '../../btf/kinds.js';
import { PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TRUSTED } from '../../targets/types.js';
import { BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER } from '../../targets/uapi.js';
import type { Env } from '../env.js';

export interface ContextArgument {
  /** Bytes from the context's start. */
  readonly offset: number;
  readonly regType: number;
  readonly btfId: number;
}

/** Iterators register theirs; those of struct_ops members may be null where the kernel's stub names them so. */
export function contextArguments(env: Env): readonly ContextArgument[] {
  if (env.progType === BPF_PROG_TYPE_TRACING && env.expectedAttachType === BPF_TRACE_ITER)
    return env.profile.iterTarget(env.attachBtfId)?.arguments ?? [];
  return env.progType === BPF_PROG_TYPE_STRUCT_OPS ? nullableArguments(env) : [];
}

/** The stub of a member is a function `struct__member` whose parameters that may be null end in "__nullable". */
function nullableArguments(env: Env): ContextArgument[] {
  const found: ContextArgument[] = [];
  const { btf } = env.profile;
  const struct = env.profile.structOps(env.attachBtfId)?.name ?? '';
  const stub = btf.find(`${struct}__${env.attachFuncName}`, kind.KIND_FUNC);
  if (stub === 0) return found;
  const proto = btf.sizeOrType(stub);
  for (let i = 0; i < btf.vlen(proto); i++) {
    if (!btf.paramName(proto, i).endsWith('__nullable')) continue;
    const pointer = btf.skipModifiers(btf.paramType(proto, i));
    const btfId = btf.skipModifiers(btf.sizeOrType(pointer));
    found.push({ offset: i * 8, regType: PTR_TRUSTED | PTR_TO_BTF_ID | PTR_MAYBE_NULL, btfId });
  }
  return found;
}
