import { MAX_CALL_FRAMES } from '../limits.js';

/** Registers and stack slots, frame by frame, whose exact value still has to be traced back. */
export class BacktrackMasks {
  /** The frame that the traced instruction belongs to. */
  frame = 0;
  readonly regs = new Int32Array(MAX_CALL_FRAMES);
  readonly slotsLo = new Int32Array(MAX_CALL_FRAMES);
  readonly slotsHi = new Int32Array(MAX_CALL_FRAMES);

  get empty(): boolean {
    for (let f = this.frame; f >= 0; f--) if ((this.regs[f]! | this.slotsLo[f]! | this.slotsHi[f]!) !== 0) return false;
    return true;
  }

  reset(): void {
    for (let f = 0; f < MAX_CALL_FRAMES; f++) this.regs[f] = this.slotsLo[f] = this.slotsHi[f] = 0;
    this.frame = 0;
  }

  setFrameReg(frame: number, reg: number): void {
    this.regs[frame]! |= 1 << reg;
  }
  clearFrameReg(frame: number, reg: number): void {
    this.regs[frame]! &= ~(1 << reg);
  }
  hasFrameReg(frame: number, reg: number): boolean {
    return (this.regs[frame]! & (1 << reg)) !== 0;
  }
  setReg(reg: number): void {
    this.setFrameReg(this.frame, reg);
  }
  clearReg(reg: number): void {
    this.clearFrameReg(this.frame, reg);
  }
  hasReg(reg: number): boolean {
    return this.hasFrameReg(this.frame, reg);
  }

  setSlot(frame: number, slot: number): void {
    const half = slot < 32 ? this.slotsLo : this.slotsHi;
    half[frame]! |= 1 << slot;
  }
  clearSlot(frame: number, slot: number): void {
    const half = slot < 32 ? this.slotsLo : this.slotsHi;
    half[frame]! &= ~(1 << slot);
  }
  hasSlot(frame: number, slot: number): boolean {
    const half = slot < 32 ? this.slotsLo : this.slotsHi;
    return (half[frame]! & (1 << slot)) !== 0;
  }
  hasSlots(frame: number): boolean {
    return (this.slotsLo[frame]! | this.slotsHi[frame]!) !== 0;
  }
}
