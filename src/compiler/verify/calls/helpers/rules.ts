/** Rules that single helpers have beside their prototypes, and the callbacks that they run (Linux 6.12). */
import { CALLS } from '../../refusals/calls.js';
import { amend, refuse, refuseAs } from '../../refusals/refuse.js';
import { isStructOrUnion } from '../../../btf/layout.js';
import type { HelperProto } from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import * as uapi from '../../../targets/uapi.js';
import { isNull } from '../../domain/scalar.js';
import { ltU } from '../../domain/u64.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { markChainPrecision } from '../../prune/precision.js';
import type { CallMeta } from '../call-meta.js';
import { pushCallback } from '../subprograms/callbacks.js';
import * as callee from '../subprograms/callee-state.js';
import { checkSnprintf } from '../const-string.js';
import { DYNPTR_INVALID, DYNPTR_SKB, dynptrState } from '../../objects/dynptr-slots.js';
import * as helper from '../../../targets/helper-ids.js';
import { checkReferenceLeak } from '../../objects/references.js';
import { attachReturnsVoid } from '../../attach/return-range.js';

function checkTailCall(env: Env): number {
  const { state } = env;
  if (state.activeLockPtr !== null) {
    return refuse(env, CALLS.tailCallInLock);
  }
  const err = checkReferenceLeak(env, false);
  if (err !== 0) {
    amend(env, CALLS.tailCallLeaks);
    return err;
  }
  if (state.activeRcuLock) {
    return refuse(env, CALLS.tailCallInRcu);
  }
  if (state.activePreemptLocks > 0) {
    return refuse(env, CALLS.tailCallInPreempt);
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
    return refuseAs(env, -state, CALLS.dynptrWithoutId);
  }
  if (meta.refObjId !== 0) {
    return refuse(env, CALLS.dynptrReferenceSet);
  }
  meta.dynptrId = state.id;
  meta.refObjId = state.refObjId;
  return 0;
}

/** What the call does beside its arguments and result. */
export class HelperEffects {
  changesPacket = false;
  /** The result is the running CPU's part of an object of the program's. */
  isAllocatedPercpu = false;
}

function checkDynptrWrite(env: Env, fn: HelperProto, effects: HelperEffects): number {
  const arg = fn.argTypes.findIndex((type) => t.baseType(type) === t.ARG_PTR_TO_DYNPTR);
  const state = dynptrState(env, currentRegs(env)[arg + 1]!);
  if (typeof state === 'number' || state.dynptrType === DYNPTR_INVALID) {
    return refuse(env, CALLS.dynptrWithoutType);
  }
  if (state.dynptrType === DYNPTR_SKB) effects.changesPacket = true;
  return 0;
}

function checkPercpuPointer(env: Env, insnIdx: number, effects: HelperEffects): number {
  const reg = currentRegs(env)[1]!;
  if ((reg.type & t.MEM_RCU) === 0) return 0;
  if (reg.btf === null || !isStructOrUnion(reg.btf, reg.btfId)) {
    return refuse(env, CALLS.percpuWithoutType);
  }
  effects.isAllocatedPercpu = true;
  env.facts[insnIdx]!.callWithPercpuAlloc = true;
  return 0;
}

/** Rules of single helpers, behind the checks of arguments. */
export function checkHelperRules(
  env: Env,
  fn: HelperProto,
  meta: CallMeta,
  insnIdx: number,
  effects: HelperEffects,
): number {
  const regs = currentRegs(env);
  switch (fn.id) {
    case helper.TAIL_CALL:
      return checkTailCall(env);
    case helper.GET_LOCAL_STORAGE:
      if (isNull(regs[2]!)) return markChainPrecision(env, 2);
      return refuse(env, CALLS.storageFlags);
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
      return refuse(env, CALLS.dynptrFromMemory, regs[1]!.type);
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
  return refuse(env, CALLS.lsmSetsVoidResult);
}
