/** Finished states: what was never read in them is forgotten, so that later states compare equal more often. */
import { NOT_INIT_REG } from '../domain/scalar.js';
import type { State } from '../env.js';
import { StackSlot } from '../state.js';
import type { Frame, ReadonlySlot } from '../state.js';
import { sameCallsites } from './explored.js';
import { loopEntryOf } from './loops.js';

/** What stands for a slot that nobody reads: shared, and never written to. */
const UNREAD_SLOT = unreadSlot();

function unreadSlot(): ReadonlySlot {
  const slot = new StackSlot();
  slot.spilled = NOT_INIT_REG;
  return slot;
}

function cleanFrame(frame: Frame): void {
  const { live } = frame;
  for (let i = 0; i < 10; i++) if (!live.isRegRead(i)) frame.setReg(i, NOT_INIT_REG);
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
