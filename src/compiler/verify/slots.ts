/** What stack slots hold, and walks over all registers of a state. */
import { SCALAR_VALUE } from '../targets/types.js';
import type { State } from './env.js';
import { STACK_DYNPTR, STACK_INVALID, STACK_ITER, STACK_MISC, STACK_SPILL } from './state.js';
import type { Frame, Reg, StackSlot } from './state.js';

/** A register was spilled here; byte 7 is always of the spill, narrower ones leave the first bytes to others. */
export function isSpilledReg(slot: StackSlot): boolean {
  return slot.bytes[7] === STACK_SPILL;
}

export function isSpilledScalarReg(slot: StackSlot): boolean {
  return slot.bytes[7] === STACK_SPILL && slot.spilled.type === SCALAR_VALUE;
}

/** A whole 64-bit scalar was spilled here. */
export function isSpilledScalarReg64(slot: StackSlot): boolean {
  return slot.bytes[0] === STACK_SPILL && slot.spilled.type === SCALAR_VALUE;
}

/** The kernel keeps something here that the program must not touch by itself: a dynptr, an iterator. */
export function isStackSlotSpecial(slot: StackSlot): boolean {
  const type = slot.bytes[7];
  return type === STACK_SPILL || type === STACK_DYNPTR || type === STACK_ITER;
}

/** All bytes are data of no known value; `orInvalid`: or were never written. */
export function isStackAllMisc(slot: StackSlot, orInvalid: boolean): boolean {
  const bytes = slot.bytes;
  for (let i = 0; i < 8; i++) {
    if (bytes[i] !== STACK_MISC && !(orInvalid && bytes[i] === STACK_INVALID)) return false;
  }
  return true;
}

/** Calls `visit` with every register of every frame, and every slot's whose kind is in `mask` (1 << STACK_…). */
export function forEachRegMask(state: State, mask: number, visit: (reg: Reg, frame: Frame) => void): void {
  for (let f = 0; f <= state.currentFrame; f++) {
    const frame = state.frames[f]!;
    for (let i = 0; i < 11; i++) visit(frame.regs[i]!, frame);
    for (let i = 0; i < frame.stack.length; i++) {
      const slot = frame.stack[i]!;
      if (((1 << slot.bytes[7]!) & mask) !== 0) visit(slot.spilled, frame);
    }
  }
}

/** Calls `visit` with every register of every frame and every spilled one. */
export function forEachReg(state: State, visit: (reg: Reg, frame: Frame) => void): void {
  forEachRegMask(state, 1 << STACK_SPILL, visit);
}
