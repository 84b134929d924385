/** Calls of helpers (check_helper_call of Linux 6.12): may it be called here, its arguments, its own rules, its result. */
import { CALLS } from '../../refusals/calls.js';
import { refuse } from '../../refusals/refuse.js';
import type { HelperProto } from '../../../targets/profile.js';
import * as uapi from '../../../targets/uapi.js';
import type { Env } from '../../env.js';
import { CallMeta } from '../call-meta.js';
import { helperProto } from '../../kernel/functions.js';
import { clearCallerSaved } from '../caller-saved.js';
import { checkHelperArgument } from './arguments.js';
import * as helper from '../../../targets/helper-ids.js';
import { releaseHelperArgument } from './release.js';
import { HelperEffects, checkHelperRules } from './rules.js';
import { setHelperResult } from './results.js';
import { recordKey, recordMap } from './map-facts.js';
import { checkMapHelper } from '../../kernel/map-helpers.js';
import { checkMemAccess } from '../../memory/memory.js';
import { clearAllPacketPointers } from '../../memory/packet-invalidation.js';
import { inSleepable } from '../../register-types.js';

const STORAGE_GET: ReadonlySet<number> = new Set([
  helper.SK_STORAGE_GET,
  helper.INODE_STORAGE_GET,
  helper.TASK_STORAGE_GET,
  helper.CGRP_STORAGE_GET,
]);

/** The prototype, where the program may call the helper from here; or an errno. */
function findHelper(env: Env, id: number): HelperProto | number {
  if (env.profile.helperName(id) === null) {
    return refuse(env, CALLS.noSuchHelper, env.profile, id);
  }
  const fn = helperProto(env, id);
  if (fn === null) {
    return refuse(env, CALLS.helperNotForType, env.profile, id);
  }
  if (!env.gplCompatible && fn.gplOnly) {
    return refuse(env, CALLS.helperNeedsGpl);
  }
  const { type, attachBtfId, attachProgram } = env.program;
  if (!fn.isAllowedAt(type, env.expectedAttachType, attachBtfId, attachProgram !== null)) {
    return refuse(env, CALLS.helperNotAllowed);
  }
  if (fn.mightSleep && !inSleepable(env)) {
    return refuse(env, CALLS.helperMightSleep);
  }
  return fn;
}

/** Sections where nothing may sleep: storage is then allocated without sleeping, too. */
function checkSections(env: Env, fn: HelperProto, insnIdx: number): number {
  const { state } = env;
  if (!state.activeRcuLock && state.activePreemptLocks === 0) return 0;
  const sections: [boolean, string][] = [
    [state.activeRcuLock, 'rcu_read_lock region'],
    [state.activePreemptLocks > 0, 'non-preemptible region'],
  ];
  for (const [isIn, name] of sections) {
    if (!isIn) continue;
    if (fn.mightSleep) {
      return refuse(env, CALLS.helperSleepsInSection, env.profile, fn.id, name);
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

/** Whether bpf_get_func_ip knows the function: where a trampoline or a probe called the program. */
function checkGetFuncIp(env: Env): number {
  if (env.progType === uapi.BPF_PROG_TYPE_KPROBE) return 0;
  if (env.progType !== uapi.BPF_PROG_TYPE_TRACING) {
    return refuse(env, CALLS.functionIpProgramType, env.profile, helper.GET_FUNC_IP, env.progType);
  }
  const type = env.expectedAttachType;
  if (type === uapi.BPF_TRACE_FENTRY || type === uapi.BPF_TRACE_FEXIT || type === uapi.BPF_MODIFY_RETURN) return 0;
  return refuse(env, CALLS.functionIpAttachType, env.profile, helper.GET_FUNC_IP);
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
  const effects = new HelperEffects();
  effects.changesPacket = env.profile.helperChangesPacket(id);
  const err =
    checkSections(env, fn, i) ||
    checkArguments(env, fn, meta, i) ||
    releaseHelperArgument(env, fn, meta) ||
    checkHelperRules(env, fn, meta, i, effects);
  if (err !== 0) return err;
  clearCallerSaved(env, env.state.frame);
  const failed =
    setHelperResult(env, fn, meta, i, effects.isAllocatedPercpu) ||
    checkMapHelper(env, meta.map, id) ||
    (id === helper.GET_FUNC_IP ? checkGetFuncIp(env) : 0);
  if (failed !== 0) return failed;
  if (effects.changesPacket) clearAllPacketPointers(env);
  return 0;
}
