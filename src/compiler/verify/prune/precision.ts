/**
 * Precision: a scalar's exact value matters only where a decision rested on it. Such a decision is traced back along
 * the path, instruction by instruction and checkpoint by checkpoint, to all that the value was computed from; what is
 * marked there must lie within the old range for two states to be equal. The state we are in needs no marks: it is not
 * kept yet.
 */
import { PRECISION } from '../refusals/precision.js';
import { refuse } from '../refusals/refuse.js';
import { SCALAR_VALUE } from '../../targets/types.js';
import type { Env, State } from '../env.js';
import { ENOTSUPP } from '../errno.js';
import { regMaskText, slotMaskText } from '../log/masks.js';
import { printState } from '../log/state.js';
import { lowestBit } from '../live.js';
import { isSpilledScalarReg } from '../slots.js';
import type { Frame } from '../state.js';
import { backtrackInsn, dependsOnNext } from './backtrack.js';
import { NO_PREVIOUS, entryAt, previousInsn } from './history.js';

/** R1 to R5, and R0 to R9. */
const ARGUMENTS = 0x3e;
const ALL_BUT_FRAME_POINTER = 0x3ff;

/** Gives tracing up: every scalar of every checkpoint of this path is precise. */
function markAllPrecise(env: Env): void {
  const trace = env.log.detailed;
  if (trace) {
    env.log.write(`mark_precise: frame${env.state.currentFrame}: falling back to forcing all scalars precise\n`);
  }
  env.history.forgetWalks(env.state.historyEnd);
  for (let state = env.state.parent; state !== null; state = state.parent) {
    for (let f = 0; f <= state.currentFrame; f++) {
      const frame = state.frames[f]!;
      for (let r = 0; r < 10; r++) {
        if (!forceRegPrecise(frame, r) || !trace) continue;
        env.log.write(`force_precise: frame${f}: forcing r${r} to be precise\n`);
      }
      for (let s = 0; s < frame.stack.length; s++) {
        if (!forceSlotPrecise(frame, s) || !trace) continue;
        env.log.write(`force_precise: frame${f}: forcing fp${-(s + 1) * 8} to be precise\n`);
      }
    }
  }
}

/** Marks a scalar of a kept state. Whether the mark is new. */
function forceRegPrecise(frame: Frame, r: number): boolean {
  if (frame.regs[r]!.type !== SCALAR_VALUE || frame.isRegPrecise(r)) return false;
  frame.markRegPrecise(r);
  return true;
}

/** The same for one that lies in a stack slot. */
function forceSlotPrecise(frame: Frame, s: number): boolean {
  if (!isSpilledScalarReg(frame.stack[s]!) || frame.isSlotPrecise(s)) return false;
  frame.markSlotPrecise(s);
  return true;
}

/** The path began with a subprogram: its arguments, which nothing computed, are all that may be wanted. */
function reachedEntry(env: Env, state: State): number {
  const { masks } = env;
  const frame = state.frames[0]!;
  const wanted = masks.regs[masks.frame]!;
  const isEntry = state.currentFrame === 0 && frame.subprog > 0 && frame.callsite === -1;
  if (isEntry && !masks.hasSlots(masks.frame) && (wanted & ~ARGUMENTS) === 0) {
    for (let r = 0; r < 11; r++) {
      if ((wanted & (1 << r)) === 0) continue;
      masks.clearReg(r);
      forceRegPrecise(frame, r);
    }
    return 0;
  }
  const slots = slotMaskText(masks.slotsLo[masks.frame]!, masks.slotsHi[masks.frame]!);
  return refuse(env, PRECISION.precisionEntry, frame.subprog, wanted, slots);
}

/** Marks what is wanted in a checkpoint's frame; what it has marked already, or is no scalar, is wanted no more. */
function markWanted(env: Env, frame: Frame, f: number): number {
  const { masks } = env;
  const regs = masks.regs[f]!;
  for (let r = 0; r < 11; r++) {
    if ((regs & (1 << r)) !== 0 && !forceRegPrecise(frame, r)) masks.clearFrameReg(f, r);
  }
  if (!masks.hasSlots(f)) return 0;
  for (let s = 0; s < 64; s++) {
    if (!masks.hasSlot(f, s)) continue;
    if (s >= frame.stack.length) {
      return refuse(env, PRECISION.precisionSlot, s, frame.stack.length);
    }
    if (!forceSlotPrecise(frame, s)) masks.clearSlot(f, s);
  }
  return 0;
}

function markCheckpoint(env: Env, state: State): number {
  const { masks } = env;
  for (let f = masks.frame; f >= 0; f--) {
    const frame = state.frames[f]!;
    const err = markWanted(env, frame, f);
    if (err !== 0) return err;
    if (!env.log.detailed) continue;
    const slots = slotMaskText(masks.slotsLo[f]!, masks.slotsHi[f]!);
    env.log.write(`mark_precise: frame${f}: parent state regs=${regMaskText(masks.regs[f]!)} stack=${slots}: `);
    printState(env, frame, true);
  }
  return 0;
}

/** Whether what is wanted was traced back through this instruction before. The log tells every step all the same. */
function isWalked(env: Env, i: number, entry: number): boolean {
  return !env.log.detailed && !dependsOnNext(env.insns.opcode(i)) && env.history.walked(entry, env.masks);
}

/** What walking one state's instructions backwards ended with. */
const DONE = 1;

/** Walks a state's part of the path backwards from `last`. DONE, an errno, or 0 when its begin is reached. */
function walkState(env: Env, state: State, last: number, skipLast: boolean, cursor: { next: number }): number {
  const start = state.historyStart;
  let end = state.historyEnd;
  let skip = skipLast;
  for (let i = last; ;) {
    const entry = entryAt(env, start, end, i);
    if (entry >= 0 && !skip && isWalked(env, i, entry)) {
      env.masks.reset();
      return DONE;
    }
    const err = skip ? 0 : backtrackInsn(env, i, cursor.next, entry);
    skip = false;
    if (err === -ENOTSUPP) {
      markAllPrecise(env);
      env.masks.reset();
      return DONE;
    }
    if (err !== 0) return err;
    if (env.masks.empty) return DONE;
    cursor.next = i;
    const previous = previousInsn(env, state, i, entry, start, end);
    if (previous === NO_PREVIOUS) return 0;
    if (entry >= 0) end--;
    i = previous;
    if (i < 0 || i >= env.insns.length) {
      return refuse(env, PRECISION.precisionInstruction, i);
    }
  }
}

/** Traces back what stands in env.masks, whose innermost frame is the current one. */
function traceBack(env: Env): number {
  const { masks } = env;
  masks.frame = env.state.currentFrame;
  if (masks.empty) return 0;
  const cursor = { next: -1 };
  let state: State = env.state;
  let last = env.insnIdx;
  let first = state.firstInsnIdx;
  for (let isCurrent = true; ; isCurrent = false) {
    if (env.log.detailed) {
      const at = `last_idx ${last} first_idx ${first} subseq_idx ${cursor.next}`;
      env.log.write(`mark_precise: frame${masks.frame}: ${at} \n`);
    }
    if (last < 0) return reachedEntry(env, state);
    const result = walkState(env, state, last, isCurrent, cursor);
    if (result !== 0) return result === DONE ? 0 : result;
    if (state.parent === null) break;
    state = state.parent;
    const err = markCheckpoint(env, state);
    if (err !== 0) return err;
    if (masks.empty) return 0;
    cursor.next = first;
    last = state.lastInsnIdx;
    first = state.firstInsnIdx;
  }
  if (!masks.empty) {
    markAllPrecise(env);
    masks.reset();
  }
  return 0;
}

/** The exact value of a scalar register of the current frame has been decided upon. 0 or an errno. */
export function markChainPrecision(env: Env, register: number): number {
  if (!env.capable) return 0; // every scalar is precise
  const reg = env.state.frames[env.state.currentFrame]!.regs[register]!;
  if (reg.type !== SCALAR_VALUE) return refuse(env, PRECISION.preciseNoScalar);
  env.masks.frame = env.state.currentFrame;
  env.masks.setReg(register);
  return traceBack(env);
}

/** Whether a read scalar of a kept state must be exact; for a process without CAP_BPF all must. */
function isNeeded(env: Env, isPrecise: boolean): boolean {
  return isPrecise || !env.capable;
}

/** Adds to what is wanted the scalars that a frame's continuation reads and needs exactly. Their names, for the log. */
function wantFrame(env: Env, frame: Frame, f: number): string[] | null {
  const { masks } = env;
  const { live } = frame;
  const names: string[] = [];
  let isAny = false;
  for (let left = live.regsRead & ALL_BUT_FRAME_POINTER; left !== 0; left &= left - 1) {
    const r = lowestBit(left);
    if (frame.regs[r]!.type !== SCALAR_VALUE || !isNeeded(env, frame.isRegPrecise(r))) continue;
    isAny = true;
    masks.setFrameReg(f, r);
    if (env.log.detailed) names.push(`r${r}`);
  }
  for (let half = 0; half < 2; half++) {
    for (let left = half === 0 ? live.slotsRead : live.slotsReadHigh; left !== 0; left &= left - 1) {
      const s = half * 32 + lowestBit(left);
      if (s >= frame.stack.length) break;
      if (!isSpilledScalarReg(frame.stack[s]!) || !isNeeded(env, frame.isSlotPrecise(s))) continue;
      isAny = true;
      masks.setSlot(f, s);
      if (env.log.detailed) names.push(`fp${-(s + 1) * 8}`);
    }
  }
  return isAny ? names : null;
}

/** The current path is cut off since it equals `old`: what that one's continuation needs exactly, it needs. */
export function propagatePrecision(env: Env, old: State): number {
  for (let f = old.currentFrame; f >= 0; f--) {
    const names = wantFrame(env, old.frames[f]!, f);
    // Below level 2 the kernel leaves nothing of this line but its end.
    if (names !== null) env.log.write(env.log.detailed ? `frame ${f}: propagating ${names.join(',')}\n` : '\n');
  }
  if (!env.capable) {
    env.masks.reset();
    return 0;
  }
  return traceBack(env);
}
