/**
 * How paths went: an entry for each instruction that was not reached by falling through, or that did something which
 * precision tracking cannot read off the instruction (struct bpf_insn_hist_entry).
 *
 * All paths share one growing array: a state owns the part [historyStart, historyEnd), its checkpoint the part before.
 * A path taken up again overwrites what the one before it added behind their common part.
 */
import type { Env, State } from '../env.js';
import type { BacktrackMasks } from './masks.js';

/** The instruction touches a stack slot: frame number in bits 0–2, slot in bits 3–8. */
export const INSN_F_STACK_ACCESS = 1 << 9;
/** A jump's operand is a stack pointer. */
export const INSN_F_DST_REG_STACK = 1 << 10;
export const INSN_F_SRC_REG_STACK = 1 << 11;

/** The kernel keeps the previous instruction in 20 bits. */
const PREVIOUS_MASK = 0xfffff;

/** Registers that gained range together, packed as domain/ids.ts does; null for none. */
export type LinkedRegs = readonly number[];

export class JumpHistory {
  readonly insn: number[] = [];
  readonly previous: number[] = [];
  readonly flags: number[] = [];
  readonly linked: (LinkedRegs | null)[] = [];
  /** Registers and slots of the entry's frame that were traced back through it, see `walked`. */
  private readonly walkedRegs: number[] = [];
  private readonly walkedSlotsLo: number[] = [];
  private readonly walkedSlotsHi: number[] = [];

  /** Writes the entry at an index, at most one behind the last. */
  set(at: number, insn: number, previous: number, flags: number, linked: LinkedRegs | null): void {
    this.insn[at] = insn;
    this.previous[at] = previous & PREVIOUS_MASK;
    this.flags[at] = flags;
    this.linked[at] = linked;
    this.walkedRegs[at] = 0;
    this.walkedSlotsLo[at] = 0;
    this.walkedSlotsHi[at] = 0;
  }

  /**
   * Whether all that is wanted was wanted before when a walk came through this entry; it is noted for the next one. What
   * lies behind an entry never changes, marks of checkpoints stay, and each register is traced for itself: nothing is left
   * to do then. Loops live by it, where every round asks for the same of all rounds before.
   */
  walked(at: number, masks: BacktrackMasks): boolean {
    const { frame } = masks;
    for (let f = 0; f < frame; f++) if (masks.regs[f] !== 0 || masks.hasSlots(f)) return false;
    const regs = masks.regs[frame]!;
    const lo = masks.slotsLo[frame]!;
    const hi = masks.slotsHi[frame]!;
    const isNew = (regs & ~this.walkedRegs[at]!) | (lo & ~this.walkedSlotsLo[at]!) | (hi & ~this.walkedSlotsHi[at]!);
    if (isNew === 0) return true;
    this.walkedRegs[at]! |= regs;
    this.walkedSlotsLo[at]! |= lo;
    this.walkedSlotsHi[at]! |= hi;
    return false;
  }

  /** A walk through entries before `end` was given up: what it noted there was not traced to its end. */
  forgetWalks(end: number): void {
    this.walkedRegs.fill(0, 0, end);
    this.walkedSlotsLo.fill(0, 0, end);
    this.walkedSlotsHi.fill(0, 0, end);
  }
}

/** Flags of an access to a stack slot. */
export function insnStackAccessFlags(frameno: number, slot: number): number {
  return INSN_F_STACK_ACCESS | (slot << 3) | frameno;
}

export function stackAccessSlot(flags: number): number {
  return (flags >> 3) & 0x3f;
}

export function stackAccessFrame(flags: number): number {
  return flags & 7;
}

/** Notes the current instruction in the current path's history, or adds to what is noted of it. Answers 0. */
export function pushJumpHistory(env: Env, flags: number, linked: LinkedRegs | null = null): number {
  const history = env.history;
  if (env.historyEntry >= 0) {
    history.flags[env.historyEntry]! |= flags;
    history.linked[env.historyEntry] = linked;
    return 0;
  }
  const state = env.state;
  history.set(state.historyEnd, env.insnIdx, env.prevInsnIdx, flags, linked);
  env.historyEntry = state.historyEnd++;
  return 0;
}

/** Index of the entry that the part [start, end) ends with, if it is one of this instruction; -1 otherwise. */
export function entryAt(env: Env, start: number, end: number, insn: number): number {
  return end > start && env.history.insn[end - 1] === insn ? end - 1 : -1;
}

/** No instruction of the state comes before. */
export const NO_PREVIOUS = -2;

/**
 * The instruction executed before `insn` in a state's path, walking back through its history whose end is `end`.
 * NO_PREVIOUS where the state begins. The caller takes one entry off where `entryAt` finds one.
 */
export function previousInsn(env: Env, state: State, insn: number, start: number, end: number): number {
  const count = end - start;
  if (insn === state.firstInsnIdx) {
    if (count === 0) return NO_PREVIOUS;
    if (count === 1 && env.history.insn[start] === insn) return NO_PREVIOUS;
  }
  return count > 0 && env.history.insn[end - 1] === insn ? env.history.previous[end - 1]! : insn - 1;
}
