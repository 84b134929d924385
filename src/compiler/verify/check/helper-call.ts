/** Calls of helpers (check_helper_call of Linux 6.12): may it be called here, its arguments, its own rules, its result. */
import { isStructOrUnion } from '../../btf/layout.js';
import type { HelperProto } from '../../targets/profile.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import { isNull } from '../domain/scalar.js';
import { ltU } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES, EFAULT, EINVAL, ENOTSUPP } from '../errno.js';
import { regTypeName } from '../log/text.js';
import { markChainPrecision } from '../prune/precision.js';
import { CallMeta } from './call-meta.js';
import { helperChangesPktData, helperProto } from './callees.js';
import { pushCallback } from './callbacks.js';
import { clearCallerSaved } from './caller-saved.js';
import * as callee from './callee-state.js';
import { checkSnprintf } from './const-string.js';
import { DYNPTR_INVALID, DYNPTR_SKB, dynptrState } from './dynptr-slots.js';
import { checkHelperArgument } from './helper-arguments.js';
import * as helper from './helper-ids.js';
import { helperLabel } from './helper-name.js';
import { releaseHelperArgument } from './helper-release.js';
import { setHelperResult } from './helper-results.js';
import { recordKey, recordMap } from './map-facts.js';
import { checkMapHelper } from './map-helpers.js';
import { checkMemAccess } from './memory.js';
import { clearAllPacketPointers } from './packet-invalidation.js';
import { checkReferenceLeak } from './references.js';
import { attachReturnsVoid } from './return-range.js';
import { inSleepable } from './types.js';

const STORAGE_GET: ReadonlySet<number> = new Set([
  helper.SK_STORAGE_GET,
  helper.INODE_STORAGE_GET,
  helper.TASK_STORAGE_GET,
  helper.CGRP_STORAGE_GET,
]);

/** bpf_d_path only on hooks where the path cannot be locked (bpf_d_path_allowed, kernel/trace/bpf_trace.c). */
function isAllowedHere(env: Env, id: number): boolean {
  if (id !== helper.D_PATH) return true;
  if (env.progType === uapi.BPF_PROG_TYPE_TRACING && env.expectedAttachType === uapi.BPF_TRACE_ITER) return true;
  const isLsm = env.progType === uapi.BPF_PROG_TYPE_LSM;
  return env.profile.btfIdSet(isLsm ? 'sleepable_lsm_hooks' : 'btf_allowlist_d_path').has(env.attachBtfId);
}

/** The prototype, where the program may call the helper from here; or an errno. */
function findHelper(env: Env, id: number): HelperProto | number {
  if (env.profile.helperName(id) === null) {
    env.log.write(`invalid func ${helperLabel(env, id)}\n`);
    return -EINVAL;
  }
  const fn = helperProto(env, id);
  if (fn === null) {
    env.log.write(`program of this type cannot use helper ${helperLabel(env, id)}\n`);
    return -EINVAL;
  }
  if (!env.gplCompatible && fn.gplOnly) {
    env.log.write('cannot call GPL-restricted function from non-GPL compatible program\n');
    return -EINVAL;
  }
  if (!isAllowedHere(env, id)) {
    env.log.write('helper call is not allowed in probe\n');
    return -EINVAL;
  }
  if (fn.mightSleep && !inSleepable(env)) {
    env.log.write('helper call might sleep in a non-sleepable prog\n');
    return -EINVAL;
  }
  return fn;
}

/** Sections where nothing may sleep: storage is then allocated without sleeping, too. */
function checkSections(env: Env, fn: HelperProto, insnIdx: number): number {
  const { state } = env;
  const sections: [boolean, string][] = [
    [state.activeRcuLock, 'rcu_read_lock region'],
    [state.activePreemptLocks > 0, 'non-preemptible region'],
  ];
  for (const [isIn, name] of sections) {
    if (!isIn) continue;
    if (fn.mightSleep) {
      env.log.write(`sleepable helper ${helperLabel(env, fn.id)} in ${name}\n`);
      return -EINVAL;
    }
    if (inSleepable(env) && STORAGE_GET.has(fn.id)) env.facts[insnIdx]!.storageGetAtomic = true;
  }
  return 0;
}

/** Memory that the helper fills is written to, byte by byte, as the program itself would. */
function writeFilledMemory(env: Env, meta: CallMeta, insnIdx: number): number {
  for (let i = 0; i < meta.accessSize; i++) {
    const err = checkMemAccess(env, insnIdx, meta.regno, i, 1, true, -1, false, false);
    if (err !== 0) return err;
  }
  return 0;
}

function checkTailCall(env: Env): number {
  const { state } = env;
  if (state.activeLockPtr !== null) {
    env.log.write('tail_call cannot be used inside bpf_spin_lock-ed region\n');
    return -EINVAL;
  }
  const err = checkReferenceLeak(env, false);
  if (err !== 0) {
    env.log.write('tail_call would lead to reference leak\n');
    return err;
  }
  if (state.activeRcuLock) {
    env.log.write('tail_call cannot be used inside bpf_rcu_read_lock-ed region\n');
    return -EINVAL;
  }
  if (state.activePreemptLocks > 0) {
    env.log.write('tail_call cannot be used inside bpf_preempt_disable-ed region\n');
    return -EINVAL;
  }
  return 0;
}

/** The loop can be made part of the program where flags are 0 and the callback is always the same. */
function noteLoopInlining(env: Env, subprog: number): void {
  const facts = env.facts[env.insnIdx]!;
  const isFirst = facts.callbackSubprog < 0;
  if (!isFirst && !facts.loopInline) return;
  const flagsAreZero = isNull(currentRegs(env)[4]!);
  if (flagsAreZero) markChainPrecision(env, 4);
  facts.loopInline = flagsAreZero && (isFirst || facts.callbackSubprog === subprog);
  if (isFirst) facts.callbackSubprog = subprog;
}

function checkLoop(env: Env, meta: CallMeta, insnIdx: number): number {
  noteLoopInlining(env, meta.subprog);
  const err = markChainPrecision(env, 1);
  if (err !== 0) return err;
  const { frame } = env.state;
  const iterations = currentRegs(env)[1]!;
  if (ltU(0, frame.callbackDepth, iterations.umaxHi, iterations.umaxLo)) {
    return pushCallback(env, insnIdx, meta.subprog, callee.setLoopCallback);
  }
  frame.callbackDepth = 0;
  if (env.log.detailed) env.log.write(`frame${env.state.currentFrame} bpf_loop iteration limit reached\n`);
  return 0;
}

function checkDynptrData(env: Env, fn: HelperProto, meta: CallMeta): number {
  const arg = fn.argTypes.findIndex((type) => t.baseType(type) === t.ARG_PTR_TO_DYNPTR);
  const state = dynptrState(env, currentRegs(env)[arg + 1]!);
  if (typeof state === 'number') {
    env.log.write('verifier internal error: failed to obtain dynptr id\n');
    return state;
  }
  if (meta.refObjId !== 0) {
    env.log.write('verifier internal error: meta.ref_obj_id already set\n');
    return -EFAULT;
  }
  meta.dynptrId = state.id;
  meta.refObjId = state.refObjId;
  return 0;
}

/** What the call does beside its arguments and result. */
class Effects {
  changesPacket = false;
  /** The result is the running CPU's part of an object of the program's. */
  isAllocatedPercpu = false;
}

function checkDynptrWrite(env: Env, fn: HelperProto, effects: Effects): number {
  const arg = fn.argTypes.findIndex((type) => t.baseType(type) === t.ARG_PTR_TO_DYNPTR);
  const state = dynptrState(env, currentRegs(env)[arg + 1]!);
  if (typeof state === 'number' || state.dynptrType === DYNPTR_INVALID) return -EFAULT;
  if (state.dynptrType === DYNPTR_SKB) effects.changesPacket = true;
  return 0;
}

function checkPercpuPointer(env: Env, insnIdx: number, effects: Effects): number {
  const reg = currentRegs(env)[1]!;
  if ((reg.type & t.MEM_RCU) === 0) return 0;
  if (reg.btf === null || !isStructOrUnion(reg.btf, reg.btfId)) {
    env.log.write('Helper has invalid btf/btf_id in R1\n');
    return -EFAULT;
  }
  effects.isAllocatedPercpu = true;
  env.facts[insnIdx]!.callWithPercpuAlloc = true;
  return 0;
}

/** Rules of single helpers. */
function checkOwnRules(env: Env, fn: HelperProto, meta: CallMeta, insnIdx: number, effects: Effects): number {
  const regs = currentRegs(env);
  switch (fn.id) {
    case helper.TAIL_CALL:
      return checkTailCall(env);
    case helper.GET_LOCAL_STORAGE:
      if (isNull(regs[2]!)) return markChainPrecision(env, 2);
      env.log.write("get_local_storage() doesn't support non-zero flags\n");
      return -EINVAL;
    case helper.FOR_EACH_MAP_ELEM:
      return pushCallback(env, insnIdx, meta.subprog, callee.setMapElemCallback);
    case helper.TIMER_SET_CALLBACK:
      return pushCallback(env, insnIdx, meta.subprog, callee.setTimerCallback);
    case helper.FIND_VMA:
      return pushCallback(env, insnIdx, meta.subprog, callee.setFindVmaCallback);
    case helper.USER_RINGBUF_DRAIN:
      return pushCallback(env, insnIdx, meta.subprog, callee.setUserRingbufCallback);
    case helper.SNPRINTF:
      return checkSnprintf(env);
    case helper.LOOP:
      return checkLoop(env, meta, insnIdx);
    case helper.DYNPTR_FROM_MEM:
      if (regs[1]!.type === t.PTR_TO_MAP_VALUE) return 0;
      env.log.write(`Unsupported reg type ${regTypeName(regs[1]!.type)} for bpf_dynptr_from_mem data\n`);
      return -EACCES;
    case helper.SET_RETVAL:
      return checkSetRetval(env);
    case helper.DYNPTR_DATA:
      return checkDynptrData(env, fn, meta);
    case helper.DYNPTR_WRITE:
      return checkDynptrWrite(env, fn, effects);
    case helper.PER_CPU_PTR:
    case helper.THIS_CPU_PTR:
      return checkPercpuPointer(env, insnIdx, effects);
    default:
      return 0;
  }
}

function checkSetRetval(env: Env): number {
  const isCgroupLsm = env.progType === uapi.BPF_PROG_TYPE_LSM && env.expectedAttachType === uapi.BPF_LSM_CGROUP;
  if (!isCgroupLsm || !attachReturnsVoid(env)) return 0;
  env.log.write("BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n");
  return -EINVAL;
}

/** Whether bpf_get_func_ip knows the function: where a trampoline or a probe called the program. */
function checkGetFuncIp(env: Env): number {
  const name = helperLabel(env, helper.GET_FUNC_IP);
  if (env.progType === uapi.BPF_PROG_TYPE_KPROBE) return 0;
  if (env.progType !== uapi.BPF_PROG_TYPE_TRACING) {
    env.log.write(`func ${name} not supported for program type ${env.progType}\n`);
    return -ENOTSUPP;
  }
  const type = env.expectedAttachType;
  if (type === uapi.BPF_TRACE_FENTRY || type === uapi.BPF_TRACE_FEXIT || type === uapi.BPF_MODIFY_RETURN) return 0;
  env.log.write(`func ${name} supported only for fentry/fexit/fmod_ret programs\n`);
  return -ENOTSUPP;
}

function noteProgramNeeds(env: Env, id: number): number {
  if (id === helper.GET_STACKID || id === helper.GET_STACK) env.callGetStack = true;
  if (id !== helper.GET_FUNC_IP) return 0;
  if (checkGetFuncIp(env) !== 0) return -ENOTSUPP;
  env.callGetFuncIp = true;
  return 0;
}

function checkArguments(env: Env, fn: HelperProto, meta: CallMeta, insnIdx: number): number {
  for (let arg = 0; arg < 5; arg++) {
    const err = checkHelperArgument(env, arg, meta, fn, insnIdx);
    if (err !== 0) return err;
  }
  return recordMap(env, meta, insnIdx) || recordKey(env, meta, insnIdx) || writeFilledMemory(env, meta, insnIdx);
}

/** Checks the call at instruction `i`, and what it makes of the state. */
export function checkHelperCall(env: Env, i: number): number {
  const id = env.insns.imm(i);
  const fn = findHelper(env, id);
  if (typeof fn === 'number') return fn;
  const meta = new CallMeta();
  meta.packetAccess = fn.pktAccess;
  meta.helperId = id;
  const effects = new Effects();
  effects.changesPacket = helperChangesPktData(id);
  const err =
    checkSections(env, fn, i) ||
    checkArguments(env, fn, meta, i) ||
    releaseHelperArgument(env, fn, meta) ||
    checkOwnRules(env, fn, meta, i, effects);
  if (err !== 0) return err;
  clearCallerSaved(env, currentRegs(env));
  const failed =
    setHelperResult(env, fn, meta, i, effects.isAllocatedPercpu) ||
    checkMapHelper(env, meta.map, id) ||
    noteProgramNeeds(env, id);
  if (failed !== 0) return failed;
  if (effects.changesPacket) clearAllPacketPointers(env);
  return 0;
}
