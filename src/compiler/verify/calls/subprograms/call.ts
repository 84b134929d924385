/** Calls of the program's own functions and returns from them (check_func_call, prepare_func_exit of Linux 6.12). */
import { OWN_CALLS } from '../../refusals/own-calls.js';
import { amend, forget, refuse } from '../../refusals/refuse.js';
import * as t from '../../../targets/types.js';
import { markUnknown } from '../../domain/scalar.js';
import { ownReg } from '../../env.js';
import type { Env } from '../../env.js';
import { EFAULT } from '../../errno.js';
import { releaseFrame } from '../../frames.js';
import { printState } from '../../log/state.js';
import { markRegRead } from '../../prune/liveness.js';
import { markChainPrecision } from '../../prune/precision.js';
import { findPreviousEntry, widenImpreciseScalars } from '../../prune/widen.js';
import { LIVE_READ64 } from '../../live.js';
import type { Frame } from '../../state.js';
import { findSubprog, subprogIsGlobal, subprogName } from '../../structure/subprograms.js';
import { enterFunction } from './callbacks.js';
import { inheritReg, setSubprogramState } from './callee-state.js';
import { clearCallerSaved } from '../caller-saved.js';
import { clearAllPacketPointers } from '../../memory/packet-invalidation.js';
import { refuseResult, withinReturnRange } from '../../attach/return-range.js';
import { checkSubprogramCall } from './arguments.js';

/** A global function is verified on its own: the call needs the arguments that its prototype wants, no more. */
function callGlobal(env: Env, subprog: number, mismatch: number): number {
  const { state } = env;
  const name = subprogName(env, subprog);
  if (state.activeLockPtr !== null) {
    return refuse(env, OWN_CALLS.globalCallInLock);
  }
  if (state.activePreemptLocks > 0) {
    return refuse(env, OWN_CALLS.globalCallInPreempt);
  }
  if (mismatch !== 0) {
    amend(env, OWN_CALLS.globalCallArguments, subprog, name);
    return mismatch;
  }
  env.log.note(() => `Func#${subprog} ('${name}') is global and assumed valid.\n`);
  const subprogram = env.subprograms[subprog]!;
  if (subprogram.changesPktData) clearAllPacketPointers(env);
  subprogram.called = true;
  clearCallerSaved(env, state.frame);
  markUnknown(ownReg(env, 0));
  return 0;
}

/** The call at instruction `i`: of a static function, the path goes on inside. */
export function checkFunctionCall(env: Env, i: number): number {
  const { state } = env;
  const target = i + env.insns.imm(i) + 1;
  const subprog = findSubprog(env, target);
  if (subprog < 0) {
    return refuse(env, OWN_CALLS.noFunctionAtTarget, target);
  }
  const caller = state.frame;
  const mismatch = checkSubprogramCall(env, subprog, caller.regs);
  if (mismatch === -EFAULT) return mismatch;
  if (subprogIsGlobal(env, subprog)) return callGlobal(env, subprog, mismatch);
  forget(env); // a static function is walked with what it is called with, whatever its prototype says

  const err = enterFunction(env, state, subprog, i, setSubprogramState);
  if (err !== 0) return err;
  clearCallerSaved(env, caller);
  env.insnIdx = env.subprograms[subprog]!.start - 1;
  if (env.log.prints) {
    env.log.write('caller:\n');
    printState(env, caller, true);
    env.log.write('callee:\n');
    printState(env, state.frame, true);
  }
  return 0;
}

/** A callback answers a number in its range, which is relied upon. */
function checkCallbackResult(env: Env, callee: Frame): number {
  const r0 = callee.regs[0]!;
  if (r0.type !== t.SCALAR_VALUE) {
    return refuse(env, OWN_CALLS.callbackResultNotScalar);
  }
  const err = markRegRead(env, callee, 0, LIVE_READ64) || markChainPrecision(env, 0);
  if (err !== 0) return err;
  if (!withinReturnRange(callee.callbackRet, r0, false)) {
    return refuseResult(env, 0, r0, callee.callbackRet, 'At callback return');
  }
  if (!env.facts[callee.callsite]!.callsCallback) {
    return refuse(env, OWN_CALLS.callbackWithoutCaller, env.insnIdx, callee.callsite);
  }
  return 0;
}

/** Returns from the innermost frame: behind the call, or for a callback to the call, which may run it once more. */
export function prepareFunctionExit(env: Env): number {
  const { state } = env;
  const callee = state.frame;
  const caller = state.frames[state.currentFrame - 1]!;
  const isCallback = callee.inCallbackFn;
  if (callee.regs[0]!.type === t.PTR_TO_STACK) {
    return refuse(env, OWN_CALLS.returnsStackPointer);
  }
  if (isCallback) {
    const err = checkCallbackResult(env, callee);
    if (err !== 0) return err;
  } else {
    inheritReg(caller, 0, callee, 0);
    caller.references = callee.references.slice();
  }
  env.insnIdx = isCallback ? callee.callsite : callee.callsite + 1;
  if (env.log.prints) {
    env.log.write('returning from callee:\n');
    printState(env, callee, true);
    env.log.write(`to caller at ${env.insnIdx}:\n`);
    printState(env, caller, true);
  }
  state.frames.pop();
  state.currentFrame--;
  releaseFrame(env, callee);
  // What differs from one round of the callback to the next is forgotten, so that the rounds come to an end.
  const previous = isCallback ? findPreviousEntry(env, state, env.insnIdx) : null;
  if (previous !== null) widenImpreciseScalars(env, previous, state);
  return 0;
}
