import type { Env, State } from '../env.js';

/** A state kept to be compared with later ones at its instruction, newest first (struct bpf_verifier_state_list). */
export class ExploredState {
  next: ExploredState | null = null;
  misses = 0;
  hits = 0;

  constructor(readonly state: State) {}
}

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
