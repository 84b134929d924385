/** Finished states: what was never read in them is forgotten, so that later states compare equal more often. */
import { markNotInit } from '../domain/scalar.js';
import type { Env, State } from '../env.js';
import { LIVE_DONE, LIVE_READ, STACK_INVALID } from '../state.js';
import type { Frame } from '../state.js';
import { exploredIndex, sameCallsites } from './explored.js';
import { loopEntryOf } from './loops.js';

function cleanFrame(frame: Frame): void {
  for (let i = 0; i < 10; i++) {
    const reg = frame.regs[i]!;
    const { live } = reg;
    reg.live |= LIVE_DONE;
    if ((live & LIVE_READ) === 0) markNotInit(reg);
  }
  for (const slot of frame.stack) {
    const { live } = slot.spilled;
    slot.spilled.live |= LIVE_DONE;
    if ((live & LIVE_READ) === 0) {
      markNotInit(slot.spilled);
      slot.bytes.fill(STACK_INVALID);
    }
  }
}

/** Cleans the states kept at an instruction that can get no more marks: all paths through them have ended. */
export function cleanLiveStates(env: Env, insn: number, current: State): void {
  for (let kept = env.explored[exploredIndex(env, insn)]!; kept !== null; kept = kept.next!) {
    const { state } = kept;
    if (state.branches !== 0) continue;
    const entry = loopEntryOf(state);
    if (entry !== null && entry.branches !== 0) continue;
    if (state.insnIdx !== insn || !sameCallsites(state, current)) continue;
    if ((state.frames[0]!.regs[0]!.live & LIVE_DONE) !== 0) continue;
    for (let i = 0; i <= state.currentFrame; i++) cleanFrame(state.frames[i]!);
  }
}
