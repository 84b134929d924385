/**
 * How paths went: an entry for each instruction that was not reached by falling through, or that did something which
 * precision tracking cannot read off the instruction (struct bpf_insn_hist_entry).
 *
 * All paths share one growing array: a state owns the part [historyStart, historyEnd), its checkpoint the part before.
 * A path taken up again overwrites what the one before it added behind their common part.
 */
import type { Env, State } from '../env.js';
import type { LinkedRegs } from '../linked-regs.js';
import type { BacktrackMasks } from './masks.js';

/** The instruction touches a stack slot: frame number in bits 0–2, slot in bits 3–8. */
export const INSN_F_STACK_ACCESS = 1 << 9;
/** A jump's operand is a stack pointer. */
export const INSN_F_DST_REG_STACK = 1 << 10;
export const INSN_F_SRC_REG_STACK = 1 << 11;
/** The jump found scalars that share an id. */
const INSN_F_LINKED = 1 << 12;

/** The kernel keeps the previous instruction in 20 bits. */
const PREVIOUS_MASK = 0xfffff;

/** Words of an entry: instruction, the one before it, flags, and what was traced back through it (see `walked`). */
const INSN = 0;
const PREVIOUS = 1;
const FLAGS = 2;
const WALKED_REGS = 3;
const WALKED_SLOTS_LO = 4;
const WALKED_SLOTS_HI = 5;
const ENTRY_WORDS = 6;

export class JumpHistory {
  private words = new Int32Array(ENTRY_WORDS * 256);
  /** Linked registers of the entries that have some. */
  private readonly links: (LinkedRegs | null)[] = [];

  insn(at: number): number {
    return this.words[at * ENTRY_WORDS + INSN]!;
  }

  previous(at: number): number {
    return this.words[at * ENTRY_WORDS + PREVIOUS]!;
  }

  /** INSN_F_… bits; 0 where there is no entry (-1). */
  flags(at: number): number {
    return at < 0 ? 0 : this.words[at * ENTRY_WORDS + FLAGS]!;
  }

  /** Registers that gained their range together; null where there are none, or no entry (-1). */
  linked(at: number): LinkedRegs | null {
    return (this.flags(at) & INSN_F_LINKED) === 0 ? null : this.links[at]!;
  }

  /** Writes the entry at an index, at most one behind the last. */
  set(at: number, insn: number, previous: number): void {
    const base = at * ENTRY_WORDS;
    if (base === this.words.length) this.grow();
    const { words } = this;
    words[base + INSN] = insn;
    words[base + PREVIOUS] = previous & PREVIOUS_MASK;
    words[base + FLAGS] = 0;
    words[base + WALKED_REGS] = 0;
    words[base + WALKED_SLOTS_LO] = 0;
    words[base + WALKED_SLOTS_HI] = 0;
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
  }

  addFlags(at: number, flags: number): void {
    this.words[at * ENTRY_WORDS + FLAGS]! |= flags;
  }

  setLinked(at: number, linked: LinkedRegs): void {
    while (this.links.length < at) this.links.push(null);
    this.links[at] = linked;
    this.addFlags(at, INSN_F_LINKED);
  }

  /**
   * Whether all that is wanted was wanted before when a walk came through this entry; it is noted for the next one. What
   * lies behind an entry never changes, marks of checkpoints stay, and each register is traced for itself: nothing is left
   * to do then. Loops live by it, where every round asks for the same of all rounds before.
   */
  walked(at: number, masks: BacktrackMasks): boolean {
    const { frame } = masks;
    for (let f = 0; f < frame; f++) if (masks.regs[f] !== 0 || masks.hasSlots(f)) return false;
    const { words } = this;
    const base = at * ENTRY_WORDS;
    const regs = masks.regs[frame]!;
    const lo = masks.slotsLo[frame]!;
    const hi = masks.slotsHi[frame]!;
    const known = (regs & ~words[base + WALKED_REGS]!) | (lo & ~words[base + WALKED_SLOTS_LO]!);
    if ((known | (hi & ~words[base + WALKED_SLOTS_HI]!)) === 0) return true;
    words[base + WALKED_REGS]! |= regs;
    words[base + WALKED_SLOTS_LO]! |= lo;
    words[base + WALKED_SLOTS_HI]! |= hi;
    return false;
  }

  /** A walk through entries before `end` was given up: what it noted there was not traced to its end. */
  forgetWalks(end: number): void {
    for (let base = 0; base < end * ENTRY_WORDS; base += ENTRY_WORDS) {
      this.words[base + WALKED_REGS] = 0;
      this.words[base + WALKED_SLOTS_LO] = 0;
      this.words[base + WALKED_SLOTS_HI] = 0;
    }
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
    history.addFlags(env.historyEntry, flags);
  } else {
    const { state } = env;
    history.set(state.historyEnd, env.insnIdx, env.prevInsnIdx);
    if (flags !== 0) history.addFlags(state.historyEnd, flags);
    env.historyEntry = state.historyEnd++;
  }
  if (linked !== null) history.setLinked(env.historyEntry, linked);
  return 0;
}

/** Index of the entry that the part [start, end) ends with, if it is one of this instruction; -1 otherwise. */
export function entryAt(env: Env, start: number, end: number, insn: number): number {
  return end > start && env.history.insn(end - 1) === insn ? end - 1 : -1;
}

/** No instruction of the state comes before. */
export const NO_PREVIOUS = -2;

/**
 * The instruction that a state's path executed before `insn`, or NO_PREVIOUS where the state begins with it. [start, end)
 * is the part of the state's history that is not yet walked back, and `entry` what `entryAt` finds there.
 *
 * What was reached by falling through needs no entry: the one before it stands in front of it. A state's first instruction
 * is its beginning as soon as no other entry is left: a loop that comes back to it has one for each round.
 */
export function previousInsn(env: Env, state: State, insn: number, entry: number, start: number, end: number): number {
  const entriesLeft = end - start - (entry >= 0 ? 1 : 0);
  if (insn === state.firstInsnIdx && entriesLeft === 0) return NO_PREVIOUS;
  return entry >= 0 ? env.history.previous(entry) : insn - 1;
}
