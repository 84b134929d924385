/** Walks the program path by path, one instruction at a time (do_check, Linux 6.12). */
import { WALK } from './refusals/walk.js';
import { refuse } from './refusals/refuse.js';
import * as op from '../isa/opcodes.js';
import { checkAluOp } from './arithmetic/alu.js';
import { isGraphApi, isThrowCall } from './kernel/functions.js';
import { checkFunctionCall, prepareFunctionExit } from './calls/subprograms/call.js';
import { checkHelperCall } from './calls/helpers/call.js';
import { checkConditionalJump } from './arithmetic/jump.js';
import { checkKernelFunctionCall } from './calls/kernel/call.js';
import { checkLdAbs } from './memory/ld-abs.js';
import { checkLdImm } from './arithmetic/ld-imm.js';
import { checkAtomic, checkLoad, checkStore } from './memory/memory.js';
import { checkReferenceLeak } from './objects/references.js';
import { checkReturnCode } from './attach/return-value.js';
import type { Env } from './env.js';
import { releaseState } from './frames.js';
import { insnText } from './log/insn.js';
import { mostPrinted } from './log/printed-size.js';
import { markRegScratched, markStateScratched, stateScratched } from './log/scratch.js';
import { passSourceLine, writeSourceLine } from './log/source.js';
import { printInsnState, printState } from './log/state.js';
import { pushJumpHistory } from './prune/history.js';
import { updateBranchCounts } from './prune/loops.js';
import { PRUNED, visitState } from './prune/visited.js';

/** BPF_FUNC_spin_unlock. */
const SPIN_UNLOCK_HELPER = 94;

/** The path goes on at env.insnIdx, which the instruction has set. */
const CONTINUE = 1;
/** The path has ended well. */
const PATH_END = 2;
/** The path goes on in the caller. */
const RETURNED = 3;

/** Prints the instruction, with its source line and what the state has new to tell. */
function printInsn(env: Env): void {
  const i = env.insnIdx;
  if (stateScratched(env)) printInsnState(env, env.state.frame);
  writeSourceLine(env, i, '; ');
  const start = env.log.position;
  env.log.write(`${i}: ${insnText(env, i)}`);
  env.prevInsnPrintLength = env.log.position - start;
  env.prevLogPosition = env.log.position;
}

/** An instruction that is not printed, or whose text will be cut: later ones are printed as if it had been. */
function passInsn(env: Env): void {
  if (!env.log.skips) return;
  // The state behind the last instruction that is printed takes the place of its line end, whatever is cut then.
  if (stateScratched(env) && env.prevLogPosition === env.log.position) printInsnState(env, env.state.frame);
  passSourceLine(env, env.insnIdx);
  env.prevLogPosition = 0;
}

/** What is walked under speculation alone never runs: it stays dead code. */
function markSeen(env: Env, i: number): void {
  if (!env.state.speculative) env.facts[i]!.seen = 1;
}

function speculativeText(env: Env): string {
  return env.state.speculative ? ' (speculative execution)' : '';
}

function printPruned(env: Env, isFirst: boolean): void {
  if (!env.log.prints) return;
  const i = env.insnIdx;
  env.log.write(isFirst ? `\nfrom ${env.prevInsnIdx} to ${i}${speculativeText(env)}: safe\n` : `${i}: safe\n`);
}

function checkCall(env: Env, i: number): number {
  const { insns, state } = env;
  const src = insns.src(i);
  const known = src === 0 || src === op.PSEUDO_CALL || src === op.PSEUDO_KFUNC_CALL;
  const offUsed = src !== op.PSEUDO_KFUNC_CALL && insns.off(i) !== 0;
  if (insns.opcode(i) !== (op.JMP | op.CALL) || offUsed || !known || insns.dst(i) !== 0) {
    return refuse(env, WALK.callReservedFields);
  }
  if (state.activeLockPtr !== null) {
    const forbidden =
      (src === 0 && insns.imm(i) !== SPIN_UNLOCK_HELPER) ||
      (src === op.PSEUDO_KFUNC_CALL && (insns.off(i) !== 0 || !isGraphApi(env, insns.imm(i))));
    if (forbidden) return refuse(env, WALK.callInLock);
  }
  let err: number;
  if (src === op.PSEUDO_CALL) err = checkFunctionCall(env, i);
  else if (src === op.PSEUDO_KFUNC_CALL) {
    err = checkKernelFunctionCall(env, i);
    if (err === 0 && isThrowCall(env, i)) return exitPath(env, true);
  } else err = checkHelperCall(env, i);
  if (err === 0) markRegScratched(env, 0);
  return err;
}

function checkGoto(env: Env, i: number): number {
  const { insns } = env;
  const isLong = (insns.opcode(i) & op.CLASS_MASK) === op.JMP32;
  const other = isLong ? insns.off(i) : insns.imm(i);
  if ((insns.opcode(i) & op.X) !== 0 || insns.bytes[i * 8 + 1] !== 0 || other !== 0) {
    return refuse(env, WALK.gotoReservedFields);
  }
  env.insnIdx = i + 1 + (isLong ? insns.imm(i) : insns.off(i));
  return CONTINUE;
}

function checkExit(env: Env, i: number): number {
  const { insns } = env;
  if (insns.opcode(i) !== (op.JMP | op.EXIT) || insns.imm(i) !== 0 || insns.bytes[i * 8 + 1] !== 0) {
    return refuse(env, WALK.exitReservedFields);
  }
  return exitPath(env, false);
}

/** Sections that a program, or an exception out of it, must not leave open. */
function checkOpenSections(env: Env, exception: boolean): number {
  const { state } = env;
  if (!exception && state.currentFrame > 0) return 0;
  if (state.activeLockPtr !== null) {
    return refuse(env, exception ? WALK.throwInLock : WALK.lockStaysHeld);
  }
  if (state.activeRcuLock) {
    return refuse(env, exception ? WALK.throwInRcu : WALK.rcuStaysOpen);
  }
  const locks = state.activePreemptLocks;
  if (locks !== 0) {
    if (exception) return refuse(env, WALK.throwInPreempt);
    return refuse(env, WALK.preemptStaysDisabled, locks);
  }
  return 0;
}

/** An exit instruction, or an exception that unwinds all frames. */
function exitPath(env: Env, exception: boolean): number {
  let err = checkOpenSections(env, exception);
  if (err === 0) err = checkReferenceLeak(env, exception);
  if (err !== 0) return err;
  if (exception) return PATH_END;
  if (env.state.currentFrame > 0) {
    err = prepareFunctionExit(env);
    return err === 0 ? RETURNED : err;
  }
  err = checkReturnCode(env, 0);
  return err === 0 ? PATH_END : err;
}

function checkJump(env: Env, i: number): number {
  env.jumpsProcessed++;
  switch (env.insns.opcode(i) & op.OP_MASK) {
    case op.CALL:
      return checkCall(env, i);
    case op.JA:
      return checkGoto(env, i);
    case op.EXIT:
      return checkExit(env, i);
    default:
      return checkConditionalJump(env, i);
  }
}

function checkStoreInsn(env: Env, i: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const isRegister = (opcode & op.CLASS_MASK) === op.STX;
  const mode = opcode & op.MODE_MASK;
  if (isRegister && mode === op.ATOMIC) return checkAtomic(env, i);
  if (mode !== op.MEM || (isRegister ? insns.imm(i) !== 0 : insns.src(i) !== 0)) {
    return refuse(env, WALK.storeReservedFields, isRegister);
  }
  return checkStore(env, i);
}

function checkLd(env: Env, i: number): number {
  const mode = env.insns.opcode(i) & op.MODE_MASK;
  if (mode === op.ABS || mode === op.IND) return checkLdAbs(env, i);
  if (mode !== op.IMM) return refuse(env, WALK.unknownLoadMode);
  const err = checkLdImm(env, i);
  if (err !== 0) return err;
  env.insnIdx++;
  markSeen(env, env.insnIdx);
  return 0;
}

/** Checks the instruction at hand and does what it does. 0: on to the one behind env.insnIdx; or one of the above. */
function checkInsn(env: Env, i: number): number {
  switch (env.insns.opcode(i) & op.CLASS_MASK) {
    case op.ALU:
    case op.ALU64:
      return checkAluOp(env, i);
    case op.LDX:
      return checkLoad(env, i);
    case op.STX:
    case op.ST:
      return checkStoreInsn(env, i);
    case op.JMP:
    case op.JMP32:
      return checkJump(env, i);
    default:
      return checkLd(env, i);
  }
}

/** Ends the current path and takes up the one put off last; false when there is none left. */
function nextPath(env: Env): boolean {
  markStateScratched(env);
  updateBranchCounts(env.state);
  const pending = env.pending.pop();
  if (pending === undefined) return false;
  releaseState(env, env.state);
  env.state = pending.state;
  if (!env.log.detailed) env.log.reset(pending.logPosition);
  env.insnIdx = pending.insnIdx;
  env.prevInsnIdx = pending.prevInsnIdx;
  return true;
}

/** Before an instruction: limits, equal states, history, log. PRUNED where the path ends here, 0, or an errno. */
function enterInsn(env: Env, printsState: boolean): number {
  const { state } = env;
  const i = env.insnIdx;
  env.historyEntry = -1;
  if (i >= env.insns.length) {
    return refuse(env, WALK.leftProgram, i, env.insns.length);
  }
  if (++env.insnProcessed > op.MAX_INSNS) {
    return refuse(env, WALK.tooManyInstructions, env.insnProcessed);
  }
  state.lastInsnIdx = env.prevInsnIdx;
  const facts = env.facts[i]!;
  if (facts.prunePoint) {
    const result = visitState(env, i);
    if (result === PRUNED) printPruned(env, printsState);
    if (result !== 0) return result;
  }
  if (facts.jumpPoint) pushJumpHistory(env, 0);
  if (printsState && env.log.detailed) {
    env.log.write(`\nfrom ${env.prevInsnIdx} to ${i}${speculativeText(env)}:`);
    printState(env, state.frame, true);
  }
  if (env.log.enter(env.log.counts ? mostPrinted(env) : 0)) printInsn(env);
  else passInsn(env);
  markSeen(env, i);
  return 0;
}

/** Explores all paths from env.state at env.insnIdx. 0: every one is safe; otherwise the errno of the first that is not. */
export function explore(env: Env): number {
  // Set where the path has just changed; the state is printed in full then, at level 2.
  let jumped = false;
  env.prevInsnIdx = -1;
  for (;;) {
    let result = enterInsn(env, jumped);
    if (result < 0) return result;
    if (result === PRUNED) result = PATH_END;
    else {
      if (env.log.detailed) jumped = false;
      const i = env.insnIdx;
      result = checkInsn(env, i);
      if (result < 0) return result;
      env.prevInsnIdx = i;
    }
    if (result === PATH_END) {
      if (!nextPath(env)) return 0;
      jumped = true;
    } else if (result === RETURNED) jumped = true;
    else if (result !== CONTINUE) env.insnIdx++;
  }
}
