/** The kernel function, tracepoint or iterator that a BTF-typed program names, and whether such a program may sit there. */
import { ATTACH } from '../refusals/attach.js';
import { refuse, unsupported } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import {
  KIND_ENUM,
  KIND_ENUM64,
  KIND_FUNC,
  KIND_FUNC_PROTO,
  KIND_INT,
  KIND_PTR,
  KIND_STRUCT,
  KIND_TYPEDEF,
} from '../../btf/kinds.js';
import { kindName } from '../../btf/print.js';
import { KF_SLEEPABLE } from '../../targets/profile.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { checkTargetProgram } from './attach-program.js';
import { matchFunction } from './function-match.js';

/** Most arguments of a function that tracing can hand on (MAX_BPF_FUNC_ARGS). */
const MAX_ARGUMENTS = 12;
/** Largest argument passed by value, and largest result a trampoline can keep, in bytes. */
const MAX_ARGUMENT_BYTES = 16;
const MAX_RESULT_BYTES = 8;
const RAW_TRACEPOINT_PREFIX = 'btf_trace_';

export interface AttachTarget {
  readonly btf: Btf;
  /** FUNC_PROTO that types the context; 0 for five numbers, where it cannot be trusted. */
  readonly prototype: number;
  /** Name of the function, or of the tracepoint without prefix. */
  readonly name: string;
}

/** Bytes of a value in the calling convention: 0 void, -1 what cannot be passed. */
function valueBytes(btf: Btf, type: number): number {
  if (type === 0) return 0;
  const id = btf.skipModifiers(type);
  switch (btf.kind(id)) {
    case KIND_PTR:
      return 8;
    case KIND_INT:
    case KIND_ENUM:
    case KIND_ENUM64:
    case KIND_STRUCT:
      return btf.sizeOrType(id);
    default:
      return -1;
  }
}

/** The word for a type that valueBytes() refused or that is a structure; VOID where modifiers hide nothing. */
function valueKind(btf: Btf, type: number): string {
  return kindName(btf, btf.skipModifiers(type));
}

/** Size of the result in bytes, or a negative errno where the function's prototype cannot be traced. */
function checkPrototype(env: Env, btf: Btf, prototype: number, name: string): number {
  const count = btf.vlen(prototype);
  if (count > MAX_ARGUMENTS) {
    return refuse(env, ATTACH.prototypeTooManyArguments, name, count);
  }
  const result = btf.sizeOrType(prototype);
  const resultBytes = valueBytes(btf, result);
  if (resultBytes < 0 || btf.kind(btf.skipModifiers(result)) === KIND_STRUCT) {
    return refuse(env, ATTACH.prototypeReturnType, name, valueKind(btf, result));
  }
  for (let i = 0; i < count; i++) {
    const type = btf.paramType(prototype, i);
    if (i === count - 1 && type === 0) {
      return refuse(env, ATTACH.prototypeVariadic, name);
    }
    const bytes = valueBytes(btf, type);
    if (bytes < 0 || bytes > MAX_ARGUMENT_BYTES) {
      return refuse(env, ATTACH.prototypeArgumentType, name, i, valueKind(btf, type));
    }
    if (bytes === 0) {
      return refuse(env, ATTACH.prototypeVoidArgument, name);
    }
  }
  return resultBytes;
}

/** A tracepoint's prototype with argument names stands at the template function; without them at the typedef itself. */
function rawTracepoint(env: Env, btf: Btf, id: number): AttachTarget | number {
  if (btf.kind(id) !== KIND_TYPEDEF) {
    return refuse(env, ATTACH.tracepointNotTypedef, id);
  }
  const typeName = btf.typeName(id);
  if (!typeName.startsWith(RAW_TRACEPOINT_PREFIX)) {
    return refuse(env, ATTACH.tracepointTypedefName, id, btf);
  }
  const name = typeName.slice(RAW_TRACEPOINT_PREFIX.length);
  const template = btf.base === null ? env.profile.rawTracepointFunction(name) : '';
  if (template === null) return refuse(env, ATTACH.noSuchTracepoint);
  const functionId = btf.find(template, KIND_FUNC);
  let prototype: number;
  if (functionId === 0 && btf.base !== null) {
    // Which template a module's tracepoint has, its BTF does not tell; its own typedef has the same types.
    prototype = btf.sizeOrType(btf.sizeOrType(id));
  } else if (functionId === 0) {
    env.log.note(() => `Cannot find btf of tracepoint template, fall back to ${RAW_TRACEPOINT_PREFIX}${name}.\n`);
    const pointer = btf.sizeOrType(id);
    if (btf.kind(pointer) !== KIND_PTR) return refuse(env, ATTACH.tracepointPrototype);
    prototype = btf.sizeOrType(pointer);
  } else {
    prototype = btf.sizeOrType(functionId);
  }
  if (btf.kind(prototype) !== KIND_FUNC_PROTO) return refuse(env, ATTACH.tracepointPrototype);
  return { btf, prototype, name };
}

/** Whether a program that may sleep can sit on this function. */
function mayHostSleepable(env: Env, id: number, name: string): boolean {
  const { profile } = env;
  switch (env.program.type) {
    case uapi.BPF_PROG_TYPE_TRACING:
      if (!profile.btfIdSet('btf_non_sleepable_error_inject').has(id) && profile.errorInjectable.has(name)) return true;
      return profile.modifyReturnFlags(id) >= 0 && (profile.modifyReturnFlags(id) & KF_SLEEPABLE) !== 0;
    case uapi.BPF_PROG_TYPE_LSM:
      return profile.btfIdSet('sleepable_lsm_hooks').has(id);
    default:
      return false;
  }
}

function isModifiable(env: Env, id: number, name: string): boolean {
  const { profile } = env;
  return profile.modifyReturnFlags(id) >= 0 || profile.errorInjectable.has(name) || name.startsWith('security_');
}

function tracedFunction(env: Env, btf: Btf, id: number, unreliable: boolean): AttachTarget | number {
  const { type, expectedAttachType: attachType, attachProgram } = env.program;
  const name = btf.typeName(id);
  const declared = functionPrototypeOf(env, btf, id);
  if (declared < 0) return declared;
  const mismatch = type === uapi.BPF_PROG_TYPE_EXT ? matchFunction(env, btf, id) : 0;
  if (mismatch !== 0) return mismatch;
  const prototype = unreliable ? 0 : declared;
  const resultBytes = unreliable ? MAX_RESULT_BYTES : checkPrototype(env, btf, prototype, name);
  if (resultBytes < 0) return resultBytes;
  if (attachType === uapi.BPF_TRACE_ITER) return { btf, prototype, name };

  const keepsResult = attachType === uapi.BPF_MODIFY_RETURN || attachType === uapi.BPF_TRACE_FEXIT;
  if (resultBytes > MAX_RESULT_BYTES && keepsResult) {
    return refuse(env, ATTACH.targetResultTooWide, btf, id);
  }
  if (attachProgram !== null) return checkTracedProgram(env, name) || { btf, prototype, name };
  // Functions in a module's own BTF are taken to be in its symbol table, too.
  const isThere = btf.base === null ? env.profile.symbols.address(name) !== null : id >= btf.firstId;
  if (!isThere) {
    return refuse(env, ATTACH.targetWithoutAddress, btf, id);
  }
  if (env.sleepable) {
    if (!mayHostSleepable(env, id, name)) {
      return refuse(env, ATTACH.targetNotSleepable, btf, id);
    }
  } else if (attachType === uapi.BPF_MODIFY_RETURN && !isModifiable(env, id, name)) {
    return refuse(env, ATTACH.targetNotModifiable, btf, id);
  }
  return { btf, prototype, name };
}

/** Nothing in a BPF program may sleep, and no result of one be changed. */
function checkTracedProgram(env: Env, name: string): number {
  if (env.sleepable) {
    return refuse(env, ATTACH.tracedProgramNotSleepable, name);
  }
  if (env.program.expectedAttachType !== uapi.BPF_MODIFY_RETURN) return 0;
  return refuse(env, ATTACH.tracedProgramResult);
}

function functionPrototypeOf(env: Env, btf: Btf, id: number): number {
  if (btf.kind(id) !== KIND_FUNC) {
    return refuse(env, ATTACH.targetNotFunction, id);
  }
  const prototype = btf.sizeOrType(id);
  return btf.kind(prototype) === KIND_FUNC_PROTO ? prototype : refuse(env, ATTACH.targetPrototype);
}

/** Checks what the program names of the kernel or of another BPF program (the kernel's bpf_check_attach_target, 6.12). */
export function checkAttachTarget(env: Env): AttachTarget | number {
  const { type, expectedAttachType, attachProgram, attachBtf: btf, attachBtfId: id } = env.program;
  if (id === 0) {
    return refuse(env, ATTACH.tracingWithoutTarget);
  }
  if (btf === null) {
    return refuse(env, ATTACH.targetWithoutBtf);
  }
  if (!btf.has(id)) {
    return refuse(env, ATTACH.noSuchTargetId, id);
  }
  const unreliable = attachProgram === null ? false : checkTargetProgram(env, attachProgram, btf.typeName(id));
  if (typeof unreliable === 'number') return unreliable;
  if (attachProgram === null && type === uapi.BPF_PROG_TYPE_EXT) {
    return refuse(env, ATTACH.extensionOfKernel);
  }
  if (type === uapi.BPF_PROG_TYPE_EXT) return tracedFunction(env, btf, id, unreliable);
  switch (expectedAttachType) {
    case uapi.BPF_TRACE_RAW_TP:
      if (attachProgram === null) return rawTracepoint(env, btf, id);
      return refuse(env, ATTACH.attachTypeForPrograms);
    case uapi.BPF_TRACE_ITER:
      if (attachProgram !== null) return unsupported(env, 'an iterator that is attached to another BPF program');
      return tracedFunction(env, btf, id, unreliable);
    case uapi.BPF_MODIFY_RETURN:
    case uapi.BPF_LSM_MAC:
    case uapi.BPF_LSM_CGROUP:
    case uapi.BPF_TRACE_FENTRY:
    case uapi.BPF_TRACE_FEXIT:
      return tracedFunction(env, btf, id, unreliable);
    default:
      return refuse(env, ATTACH.attachTypeWithoutTarget);
  }
}
