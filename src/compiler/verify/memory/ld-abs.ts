/** LD_ABS and LD_IND: loads from a packet through a call that may end the program. */
import { STRUCTURE } from '../refusals/structure.js';
import { MEMORY } from '../refusals/memory.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import { PTR_TO_CTX } from '../../targets/types.js';
import { BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER } from '../../targets/uapi.js';
import { pushStack } from '../branch.js';
import { markKnownZero, NOT_INIT_REG, markUnknown } from '../domain/scalar.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { E2BIG } from '../errno.js';
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
  let err = checkPlace(env, i) || checkRegArg(env, CONTEXT_REG, 'src');
  if (err !== 0) return err;
  err = checkReferenceLeak(env, false);
  if (err !== 0) {
    amend(env, MEMORY.packetLoadLeaks);
    return err;
  }
  err = checkSections(env);
  if (err !== 0) return err;
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

/** Programs over socket buffers only, in no callback. */
function checkPlace(env: Env, i: number): number {
  const { insns, progType } = env;
  const onSkb =
    progType === BPF_PROG_TYPE_SOCKET_FILTER ||
    progType === BPF_PROG_TYPE_SCHED_CLS ||
    progType === BPF_PROG_TYPE_SCHED_ACT;
  if (!onSkb) return refuse(env, MEMORY.packetLoadProgramType);
  for (let f = env.state.currentFrame; f > 0; f--) {
    if (env.state.frames[f]!.inCallbackFn) return refuse(env, STRUCTURE.packetLoadInCallback);
  }
  const opcode = insns.opcode(i);
  const absolute = (opcode & op.MODE_MASK) === op.ABS;
  const wide = (opcode & op.SIZE_MASK) === op.DW;
  if (insns.dst(i) !== 0 || insns.off(i) !== 0 || wide || (absolute && insns.src(i) !== 0))
    return refuse(env, MEMORY.packetLoadReservedFields);
  return 0;
}

/** Nothing may be held where the program may end. */
function checkSections(env: Env): number {
  const { state } = env;
  if (state.activeLockPtr !== null) return refuse(env, MEMORY.packetLoadInLock);
  if (state.activeRcuLock) return refuse(env, MEMORY.packetLoadInRcu);
  if (state.activePreemptLocks !== 0) return refuse(env, MEMORY.packetLoadInPreempt);
  if (currentRegs(env)[CONTEXT_REG]!.type !== PTR_TO_CTX) return refuse(env, MEMORY.packetLoadContext);
  return 0;
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
