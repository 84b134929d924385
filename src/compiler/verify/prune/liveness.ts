/** Who reads what: marks along the chain of checkpoints, so that values nobody reads need not be compared. */
import { PRECISION } from '../refusals/precision.js';
import { refuse } from '../refusals/refuse.js';
import type { Env, State } from '../env.js';
import { LIVE_READ32, LIVE_READ64, NO_PARENT, lowestBit } from '../live.js';
import type { Liveness } from '../live.js';
import type { Frame, ReadonlyReg } from '../state.js';

/**
 * Marks register R0 to R9 of a frame of the current state as read, in all checkpoints that its value comes from unchanged
 * (mark_reg_read). `flag` is LIVE_READ32 or LIVE_READ64. 0, or -EFAULT where the kernel would own up to a bug.
 */
export function markRegRead(env: Env, frame: Frame, register: number, flag: number): number {
  return walkReg(env, env.state, frame.live, register, flag, 0);
}

/** The same for a stack slot, which always counts as wholly read. */
export function markSlotRead(env: Env, frame: Frame, slot: number): number {
  return walkSlot(env, env.state, frame.frameno, frame.live, slot, 0);
}

function walkReg(env: Env, from: State, live: Liveness, register: number, flag: number, stepsBefore: number): number {
  let state = from;
  let at = live;
  let r = register;
  let steps = stepsBefore;
  while (!at.isRegWritten(r)) {
    const parent = at.parent(r);
    const checkpoint: State | null = parent === NO_PARENT ? null : at.checkpointOf(r, state);
    if (checkpoint === null) break;
    state = checkpoint;
    r = parent & 15;
    const frame = state.frames[parent >> 4]!;
    if (state.cleaned) return finishedRead(env, frame.regs[r]!);
    at = frame.live;
    if (isMarked(at, r, flag)) break;
    mark(at, r, flag);
    steps++;
  }
  if (env.longestMarkReadWalk < steps) env.longestMarkReadWalk = steps;
  return 0;
}

function walkSlot(env: Env, from: State, frameno: number, live: Liveness, slot: number, stepsBefore: number): number {
  let state = from;
  let at = live;
  let steps = stepsBefore;
  while (!at.isSlotWritten(slot) && slot < at.parentSlots && state.parent !== null) {
    state = state.parent;
    const frame = state.frames[frameno]!;
    if (state.cleaned) return finishedRead(env, frame.stack[slot]!.spilled);
    at = frame.live;
    if (at.isSlotRead(slot)) break;
    at.readSlot(slot);
    steps++;
  }
  if (env.longestMarkReadWalk < steps) env.longestMarkReadWalk = steps;
  return 0;
}

function finishedRead(env: Env, reg: ReadonlyReg): number {
  return refuse(env, PRECISION.livenessType, reg.type, reg.valueLo, reg.off);
}

function isMarked(live: Liveness, r: number, flag: number): boolean {
  const bit = 1 << r;
  return (live.read64 & bit) !== 0 || (flag === LIVE_READ32 && (live.read32 & bit) !== 0);
}

/** A read of all 64 bits takes the place of one of the low half. */
function mark(live: Liveness, r: number, flag: number): void {
  const bit = 1 << r;
  if (flag === LIVE_READ64) {
    live.read64 |= bit;
    live.read32 &= ~bit;
  } else live.read32 |= bit;
}

/** The instruction that last wrote only the low half must clear the high one: someone reads all of it. */
export function markInsnZeroExtended(env: Env, reg: ReadonlyReg): void {
  if (reg.subregDef !== 0) env.facts[reg.subregDef - 1]!.zeroExtend = true;
}

/** Takes over reads of R0 to R9, or of R6 to R9 in a frame that waits for the one it called. */
function propagateRegs(env: Env, from: Liveness, current: State, to: Frame, isInnermost: boolean): number {
  const wanted = from.regsRead & (isInnermost ? 0x3ff : 0x3c0) & ~to.live.read64;
  for (let left = wanted; left !== 0; left &= left - 1) {
    const r = lowestBit(left);
    const flag = (from.read64 & (1 << r)) !== 0 ? LIVE_READ64 : LIVE_READ32;
    if (isMarked(to.live, r, flag)) continue;
    mark(to.live, r, flag);
    const err = walkReg(env, current, to.live, r, flag, 1);
    if (err !== 0) return err;
    if (flag === LIVE_READ64) markInsnZeroExtended(env, to.regs[r]!);
  }
  return 0;
}

/** Takes over reads of 32 slots from `base` on, as far as both frames have them. */
function propagateSlots(env: Env, wanted: number, base: number, current: State, to: Frame, slots: number): number {
  for (let left = wanted; left !== 0; left &= left - 1) {
    const slot = base + lowestBit(left);
    if (slot >= slots) break;
    to.live.readSlot(slot);
    const err = walkSlot(env, current, to.frameno, to.live, slot, 1);
    if (err !== 0) return err;
  }
  return 0;
}

/** The path in `current` is cut off since it equals `explored`: what that one's continuation read, it reads. */
export function propagateLiveness(env: Env, explored: State, current: State): number {
  for (let f = 0; f <= explored.currentFrame; f++) {
    const from = explored.frames[f]!;
    const to = current.frames[f]!;
    const slots = Math.min(from.stack.length, to.stack.length);
    const err =
      propagateRegs(env, from.live, current, to, f === explored.currentFrame) ||
      propagateSlots(env, from.live.slotsRead & ~to.live.slotsRead, 0, current, to, slots) ||
      propagateSlots(env, from.live.slotsReadHigh & ~to.live.slotsReadHigh, 32, current, to, slots);
    if (err !== 0) return err;
  }
  return 0;
}
