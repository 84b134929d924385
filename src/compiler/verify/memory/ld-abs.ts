/** LD_ABS and LD_IND: loads from a packet through a call that may end the program. */
import * as op from '../../isa/opcodes.js';
import { PTR_TO_CTX } from '../../targets/types.js';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER } from '../../targets/uapi.js';
import { pushStack } from '../branch.js';
import { markKnownZero, NOT_INIT_REG, markUnknown } from '../domain/scalar.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { E2BIG, EINVAL } from '../errno.js';
import { markRegScratched } from '../log/scratch.js';
import { prepareFunctionExit } from '../calls/subprograms/call.js';
import { checkPtrOffReg } from './pointer-offset.js';
import { checkReferenceLeak } from '../objects/references.js';
import { checkRegArg } from '../registers.js';

const CONTEXT_REG = op.R6;
const CALLER_SAVED = 6;

/** Checks instruction `i`: the context is in R6, the result comes in R0, and R1 to R5 are lost. */
export function checkLdAbs(env: Env, i: number): number {
  const { insns } = env;
  let complaint = placeComplaint(env, i);
  if (complaint !== null) return refuse(env, complaint);
  let err = checkRegArg(env, CONTEXT_REG, 'src');
  if (err !== 0) return err;
  err = checkReferenceLeak(env, false);
  if (err !== 0) {
    env.log.write('BPF_LD_[ABS|IND] cannot be mixed with socket references\n');
    return err;
  }
  complaint = sectionComplaint(env);
  if (complaint !== null) return refuse(env, complaint);
  if ((insns.opcode(i) & op.MODE_MASK) === op.IND) {
    err = checkRegArg(env, insns.src(i), 'src');
    if (err !== 0) return err;
  }
  err = checkPtrOffReg(env, currentRegs(env)[CONTEXT_REG]!, CONTEXT_REG, false);
  if (err !== 0) return err;
  for (let r = 0; r < CALLER_SAVED; r++) {
    env.state.frame.setReg(r, NOT_INIT_REG);
    checkRegArg(env, r, 'dst-no-mark');
  }
  const r0 = ownReg(env, op.R0);
  markUnknown(r0);
  r0.subregDef = env.insnIdx + 1; // 32 bits at most
  return env.state.currentFrame === 0 ? 0 : followHiddenExit(env);
}

function refuse(env: Env, complaint: string): number {
  env.log.write(`${complaint}\n`);
  return -EINVAL;
}

/** Programs over socket buffers only, in no callback. */
function placeComplaint(env: Env, i: number): string | null {
  const { insns, progType } = env;
  const onSkb =
    progType === BPF_PROG_TYPE_SOCKET_FILTER ||
    progType === BPF_PROG_TYPE_SCHED_CLS ||
    progType === BPF_PROG_TYPE_SCHED_ACT;
  if (!onSkb) return 'BPF_LD_[ABS|IND] instructions not allowed for this program type';
  for (let f = env.state.currentFrame; f > 0; f--) {
    if (env.state.frames[f]!.inCallbackFn) return 'cannot use BPF_LD_[ABS|IND] within callback';
  }
  const opcode = insns.opcode(i);
  const absolute = (opcode & op.MODE_MASK) === op.ABS;
  const wide = (opcode & op.SIZE_MASK) === op.DW;
  if (insns.dst(i) !== 0 || insns.off(i) !== 0 || wide || (absolute && insns.src(i) !== 0))
    return 'BPF_LD_[ABS|IND] uses reserved fields';
  return null;
}

/** Nothing may be held where the program may end. */
function sectionComplaint(env: Env): string | null {
  const { state } = env;
  if (state.activeLockPtr !== null) return 'BPF_LD_[ABS|IND] cannot be used inside bpf_spin_lock-ed region';
  if (state.activeRcuLock) return 'BPF_LD_[ABS|IND] cannot be used inside bpf_rcu_read_lock-ed region';
  if (state.activePreemptLocks !== 0) return 'BPF_LD_[ABS|IND] cannot be used inside bpf_preempt_disable-ed region';
  if (currentRegs(env)[CONTEXT_REG]!.type !== PTR_TO_CTX) return 'at the time of BPF_LD_ABS|IND R6 != pointer to skb';
  return null;
}

/** In a subprogram a load beyond the packet returns 0 to the caller: a path of its own, followed first. */
function followHiddenExit(env: Env): number {
  markRegScratched(env, op.R0);
  if (pushStack(env, env.insnIdx + 1, env.insnIdx, false) === null) return -E2BIG;
  markKnownZero(ownReg(env, op.R0));
  const err = prepareFunctionExit(env);
  if (err !== 0) return err;
  env.insnIdx--;
  return 0;
}
