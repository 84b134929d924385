/** What stack slots hold, and walks over all registers of a state. */
import { SCALAR_VALUE } from '../targets/types.js';
import type { State } from './env.js';
import { STACK_DYNPTR, STACK_INVALID, STACK_ITER, STACK_MISC, STACK_SPILL } from './state.js';
import type { Frame, ReadonlyReg, ReadonlySlot, Reg } from './state.js';

/** A register was spilled here; byte 7 is always of the spill, narrower ones leave the first bytes to others. */
export function isSpilledReg(slot: ReadonlySlot): boolean {
  return slot.kind(7) === STACK_SPILL;
}

export function isSpilledScalarReg(slot: ReadonlySlot): boolean {
  return slot.kind(7) === STACK_SPILL && slot.spilled.type === SCALAR_VALUE;
}

/** A whole 64-bit scalar was spilled here. */
export function isSpilledScalarReg64(slot: ReadonlySlot): boolean {
  return slot.kind(0) === STACK_SPILL && slot.spilled.type === SCALAR_VALUE;
}

/** The kernel keeps something here that the program must not touch by itself: a dynptr, an iterator. */
export function isStackSlotSpecial(slot: ReadonlySlot): boolean {
  const kind = slot.kind(7);
  return kind === STACK_SPILL || kind === STACK_DYNPTR || kind === STACK_ITER;
}

/** All bytes are data of no known value; `orInvalid`: or were never written. */
export function isStackAllMisc(slot: ReadonlySlot, orInvalid: boolean): boolean {
  for (let i = 0; i < 8; i++) {
    const kind = slot.kind(i);
    if (kind !== STACK_MISC && !(orInvalid && kind === STACK_INVALID)) return false;
  }
  return true;
}

/** StackSlot.kinds of a slot that holds neither (a part of) a register nor an object: STACK_INVALID, MISC and ZERO alone. */
export function isPlainBytes(kinds: number): boolean {
  const isObject = kinds & 0x44444444;
  const isSpill = kinds & ~(kinds >>> 1) & 0x11111111;
  return (isObject | isSpill) === 0;
}

/**
 * Calls `change` with every register that `isWanted` says yes to: those of all frames, and those of slots whose kind is in
 * `mask` (1 << STACK_…).
 */
export function changeRegsMask(
  state: State,
  mask: number,
  isWanted: (reg: ReadonlyReg) => boolean,
  change: (reg: Reg) => void,
): void {
  for (let f = 0; f <= state.currentFrame; f++) {
    const frame = state.frames[f]!;
    for (let i = 0; i < 11; i++) if (isWanted(frame.regs[i]!)) change(frame.ownReg(i));
    changeSlots(frame, mask, isWanted, change);
  }
}

function changeSlots(
  frame: Frame,
  mask: number,
  isWanted: (reg: ReadonlyReg) => boolean,
  change: (reg: Reg) => void,
): void {
  for (let i = 0; i < frame.stack.length; i++) {
    const slot = frame.stack[i]!;
    if (((1 << slot.kind(7)) & mask) !== 0 && isWanted(slot.spilled)) change(frame.ownSlot(i).renewSpilled());
  }
}

/** The same for all registers and all spilled ones. */
export function changeRegs(state: State, isWanted: (reg: ReadonlyReg) => boolean, change: (reg: Reg) => void): void {
  changeRegsMask(state, 1 << STACK_SPILL, isWanted, change);
}
