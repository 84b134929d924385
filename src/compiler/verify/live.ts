/**
 * Liveness of a frame's registers and stack slots, a bit each: what the code behind reads of them, what was written since
 * the checkpoint, and from where in the checkpoint's state they come.
 *
 * The kernel keeps this in each register (live, parent); apart from the values, states can share those.
 */
import type { State } from './env.js';

/** Reads (enum bpf_reg_liveness): of the low half only, or of all. */
export const LIVE_READ32 = 1;
export const LIVE_READ64 = 2;

/** R0 to R5. */
const CALLER_SAVED = 0x3f;

/** The bytes of R4 and R5 in a word of parents. */
const R4_AND_R5 = 0xffff;

/** The checkpoint knew nothing of this register: the frame is younger. */
export const NO_PARENT = -1;

export class Liveness {
  /** Registers read, by their low half or wholly, and registers written. */
  read32 = 0;
  read64 = 0;
  written = 0;
  /** Stack slots; the second of each covers slots 32 to 63. */
  slotsRead = 0;
  slotsReadHigh = 0;
  slotsWritten = 0;
  slotsWrittenHigh = 0;
  /**
   * Which register of the checkpoint each one comes from, a byte each: R0 to R3, R4 to R7, R8 and up. The frame pointer
   * never changes and comes from none.
   */
  private parents0 = NO_PARENT;
  private parents4 = NO_PARENT;
  private parents8 = NO_PARENT;
  /** Slots below this one were there at the checkpoint. */
  parentSlots = 0;
  /**
   * While a frame waits for what it called, checkpoints pass its R0 to R5 by: these registers still come from an older one.
   * Calls clear them, but callbacks come back to the call with its arguments.
   */
  private passedBy = 0;
  private older: State | null = null;

  /** A frame that is just entered. */
  reset(): void {
    this.forget();
    this.parents0 = NO_PARENT;
    this.parents4 = NO_PARENT;
    this.parents8 = NO_PARENT;
    this.parentSlots = 0;
    this.passedBy = 0;
    this.older = null;
  }

  private forget(): void {
    this.read32 = 0;
    this.read64 = 0;
    this.written = 0;
    this.slotsRead = 0;
    this.slotsReadHigh = 0;
    this.slotsWritten = 0;
    this.slotsWrittenHigh = 0;
  }

  copyFrom(o: Liveness): void {
    this.read32 = o.read32;
    this.read64 = o.read64;
    this.written = o.written;
    this.slotsRead = o.slotsRead;
    this.slotsReadHigh = o.slotsReadHigh;
    this.slotsWritten = o.slotsWritten;
    this.slotsWrittenHigh = o.slotsWrittenHigh;
    this.parents0 = o.parents0;
    this.parents4 = o.parents4;
    this.parents8 = o.parents8;
    this.parentSlots = o.parentSlots;
    this.passedBy = o.passedBy;
    this.older = o.older;
  }

  /** A checkpoint was made of this frame, the innermost: everything comes from there, and nothing was written since. */
  begin(frameno: number, slots: number): void {
    this.forget();
    const frame = Math.imul(frameno << 4, 0x01010101);
    this.parents0 = 0x03020100 | frame;
    this.parents4 = 0x07060504 | frame;
    this.parents8 = (NO_PARENT << 16) | ((0x0908 | frame) & 0xffff);
    this.parentSlots = slots;
    this.passedBy = 0;
    this.older = null;
  }

  /** The same of a frame that waits; `previous` is the checkpoint before. */
  beginWaiting(frameno: number, slots: number, previous: State | null): void {
    const { parents0, parents4 } = this;
    const older = this.passedBy === 0 ? previous : this.older;
    this.begin(frameno, slots);
    this.parents0 = parents0;
    this.parents4 = (parents4 & R4_AND_R5) | (this.parents4 & ~R4_AND_R5);
    this.passedBy = CALLER_SAVED;
    this.older = older;
  }

  /** The checkpoint that a register of a frame of `state` comes from. */
  checkpointOf(r: number, state: State): State | null {
    return (this.passedBy & (1 << r)) === 0 ? state.parent : this.older;
  }

  /** Register `to` becomes what `from` of another frame is, with its past. */
  inherit(to: number, other: Liveness, from: number): void {
    this.read32 = withBit(this.read32, to, other.read32, from);
    this.read64 = withBit(this.read64, to, other.read64, from);
    this.written = withBit(this.written, to, other.written, from);
    this.passedBy = withBit(this.passedBy, to, other.passedBy, from);
    if ((other.passedBy & (1 << from)) !== 0) this.older = other.older;
    this.setParent(to, other.parent(from));
  }

  /** Which register of the checkpoint a register comes from (frame number in bits 4 to 6, register below), or NO_PARENT. */
  parent(r: number): number {
    const word = r < 4 ? this.parents0 : r < 8 ? this.parents4 : this.parents8;
    return (word << (24 - (r & 3) * 8)) >> 24;
  }

  private setParent(r: number, parent: number): void {
    const shift = (r & 3) * 8;
    const others = ~(0xff << shift);
    const byte = (parent & 0xff) << shift;
    if (r < 4) this.parents0 = (this.parents0 & others) | byte;
    else if (r < 8) this.parents4 = (this.parents4 & others) | byte;
    else this.parents8 = (this.parents8 & others) | byte;
  }

  writeReg(r: number): void {
    this.written |= 1 << r;
  }

  isRegWritten(r: number): boolean {
    return (this.written & (1 << r)) !== 0;
  }

  /** Registers read, by their low half or wholly, a bit each. */
  get regsRead(): number {
    return this.read32 | this.read64;
  }

  isRegRead(r: number): boolean {
    return (this.regsRead & (1 << r)) !== 0;
  }

  writeSlot(slot: number): void {
    if (slot < 32) this.slotsWritten |= 1 << slot;
    else this.slotsWrittenHigh |= 1 << slot;
  }

  isSlotWritten(slot: number): boolean {
    return ((slot < 32 ? this.slotsWritten : this.slotsWrittenHigh) & (1 << slot)) !== 0;
  }

  readSlot(slot: number): void {
    if (slot < 32) this.slotsRead |= 1 << slot;
    else this.slotsReadHigh |= 1 << slot;
  }

  isSlotRead(slot: number): boolean {
    return ((slot < 32 ? this.slotsRead : this.slotsReadHigh) & (1 << slot)) !== 0;
  }
}

/** Number of the lowest bit that is set; `mask` is not 0. */
export function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

function withBit(mask: number, to: number, other: number, from: number): number {
  return (mask & ~(1 << to)) | (((other >>> from) & 1) << to);
}
