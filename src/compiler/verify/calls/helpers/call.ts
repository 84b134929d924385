/** Calls of helpers (check_helper_call of Linux 6.12): may it be called here, its arguments, its own rules, its result. */
import type { HelperProto } from '../../../targets/profile.js';
import * as uapi from '../../../targets/uapi.js';
import type { Env } from '../../env.js';
import { EINVAL, ENOTSUPP } from '../../errno.js';
import { CallMeta } from '../call-meta.js';
import { helperProto } from '../../kernel/functions.js';
import { clearCallerSaved } from '../caller-saved.js';
import { checkHelperArgument } from './arguments.js';
import * as helper from '../../../targets/helper-ids.js';
import { helperLabel } from '../../kernel/helper-name.js';
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
  const { type, attachBtfId, attachProgram } = env.program;
  if (!fn.isAllowedAt(type, env.expectedAttachType, attachBtfId, attachProgram !== null)) {
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
  if (!state.activeRcuLock && state.activePreemptLocks === 0) return 0;
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
