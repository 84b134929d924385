/** Where a program is attached: whether it may be, and what its context is typed by. */
import { ATTACH } from '../refusals/attach.js';
import { refuse, refuseAs } from '../refusals/refuse.js';
import { KIND_FUNC_PROTO } from '../../btf/kinds.js';
import type { Btf } from '../../btf/btf.js';
import { functionPrototype } from '../../btf/layout.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { EINVAL, ENOMEM, ENOTSUPP } from '../errno.js';
import { checkAttachTarget as checkTarget } from './attach-target.js';

const BPF_F_SLEEPABLE = 1 << 4;

/** A struct_ops program implements one member of a structure of function pointers that the kernel registered. */
function checkStructOps(env: Env): number {
  if (!env.gplCompatible) {
    return refuse(env, ATTACH.structOpsLicense);
  }
  const { attachBtf: btf, attachBtfId } = env.program;
  if (attachBtfId === 0 || btf === null) return refuse(env, ATTACH.structOpsWithoutStruct);
  const operations = env.profile.structOps(attachBtfId);
  if (operations === null) {
    return refuse(env, ATTACH.structOpsUnknownStruct, attachBtfId);
  }
  const member = env.program.expectedAttachType;
  if (member >= btf.vlen(attachBtfId)) {
    return refuse(env, ATTACH.structOpsMemberIndex, member, operations.name);
  }
  const name = btf.memberName(attachBtfId, member);
  const prototype = functionPointerPrototype(btf, btf.memberType(attachBtfId, member));
  if (prototype === 0) {
    return refuse(env, ATTACH.structOpsMemberNoFunction, name, member, operations.name);
  }
  if (!operations.supported.has(member) || (env.sleepable && !operations.sleepable.has(member))) {
    const errno = operations.supported.has(member) ? EINVAL : ENOTSUPP;
    return refuseAs(env, errno, ATTACH.structOpsMemberUnsupported, name, operations.name);
  }
  setAttachment(env, btf, prototype, name);
  return 0;
}

function functionPointerPrototype(btf: Btf, memberType: number): number {
  const prototype = functionPrototype(btf, memberType);
  return prototype !== 0 && btf.kind(prototype) === KIND_FUNC_PROTO ? prototype : 0;
}

function setAttachment(env: Env, btf: Btf, prototype: number, name: string): void {
  env.attachBtf = btf;
  env.attachBtfId = env.program.attachBtfId;
  env.attachFuncProto = prototype;
  env.attachFuncName = name;
}

function checkLsm(env: Env): number {
  const id = env.attachBtfId;
  if (!env.gplCompatible) {
    return refuse(env, ATTACH.lsmLicense);
  }
  if (env.profile.btfIdSet('bpf_lsm_disabled_hooks').has(id)) {
    return refuse(env, ATTACH.lsmHookDisabled, id, env.attachFuncName);
  }
  if (!env.profile.btfIdSet('bpf_lsm_hooks').has(id)) {
    return refuse(env, ATTACH.lsmHookName, id, env.attachFuncName);
  }
  return 0;
}

/** Functions that tracing must not touch: those tracing itself runs, and exits from functions that do not return. */
function checkDenied(env: Env): number {
  const { type, expectedAttachType } = env.program;
  if (type === uapi.BPF_PROG_TYPE_TRACING && env.profile.btfIdSet('btf_id_deny').has(env.attachBtfId)) {
    return refuse(env, ATTACH.targetDenied);
  }
  const seesReturn = expectedAttachType === uapi.BPF_TRACE_FEXIT || expectedAttachType === uapi.BPF_MODIFY_RETURN;
  if (seesReturn && env.profile.btfIdSet('noreturn_deny').has(env.attachBtfId)) {
    return refuse(env, ATTACH.attachesToNoReturn);
  }
  return 0;
}

/** Such programs are entered from a trampoline, which is code that a JIT generates. */
function checkTrampoline(env: Env): number {
  return env.profile.behaviour.interpretsPrograms ? -ENOMEM : 0;
}

function checkTyped(env: Env): number {
  const { program } = env;
  const target = checkTarget(env);
  if (typeof target === 'number') return target;
  setAttachment(env, target.btf, target.prototype, target.name);
  const extended = program.type === uapi.BPF_PROG_TYPE_EXT ? program.attachProgram : null;
  if (extended !== null) {
    // From here on an extension is judged as what it replaces a part of.
    env.progType = extended.type;
    env.expectedAttachType = extended.expectedAttachType;
  }
  switch (env.expectedAttachType) {
    case uapi.BPF_TRACE_RAW_TP:
      env.attachBtfTrace = true;
      return 0;
    case uapi.BPF_TRACE_ITER:
      return env.profile.iterTarget(program.attachBtfId) === null ? refuse(env, ATTACH.noSuchIterator) : 0;
    default:
      return (program.type === uapi.BPF_PROG_TYPE_LSM ? checkLsm(env) : checkDenied(env)) || checkTrampoline(env);
  }
}

/**
 * Checks the attach point of the program (the kernel's check_attach_btf_id, 6.12) and settles env.attachBtf, attachBtfId,
 * attachFuncProto and attachFuncName for the checks that follow.
 */
export function checkAttachTarget(env: Env): number {
  const { type, expectedAttachType, flags } = env.program;
  const sleepable = (flags & BPF_F_SLEEPABLE) !== 0;
  if (type === uapi.BPF_PROG_TYPE_SYSCALL) {
    if (sleepable) return 0;
    return refuse(env, ATTACH.syscallNotSleepable);
  }
  if (sleepable && !env.profile.maySleep(type, expectedAttachType)) {
    return refuse(env, ATTACH.typeNotSleepable);
  }
  switch (type) {
    case uapi.BPF_PROG_TYPE_STRUCT_OPS:
      return checkStructOps(env);
    case uapi.BPF_PROG_TYPE_TRACING:
    case uapi.BPF_PROG_TYPE_LSM:
    case uapi.BPF_PROG_TYPE_EXT:
      return checkTyped(env);
    default:
      return 0;
  }
}
