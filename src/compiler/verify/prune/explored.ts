import type { Env, State } from '../env.js';

/**
 * Index of the list in which states of an instruction are kept: the kernel's hash of instruction and call site. Lists
 * that fall together count together in `max_states_per_insn`, so it must be the same.
 */
export function exploredIndex(env: Env, insn: number): number {
  const state = env.state;
  const callsite = state.frames[state.currentFrame]!.callsite;
  return ((insn ^ callsite) >>> 0) % env.insns.length;
}

export function sameCallsites(a: State, b: State): boolean {
  if (a.currentFrame !== b.currentFrame) return false;
  for (let i = a.currentFrame; i >= 0; i--) {
    if (a.frames[i]!.callsite !== b.frames[i]!.callsite) return false;
  }
  return true;
}
