/** The type of a program's context as BTF knows it, and as functions take it (btf_is_prog_ctx_type and around, Linux 6.12). */
import { TYPE_INFO } from '../refusals/type-info.js';
import { refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import { KIND_INT, KIND_PTR, KIND_STRUCT, KIND_TYPEDEF, KIND_VOID } from '../../btf/kinds.js';
import { isStructOrUnion } from '../../btf/layout.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';

const USER_REGS = 'bpf_user_pt_regs_t';

/** The kernel's table of contexts: for each program type a member for what programs see, then one for the kernel's own. */
function contextMember(env: Env, progType: number, ofKernel: boolean): number {
  const key = progType * 2 + (ofKernel ? 1 : 0);
  const known = env.contextMembers.get(key);
  if (known !== undefined) return known;
  const found = findContextMember(env, progType, ofKernel);
  env.contextMembers.set(key, found);
  return found;
}

function findContextMember(env: Env, progType: number, ofKernel: boolean): number {
  const { btf } = env.profile;
  const table = btf.find('bpf_ctx_convert', KIND_STRUCT);
  if (table === 0) return 0;
  const wanted = `${CONTEXT_MEMBERS.get(progType) ?? ''}_${ofKernel ? 'kern' : 'prog'}`;
  const count = btf.vlen(table);
  for (let i = 0; i < count; i++) if (btf.memberName(table, i) === wanted) return btf.memberType(table, i);
  return count > 1 ? btf.memberType(table, ofKernel ? 1 : 0) : 0; // types that are not in it count as the first
}

/** Names of that table's members (include/linux/bpf_types.h). */
const CONTEXT_MEMBERS: ReadonlyMap<number, string> = new Map(
  Object.entries(uapi)
    .filter(([name]) => name.startsWith('BPF_PROG_TYPE_'))
    .map(([name, value]) => [value, name] as const),
);

/** BTF id of the kernel's own structure behind the context; a negative errno where it is none (get_kern_ctx_btf_id). */
export function kernelContextTypeId(env: Env): number {
  const { btf } = env.profile;
  const id = contextMember(env, env.progType, true);
  if (id !== 0 && isStructOrUnion(btf, id)) return id;
  return refuse(env, TYPE_INFO.contextTypeNotStruct, id);
}

/**
 * BTF id in the kernel of what a BPF program's context argument points to, for those who trace the program; 0 where the
 * pointer is not its context (btf_translate_to_vmlinux).
 */
export function tracedContextTypeId(env: Env, btf: Btf, pointerId: number, progType: number): number {
  return isProgContextType(env, btf, pointerId, progType) ? contextMember(env, progType, true) : 0;
}

/** The kernel's own type may stand where the program's view of it is wanted (btf_is_projection_of). */
export function isProjectionOf(view: string, name: string): boolean {
  return (view === '__sk_buff' && name === 'sk_buff') || (view === 'xdp_md' && name === 'xdp_buff');
}

/** Type behind modifiers, up to the first typedef. */
function skipToTypedef(btf: Btf, id: number): number {
  while (btf.isModifier(id)) id = btf.sizeOrType(id);
  return id;
}

function isUserRegs(btf: Btf, pointeeWithModifiers: number): boolean {
  const id = skipToTypedef(btf, pointeeWithModifiers);
  return btf.kind(id) === KIND_TYPEDEF && btf.typeName(id) === USER_REGS;
}

/** Whether a pointer type is the context of that program type, judged by names. What has no name is none. */
export function isProgContextType(env: Env, btf: Btf, pointerId: number, progType: number): boolean {
  const target = btf.sizeOrType(pointerId);
  if (progType === uapi.BPF_PROG_TYPE_KPROBE && isUserRegs(btf, target)) return true;
  const id = btf.skipModifiers(target);
  if (!isStructOrUnion(btf, id)) return false;
  const name = btf.typeName(id);
  const kernel = env.profile.btf;
  let context = contextMember(env, progType, false);
  if (context === 0) {
    env.log.note(() => 'btf_vmlinux is malformed\n');
    return false;
  }
  for (;;) {
    const contextName = kernel.typeName(context);
    if (contextName === '') return false;
    if (isProjectionOf(contextName, name) || contextName === name) return true;
    const behind = kernel.skipModifiers(context);
    if (behind === context) return false;
    context = behind;
  }
}

/** The structure behind bpf_user_pt_regs_t, which is another on each architecture. */
function userRegsStruct(kernel: Btf): string {
  return kernel.typeName(kernel.skipModifiers(kernel.find(USER_REGS, KIND_TYPEDEF)));
}

/** Types that a function tagged `arg:ctx` may take, beside the canonical one. */
function isAlsoContext(env: Env, btf: Btf, id: number, progType: number, attachType: number): boolean {
  const isStruct = btf.kind(id) === KIND_STRUCT;
  const name = btf.typeName(id);
  const isU64 = btf.kind(id) === KIND_INT && btf.sizeOrType(id) === 8;
  switch (progType) {
    case uapi.BPF_PROG_TYPE_KPROBE:
      return isStruct && name === 'pt_regs';
    case uapi.BPF_PROG_TYPE_PERF_EVENT:
      return isStruct && name === userRegsStruct(env.profile.btf);
    case uapi.BPF_PROG_TYPE_RAW_TRACEPOINT:
    case uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
    case uapi.BPF_PROG_TYPE_LSM:
    case uapi.BPF_PROG_TYPE_STRUCT_OPS:
      return isU64;
    case uapi.BPF_PROG_TYPE_TRACING:
      return isTracingContext(attachType, isStruct, name, isU64);
    case uapi.BPF_PROG_TYPE_TRACEPOINT:
    case uapi.BPF_PROG_TYPE_SYSCALL:
    case uapi.BPF_PROG_TYPE_EXT:
      return true;
    default:
      return false;
  }
}

function isTracingContext(attachType: number, isStruct: boolean, name: string, isU64: boolean): boolean {
  switch (attachType) {
    case uapi.BPF_TRACE_RAW_TP:
      return isU64 || (isStruct && name === 'bpf_raw_tracepoint_args');
    case uapi.BPF_TRACE_ITER:
      return isStruct && name.startsWith('bpf_iter__');
    case uapi.BPF_TRACE_FENTRY:
    case uapi.BPF_TRACE_FEXIT:
    case uapi.BPF_MODIFY_RETURN:
      return isU64;
    default:
      return false;
  }
}

/** Checks the type of an argument tagged `arg:ctx`; 0 or -EINVAL (btf_validate_prog_ctx_type). */
export function validateContextType(
  env: Env,
  btf: Btf,
  pointerId: number,
  arg: number,
  progType: number,
  attachType: number,
): number {
  if (btf.kind(pointerId) !== KIND_PTR) {
    return refuse(env, TYPE_INFO.contextArgumentPointer, arg);
  }
  const target = btf.sizeOrType(pointerId);
  const takesUserRegs = progType === uapi.BPF_PROG_TYPE_KPROBE || progType === uapi.BPF_PROG_TYPE_PERF_EVENT;
  if (takesUserRegs && isUserRegs(btf, target)) return 0;
  const id = btf.skipModifiers(target);
  if (btf.kind(id) === KIND_VOID) return 0;
  if (btf.nameOff(id) === 0 || btf.typeName(id) === '') {
    return refuse(env, TYPE_INFO.contextArgumentName, arg);
  }
  if (isAlsoContext(env, btf, id, progType, attachType)) return 0;
  const kernel = env.profile.btf;
  const member = contextMember(env, progType, false);
  if (member === 0) {
    return refuse(env, TYPE_INFO.kernelBtfMalformed);
  }
  const context = kernel.skipModifiers(member);
  if (kernel.kind(context) !== KIND_STRUCT) {
    return refuse(env, TYPE_INFO.contextArgumentVoid, arg);
  }
  const name = kernel.typeName(context);
  if (btf.kind(id) === KIND_STRUCT && btf.typeName(id) === name) return 0;
  return refuse(env, TYPE_INFO.contextArgumentStruct, arg, kernel, context);
}
