/** Finished states: what was never read in them is forgotten, so that later states compare equal more often. */
import { markNotInit } from '../domain/scalar.js';
import type { Env, State } from '../env.js';
import { Reg, StackSlot } from '../state.js';
import type { Frame } from '../state.js';
import { exploredIndex, sameCallsites } from './explored.js';
import { loopEntryOf } from './loops.js';

/** What stands for everything that nobody reads: shared, and never written to. */
const UNREAD_REG = unreadReg();
const UNREAD_SLOT = unreadSlot();

function unreadReg(): Reg {
  const reg = new Reg();
  markNotInit(reg);
  return reg;
}

function unreadSlot(): StackSlot {
  const slot = new StackSlot();
  markNotInit(slot.spilled);
  return slot;
}

function cleanFrame(frame: Frame): void {
  const { live } = frame;
  for (let i = 0; i < 10; i++) if (!live.isRegRead(i)) frame.regs[i] = UNREAD_REG;
  for (let i = 0; i < frame.stack.length; i++) if (!live.isSlotRead(i)) frame.stack[i] = UNREAD_SLOT;
}

/** Cleans the states kept at an instruction that can get no more marks: all paths through them have ended. */
export function cleanLiveStates(env: Env, insn: number, current: State): void {
  for (let kept = env.explored[exploredIndex(env, insn)]!; kept !== null; kept = kept.next!) {
    const { state } = kept;
    if (state.branches !== 0) continue;
    const entry = loopEntryOf(state);
    if (entry !== null && entry.branches !== 0) continue;
    if (state.insnIdx !== insn || !sameCallsites(state, current)) continue;
    if (state.cleaned) continue;
    for (let i = 0; i <= state.currentFrame; i++) cleanFrame(state.frames[i]!);
    state.cleaned = true;
  }
}
