/** Calls of kernel functions (check_kfunc_call of Linux 6.12): may it be called here, arguments, sections, result. */
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { amend, refuse, unsupported } from '../../refusals/refuse.js';
import { CAP_SYS_BOOT, isCapable } from '../../../targets/capabilities.js';
import * as kf from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import { markNotInit } from '../../domain/scalar.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { forgetReg } from '../../frames.js';
import { markInsnZeroExtended, markRegRead } from '../../prune/liveness.js';
import { changeRegsMask } from '../../slots.js';
import { LIVE_READ32, LIVE_READ64 } from '../../live.js';
import { STACK_ITER, STACK_SPILL } from '../../state.js';
import { setRbtreeAddCallback, setTimerCallback } from '../subprograms/callee-state.js';
import type { SetCalleeState } from '../subprograms/callee-state.js';
import { fetchKernelFunction, functionBtf, lacksFlags } from '../../kernel/functions.js';
import type { KernelFunction } from '../../kernel/functions.js';
import { pushCallback } from '../subprograms/callbacks.js';
import { processIterNext } from '../../objects/iterator-arguments.js';
import { KernelCallMeta } from './call-meta.js';
import { checkKernelFunctionArguments } from './arguments.js';
import { noteArgumentRecord, setKernelFunctionResult } from './results.js';
import { kernelTypes } from '../../kernel/types.js';
import { convertToNonOwning } from '../../objects/non-owning.js';
import { inRbtreeCallback } from '../../objects/rbtree-callback.js';
import { releaseReference } from '../../objects/references.js';
import { checkReturnCode } from '../../attach/return-value.js';
import { inSleepable } from '../../register-types.js';

/** The function, or an errno where the program may not call it from here. */
function findFunction(env: Env, i: number): KernelFunction | number {
  const fn = fetchKernelFunction(env, i);
  if (fn === null) {
    const name = functionBtf(env, env.insns.off(i))?.typeName(env.insns.imm(i)) ?? '';
    if (lacksFlags(env, i)) return unsupported(env, `${name}() of a module of which only the BTF is known`);
    return refuse(env, KERNEL_CALLS.kfuncNotAllowed, name);
  }
  env.facts[i]!.isIterNext = (fn.flags & kf.KF_ITER_NEXT) !== 0;
  if ((fn.flags & kf.KF_DESTRUCTIVE) !== 0 && !isCapable(env.program.capabilities, CAP_SYS_BOOT)) {
    return refuse(env, KERNEL_CALLS.kfuncDestructive);
  }
  if ((fn.flags & kf.KF_SLEEPABLE) !== 0 && !inSleepable(env)) {
    return refuse(env, KERNEL_CALLS.kfuncMightSleep, fn.name);
  }
  return fn;
}

function callbackOf(meta: KernelCallMeta): SetCalleeState | null {
  switch (meta.special) {
    case 'bpf_rbtree_add_impl':
      return setRbtreeAddCallback;
    case 'bpf_wq_set_callback_impl':
      return setTimerCallback;
    default:
      return null;
  }
}

function checkCallback(env: Env, meta: KernelCallMeta, i: number): number {
  const setCalleeState = callbackOf(meta);
  if (setCalleeState === null) return 0;
  const err = pushCallback(env, i, meta.subprog, setCalleeState);
  if (err !== 0) amend(env, KERNEL_CALLS.kfuncCallbackFailed, meta.fn.name, meta.fn.id);
  return err;
}

/** The RCU section ends: what it protected can no longer be trusted. */
function leaveRcuSection(env: Env): void {
  changeRegsMask(
    env.state,
    (1 << STACK_SPILL) | (1 << STACK_ITER),
    (reg) => (reg.type & t.MEM_RCU) !== 0,
    (reg) => (reg.type = (reg.type & ~(t.MEM_RCU | t.PTR_MAYBE_NULL)) | t.PTR_UNTRUSTED),
  );
  env.state.activeRcuLock = false;
}

function checkRcuSection(env: Env, { fn, special }: KernelCallMeta): number {
  const locks = special === 'bpf_rcu_read_lock';
  const unlocks = special === 'bpf_rcu_read_unlock';
  const { state } = env;
  if (!state.activeRcuLock) {
    if (unlocks) return refuse(env, KERNEL_CALLS.rcuUnlockUnmatched, fn.name);
    if (locks) state.activeRcuLock = true;
    return 0;
  }
  if ((locks || unlocks) && inRbtreeCallback(env)) {
    return refuse(env, KERNEL_CALLS.rcuInTreeCallback);
  }
  if (locks) return refuse(env, KERNEL_CALLS.rcuNested, fn.name);
  if (unlocks) leaveRcuSection(env);
  else if ((fn.flags & kf.KF_SLEEPABLE) !== 0) {
    return refuse(env, KERNEL_CALLS.kfuncSleepsInRcu, fn.name);
  }
  return 0;
}

function checkPreemption(env: Env, { fn, special }: KernelCallMeta): number {
  const { state } = env;
  if (special === 'bpf_preempt_disable') {
    state.activePreemptLocks++;
    return 0;
  }
  if (special === 'bpf_preempt_enable') {
    if (state.activePreemptLocks === 0) {
      return refuse(env, KERNEL_CALLS.preemptUnmatched, fn.name);
    }
    state.activePreemptLocks--;
    return 0;
  }
  if (state.activePreemptLocks > 0 && (fn.flags & kf.KF_SLEEPABLE) !== 0) {
    return refuse(env, KERNEL_CALLS.kfuncSleepsInPreempt, fn.name);
  }
  return 0;
}

function release(env: Env, { fn }: KernelCallMeta, refObjId: number): number {
  const err = releaseReference(env, refObjId);
  if (err !== 0) amend(env, KERNEL_CALLS.kfuncReleasesUnknown, fn.name, fn.id);
  return err;
}

/** What the function takes over: a reference, or an object that goes into a list or tree. */
function releaseArguments(env: Env, meta: KernelCallMeta, i: number): number {
  const regs = currentRegs(env);
  if (meta.releaseRegno !== 0) {
    const err = release(env, meta, regs[meta.releaseRegno]!.refObjId);
    if (err !== 0) return err;
  }
  switch (meta.special) {
    case 'bpf_list_push_front_impl':
    case 'bpf_list_push_back_impl':
    case 'bpf_rbtree_add_impl':
      break;
    default:
      return 0;
  }
  const { refObjId, off } = regs[2]!;
  env.facts[i]!.graphNodeOffset = off;
  noteArgumentRecord(env, meta, i);
  const err = convertToNonOwning(env, refObjId);
  if (err !== 0) {
    amend(env, KERNEL_CALLS.kfuncOwnershipFailed, meta.fn.name, meta.fn.id);
    return err;
  }
  return release(env, meta, refObjId);
}

/** Without a callback of its own, what a program throws is what it returns. */
function checkThrow(env: Env, meta: KernelCallMeta): number {
  if (meta.special !== 'bpf_throw') return 0;
  env.seenException = true;
  return env.exceptionCallbackSubprog === 0 ? checkReturnCode(env, 1) : 0;
}

/** Marks the arguments as read, as wide as the prototype has them. */
function markArgumentsRead(env: Env, fn: KernelFunction): number {
  for (const parameter of fn.parameters) {
    const regno = parameter.index + 1;
    const reg = currentRegs(env)[regno]!;
    const wide = parameter.isPointer || fn.btf.sizeOrType(parameter.typeId) === 8;
    if (wide) markInsnZeroExtended(env, reg);
    const err = markRegRead(env, env.state.frame, regno, wide ? LIVE_READ64 : LIVE_READ32);
    if (err !== 0) return err;
  }
  return 0;
}

/** Checks the call at instruction `i`, and what it makes of the state. */
export function checkKernelFunctionCall(env: Env, i: number): number {
  if (env.insns.imm(i) === 0) return 0; // refused by the rewrites, if it is not dead code
  const fn = findFunction(env, i);
  if (typeof fn === 'number') return fn;
  const meta = new KernelCallMeta(fn, kernelTypes(env).special(fn.id));
  let err = checkKernelFunctionArguments(env, meta, i) || checkCallback(env, meta, i);
  if (err !== 0) return err;
  if (meta.special === 'bpf_session_cookie') {
    meta.resultSize = 8;
    meta.resultReadOnly = false;
  }
  err =
    checkRcuSection(env, meta) || checkPreemption(env, meta) || releaseArguments(env, meta, i) || checkThrow(env, meta);
  if (err !== 0) return err;
  const { frame } = env.state;
  for (let r = 0; r <= 5; r++) {
    // What wrote an argument's low half alone is still to be looked at.
    if (frame.regs[r]!.subregDef === 0) forgetReg(frame, r);
    else markNotInit(frame.ownReg(r));
  }
  err = setKernelFunctionResult(env, meta, i) || markArgumentsRead(env, fn);
  if (err !== 0) return err;
  return meta.has(kf.KF_ITER_NEXT) ? processIterNext(env, meta, i) : 0;
}
