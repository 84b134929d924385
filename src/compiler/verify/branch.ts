/** Paths put off: the branch not taken now, the callback that runs later. */
import { WALK } from './refusals/walk.js';
import { refuse } from './refusals/refuse.js';
import type { Env } from './env.js';
import { State } from './env.js';
import { allocFrame, copyState, initFrame } from './frames.js';
import { MAX_PENDING_PATHS } from './limits.js';

/**
 * Puts off a copy of the current state, to go on at `insnIdx` later (push_stack). Answers the copy, which the caller
 * may change; null where there are too many, with the sentence in the log: errno -E2BIG.
 */
export function pushStack(env: Env, insnIdx: number, prevInsnIdx: number, speculative: boolean): State | null {
  const state = copyState(env, env.state);
  state.speculative ||= speculative;
  env.pending.push({ state, insnIdx, prevInsnIdx, logPosition: env.log.position });
  if (env.pending.length > MAX_PENDING_PATHS) {
    refuse(env, WALK.tooManyPendingPaths, env.pending.length);
    return null;
  }
  if (state.parent !== null) state.parent.branches++;
  return state;
}

/**
 * Puts off an asynchronous callback: it starts with a fresh stack, whoever armed it (push_async_cb). Null as above.
 */
export function pushAsyncCallback(
  env: Env,
  insnIdx: number,
  prevInsnIdx: number,
  subprog: number,
  sleepable: boolean,
): State | null {
  const state = new State();
  env.pending.push({ state, insnIdx, prevInsnIdx, logPosition: env.log.position });
  if (env.pending.length > MAX_PENDING_PATHS) {
    refuse(env, WALK.tooManyPendingCallbacks, env.pending.length);
    return null;
  }
  state.branches = 1;
  state.inSleepable = sleepable;
  state.historyStart = env.state.historyEnd;
  state.historyEnd = state.historyStart;
  const frame = allocFrame(env);
  initFrame(env, frame, -1, 0, subprog);
  state.frames.push(frame);
  return state;
}
