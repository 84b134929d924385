/** Contexts that are an array of arguments, typed by a function prototype (btf_ctx_access, kernel/bpf/btf.c, 6.12). */
import { KERNEL_MEMORY } from '../refusals/kernel-memory.js';
import { refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import * as kind from '../../btf/kinds.js';
import { isEnum, isStructOrUnion } from '../../btf/layout.js';
import { kindName, logName } from '../../btf/print.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { pointerTagFlag } from '../kernel/btf-walk.js';
import type { ContextField } from './context-access.js';
import { contextArguments } from '../kernel/context-arguments.js';
import { tracedContextTypeId } from '../kernel/context-type.js';
import { hasUnsafeModifiers } from '../register-types.js';

/** Most arguments of a function that is traced (MAX_BPF_FUNC_ARGS, MAX_BPF_FUNC_REG_ARGS). */
const MAX_ARGUMENTS = 12;
const MAX_REGISTER_ARGUMENTS = 5;

const SCALAR: ContextField = { regType: t.SCALAR_VALUE, btf: null, btfId: 0, isReturnValue: false };
const RETURN_VALUE: ContextField = { ...SCALAR, isReturnValue: true };

/** The argument at `off`, or null where the access is refused (its sentence is in the log, if it has one). */
export function accessBtfContext(env: Env, off: number, size: number, write: boolean): ContextField | null {
  // LSM programs come without these, to whom the layout applies as it is.
  if (env.progType !== uapi.BPF_PROG_TYPE_LSM && (off < 0 || off >= 8 * MAX_ARGUMENTS || write || off % size !== 0))
    return null;
  const field = accessArgument(env, off, size);
  return field === null ? null : promoteSocket(env, field);
}

/** TCP congestion control is handed its struct sock as the struct tcp_sock that it is. */
function promoteSocket(env: Env, field: ContextField): ContextField {
  if (env.progType !== uapi.BPF_PROG_TYPE_STRUCT_OPS || hasUnsafeModifiers(field.regType)) return field;
  if (t.baseType(field.regType) !== t.PTR_TO_BTF_ID) return field;
  if (env.profile.structOps(env.attachBtfId)?.name !== 'tcp_congestion_ops') return field;
  const { btf } = env.profile;
  if (field.btfId !== btf.find('sock', kind.KIND_STRUCT)) return field;
  return { ...field, btfId: btf.find('tcp_sock', kind.KIND_STRUCT) };
}

function accessArgument(env: Env, off: number, size: number): ContextField | null {
  const name = env.attachFuncName;
  if (off % 8 !== 0) {
    refuse(env, KERNEL_MEMORY.contextMisaligned, env.attachFuncName, off);
    return null;
  }
  const btf = env.attachBtf;
  const proto = btf === null ? 0 : env.attachFuncProto;
  const arg = proto === 0 ? off / 8 : argumentAt(btf!, proto, off);
  // The prototype of a raw tracepoint begins with a pointer that programs are not given.
  const skipped = env.attachBtfTrace ? 1 : 0;
  const count = (proto === 0 ? MAX_REGISTER_ARGUMENTS : btf!.vlen(proto)) - skipped;
  if (arg > count) return noArgument(env, name, arg);
  if (arg < count) {
    if (proto === 0) return SCALAR;
    return accessType(env, btf!, btf!.paramType(proto, arg + skipped), proto, arg, off, size, false);
  }
  return accessReturnValue(env, btf, proto, arg, off, size);
}

function noArgument(env: Env, name: string, arg: number): null {
  refuse(env, KERNEL_MEMORY.contextNoArgument, name, arg);
  return null;
}

/** Index of the argument at an offset; arguments take whole registers each. */
function argumentAt(btf: Btf, proto: number, off: number): number {
  let end = 0;
  const count = btf.vlen(proto);
  for (let i = 0; i < count; i++) {
    end += slotBytes(btf, btf.paramType(proto, i));
    if (off < end) return i;
  }
  return off < end + slotBytes(btf, btf.sizeOrType(proto)) ? count : count + 1;
}
function slotBytes(btf: Btf, id: number): number {
  const type = btf.skipModifiers(id);
  if (btf.kind(type) === kind.KIND_PTR) return 8;
  return Math.ceil((type === 0 ? 0 : btf.sizeOrType(type)) / 8) * 8;
}

/** Behind the arguments lies the result, for programs that run when there is one. */
function accessReturnValue(
  env: Env,
  btf: Btf | null,
  proto: number,
  arg: number,
  off: number,
  size: number,
): ContextField | null {
  const attach = env.expectedAttachType;
  switch (attach) {
    case uapi.BPF_LSM_MAC:
    case uapi.BPF_LSM_CGROUP:
    case uapi.BPF_TRACE_FEXIT:
      if (proto === 0) return attach === uapi.BPF_LSM_MAC ? RETURN_VALUE : SCALAR;
      return accessType(env, btf!, btf!.sizeOrType(proto), proto, arg, off, size, attach === uapi.BPF_LSM_MAC);
    case uapi.BPF_MODIFY_RETURN: {
      if (proto === 0) {
        refuse(env, KERNEL_MEMORY.contextWithoutPrototype);
        return null;
      }
      const type = btf!.skipModifiers(btf!.sizeOrType(proto));
      if (isSmallInt(btf!, type)) return SCALAR;
      refuse(env, KERNEL_MEMORY.contextResultType, btf!, type);
      return null;
    }
    default:
      return noArgument(env, env.attachFuncName, arg);
  }
}

function isSmallInt(btf: Btf, type: number): boolean {
  return btf.kind(type) === kind.KIND_INT && btf.sizeOrType(type) <= 8;
}

function accessType(
  env: Env,
  btf: Btf,
  id: number,
  proto: number,
  arg: number,
  off: number,
  size: number,
  isReturnValue: boolean,
): ContextField | null {
  const type = btf.skipModifiers(id);
  const scalar = isReturnValue ? RETURN_VALUE : SCALAR;
  if (isSmallInt(btf, type) || isEnum(btf, type) || isStructOrUnion(btf, type)) return scalar;
  if (btf.kind(type) !== kind.KIND_PTR) {
    refuse(env, KERNEL_MEMORY.contextNotPointer, env.attachFuncName, arg, btf, type);
    return null;
  }
  if (size !== 8) {
    refuse(env, KERNEL_MEMORY.contextSize, env.attachFuncName, size);
    return null;
  }
  const special = contextArguments(env).find((one) => one.offset === off);
  const buffer = special !== undefined && t.baseType(special.regType) === t.PTR_TO_BUF;
  if (buffer && (special.regType & t.PTR_MAYBE_NULL) !== 0)
    return { regType: special.regType, btf: null, btfId: 0, isReturnValue };
  const pointee = btf.sizeOrType(type);
  // Pointers to void and to numbers are numbers: nothing can be done with them.
  if (pointee === 0 || btf.kind(btf.skipModifiers(pointee)) === kind.KIND_INT) return scalar;
  if (special !== undefined) {
    const { regType, btfId } = special;
    if (btfId !== 0) return { regType, btf: env.profile.btf, btfId, isReturnValue };
    refuse(env, KERNEL_MEMORY.contextArgumentType, off);
    return null;
  }
  return accessPointer(env, btf, type, proto, arg, isReturnValue);
}

/** A pointer argument to a structure. */
function accessPointer(
  env: Env,
  btf: Btf,
  type: number,
  proto: number,
  arg: number,
  isReturnValue: boolean,
): ContextField | null {
  const name = env.attachFuncName;
  let regType = t.PTR_TO_BTF_ID;
  if (argumentsTrusted(env)) regType |= t.PTR_TRUSTED;
  const param = arg + (env.attachBtfTrace ? 1 : 0);
  if (param < btf.vlen(proto) && btf.paramName(proto, param).endsWith('__nullable')) regType |= t.PTR_MAYBE_NULL;
  let mayBeError = false;
  if (env.expectedAttachType === uapi.BPF_TRACE_RAW_TP) {
    const mask = env.profile.rawTracepointNullArguments(tracepointName(env));
    // A module's tracepoint of which nothing is known may be handed null.
    if (mask === null ? btf.base !== null : nibble(mask, arg, 1)) regType |= t.PTR_MAYBE_NULL;
    mayBeError = mask !== null && nibble(mask, arg, 2);
  }
  const { attachProgram } = env.program;
  if (attachProgram !== null) {
    const progType = attachProgram.extendedType || attachProgram.type;
    const btfId = tracedContextTypeId(env, btf, type, progType);
    if (btfId === 0) {
      refuse(env, KERNEL_MEMORY.contextOfTraced);
      return null;
    }
    return { regType, btf: env.profile.btf, btfId, isReturnValue };
  }
  const pointee = btf.sizeOrType(type);
  regType |= pointerTagFlag(btf, pointee) & (t.MEM_USER | t.MEM_PERCPU);
  const struct = btf.skipModifiers(pointee);
  if (!isStructOrUnion(btf, struct)) {
    refuse(env, KERNEL_MEMORY.contextNotStruct, env.attachFuncName, arg, btf, struct);
    return null;
  }
  env.log.note(
    () => `func '${name}' arg${arg} has btf_id ${struct} type ${kindName(btf, struct)} '${logName(btf, struct)}'\n`,
  );
  if (!mayBeError) return { regType, btf, btfId: struct, isReturnValue };
  env.log.note(() => `marking pointer arg${arg} as scalar as it may encode error`);
  return isReturnValue ? RETURN_VALUE : SCALAR;
}

/** Bit of an argument in a mask of four bits each: 1 may be null, 2 may encode an error. */
function nibble(mask: number, arg: number, bit: number): boolean {
  return (Math.floor(mask / 16 ** arg) % 16) & bit ? true : false;
}

const TRACE_PREFIX = 'btf_trace_';

function tracepointName(env: Env): string {
  return env.attachBtf!.typeName(env.attachBtfId).slice(TRACE_PREFIX.length);
}

/** Arguments of tracepoints, iterators, struct_ops and all but a few LSM hooks are valid as the program gets them. */
function argumentsTrusted(env: Env): boolean {
  switch (env.program.type) {
    case uapi.BPF_PROG_TYPE_TRACING:
      return env.expectedAttachType === uapi.BPF_TRACE_RAW_TP || env.expectedAttachType === uapi.BPF_TRACE_ITER;
    case uapi.BPF_PROG_TYPE_LSM:
      return !env.profile.btfIdSet('untrusted_lsm_hooks').has(env.attachBtfId);
    case uapi.BPF_PROG_TYPE_STRUCT_OPS:
      return true;
    default:
      return false;
  }
}
