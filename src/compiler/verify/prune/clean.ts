/** Finished states: what was never read in them is forgotten, so that later states compare equal more often. */
import { markNotInit } from '../domain/scalar.js';
import type { State } from '../env.js';
import { Reg, StackSlot } from '../state.js';
import type { Frame } from '../state.js';
import { sameCallsites } from './explored.js';
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

/**
 * Cleans a kept state that can get no more marks: all paths through it have ended. Called when one is compared with it;
 * nothing looks at a finished state before.
 */
export function cleanIfFinished(state: State, current: State): void {
  if (state.cleaned || state.branches !== 0) return;
  const entry = loopEntryOf(state);
  if ((entry !== null && entry.branches !== 0) || !sameCallsites(state, current)) return;
  for (let i = 0; i <= state.currentFrame; i++) cleanFrame(state.frames[i]!);
  state.cleaned = true;
}
