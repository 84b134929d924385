/** Convergence of loops: what differs from one iteration to the next, and need not be exact, is taken for unknown. */
import { SCALAR_VALUE } from '../../targets/types.js';
import { markUnknown } from '../domain/scalar.js';
import type { Env, State } from '../env.js';
import { isSpilledReg } from '../slots.js';
import type { ReadonlyReg } from '../state.js';
import { regsExact } from './equal.js';
import { exploredIndex, sameCallsites } from './explored.js';

/** The latest state kept at an instruction that the path through `state` has come by: the loop's iteration before. */
export function findPreviousEntry(env: Env, state: State | null, insn: number): State | null {
  if (state === null) return null;
  for (let old = env.explored[exploredIndex(env, insn)]!; old !== null; old = old.next!) {
    if (old.insnIdx !== insn || old.branches === 0 || !sameCallsites(old, state)) continue;
    if (old.dfsDepth < state.dfsDepth) return old;
  }
  return null;
}

function isWidened(env: Env, old: ReadonlyReg, oldPrecise: boolean, cur: ReadonlyReg): boolean {
  if (old.type !== SCALAR_VALUE || cur.type !== SCALAR_VALUE) return false;
  return !oldPrecise && !regsExact(old, cur, env.idMap);
}

/** Forgets the scalars of `cur` that are not those of `old` (widen_imprecise_scalars). */
export function widenImpreciseScalars(env: Env, old: State, cur: State): void {
  env.idMap.reset(env.idGen);
  for (let f = old.currentFrame; f >= 0; f--) {
    const before = old.frames[f]!;
    const now = cur.frames[f]!;
    for (let r = 0; r < 11; r++) {
      const reg = now.regs[r]!;
      if (isWidened(env, before.regs[r]!, before.isRegPrecise(r), reg)) markUnknown(now.ownReg(r));
    }
    const slots = Math.min(before.stack.length, now.stack.length);
    for (let s = 0; s < slots; s++) {
      const old = before.stack[s]!;
      const cur = now.stack[s]!;
      if (!isSpilledReg(old) || !isSpilledReg(cur)) continue;
      if (isWidened(env, old.spilled, before.isSlotPrecise(s), cur.spilled)) markUnknown(now.ownSlot(s).renewSpilled());
    }
  }
}
