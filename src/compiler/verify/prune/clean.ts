/** Finished states: what was never read in them is forgotten, so that later states compare equal more often. */
import { markNotInit } from '../domain/scalar.js';
import type { Env, State } from '../env.js';
import { LIVE_DONE, LIVE_READ, Reg, StackSlot } from '../state.js';
import type { Frame } from '../state.js';
import { exploredIndex, sameCallsites } from './explored.js';
import { loopEntryOf } from './loops.js';

/** What stands for everything that nobody reads: shared, and never written to. */
const UNREAD_REG = unreadReg();
const UNREAD_SLOT = unreadSlot();

function unreadReg(): Reg {
  const reg = new Reg();
  markNotInit(reg);
  reg.live = LIVE_DONE;
  return reg;
}

function unreadSlot(): StackSlot {
  const slot = new StackSlot();
  markNotInit(slot.spilled);
  slot.spilled.live = LIVE_DONE;
  return slot;
}

/** Marks no longer arrive: what was read is kept, apart from its parents, whose memory it would hold. */
function finish(reg: Reg): void {
  reg.live |= LIVE_DONE;
  reg.parent = null;
}

function cleanFrame(frame: Frame): void {
  for (let i = 0; i < 10; i++) {
    const reg = frame.regs[i]!;
    if ((reg.live & LIVE_READ) !== 0) finish(reg);
    else frame.regs[i] = UNREAD_REG;
  }
  for (let i = 0; i < frame.stack.length; i++) {
    const reg = frame.stack[i]!.spilled;
    if ((reg.live & LIVE_READ) !== 0) finish(reg);
    else frame.stack[i] = UNREAD_SLOT;
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
