/** Entering functions: frames for subprograms and callbacks (setup_func_entry, push_callback_call of Linux 6.12). */
import { OWN_CALLS } from '../../refusals/own-calls.js';
import { forget, refuse } from '../../refusals/refuse.js';
import { pushAsyncCallback, pushStack } from '../../branch.js';
import type { Env, State } from '../../env.js';
import { E2BIG, EFAULT } from '../../errno.js';
import { allocFrame, initFrame, releaseFrame } from '../../frames.js';
import { MAX_CALL_FRAMES } from '../../limits.js';
import type { SetCalleeState } from './callee-state.js';
import { isAsyncCallbackCallingInsn } from '../../kernel/functions.js';
import { kernelTypes } from '../../kernel/types.js';
import { checkSubprogramCall } from './arguments.js';
import { PSEUDO_KFUNC_CALL } from '../../../isa/opcodes.js';

/** Adds a frame for a function called at `callsite`; the caller's references are the callee's, too. */
export function enterFunction(
  env: Env,
  state: State,
  subprog: number,
  callsite: number,
  setCalleeState: SetCalleeState,
): number {
  const frameno = state.currentFrame + 1;
  if (frameno >= MAX_CALL_FRAMES) {
    return refuse(env, OWN_CALLS.callStackTooDeep, frameno);
  }
  const caller = state.frame;
  const callee = allocFrame(env);
  initFrame(env, callee, callsite, frameno, subprog);
  callee.references = caller.references.slice();
  const err = setCalleeState(env, caller, callee, callsite);
  if (err !== 0) {
    releaseFrame(env, callee);
    return err;
  }
  state.frames[frameno] = callee;
  state.currentFrame = frameno;
  return 0;
}

function isWorkqueueCall(env: Env, insnIdx: number): boolean {
  const { insns } = env;
  return (
    insns.src(insnIdx) === PSEUDO_KFUNC_CALL &&
    kernelTypes(env).special(insns.imm(insnIdx)) === 'bpf_wq_set_callback_impl'
  );
}

function pushAsync(env: Env, insnIdx: number, subprog: number, setCalleeState: SetCalleeState): number {
  const caller = env.state.frame;
  env.subprograms[subprog]!.isAsyncCallback = true;
  const { start } = env.subprograms[subprog]!;
  const state = pushAsyncCallback(env, start, insnIdx, subprog, isWorkqueueCall(env, insnIdx));
  if (state === null) return -E2BIG;
  const callee = state.frame;
  callee.asyncEntryCount = caller.asyncEntryCount + 1;
  return setCalleeState(env, caller, callee, insnIdx);
}

/**
 * Puts off a path through the callback that the call at `insnIdx` runs; the current path goes on as if the callback did
 * not run (any more). A synchronous callback comes back to the call, so that it is tried again until nothing changes.
 */
export function pushCallback(env: Env, insnIdx: number, subprog: number, setCalleeState: SetCalleeState): number {
  const caller = env.state.frame;
  const err = checkSubprogramCall(env, subprog, caller.regs);
  if (err === -EFAULT) return err;
  forget(env);
  env.subprograms[subprog]!.isCallback = true;
  if (isAsyncCallbackCallingInsn(env, insnIdx)) return pushAsync(env, insnIdx, subprog, setCalleeState);

  const state = pushStack(env, env.subprograms[subprog]!.start, insnIdx, false);
  if (state === null) return -E2BIG;
  const failed = enterFunction(env, state, subprog, insnIdx, setCalleeState);
  if (failed !== 0) return failed;
  state.callbackUnrollDepth++;
  state.frames[state.currentFrame - 1]!.callbackDepth++;
  caller.callbackDepth = 0;
  return 0;
}
