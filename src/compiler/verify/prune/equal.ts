/** Whether a state is safe because one explored before was: comparison of registers, stacks, references. */
import * as t from '../../targets/types.js';
import { markUnknown } from '../domain/scalar.js';
import type { Env, State } from '../env.js';
import { lowestBit } from '../live.js';
import { isPlainBytes, isSpilledScalarReg64, isStackAllMisc } from '../slots.js';
import {
  ADD_CONST,
  Reg,
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_ITER,
  STACK_MISC,
  STACK_SPILL,
  STACK_ZERO,
  allOfKind,
} from '../state.js';
import type { Frame, ReadonlyReg, ReadonlySlot } from '../state.js';
import type { IdMap } from './id-map.js';
import { rangeWithin, sameBounds, sameKind, tnumWithin } from './same.js';

/** How much alike two states must be. */
export const NOT_EXACT = 0;
/** Identical but for ids. */
export const EXACT = 1;
/** Ranges within the old ones, but nothing is left out for not being read: marks in loops are not final. */
export const RANGE_WITHIN = 2;

/** Where two states differ: register or slot in the low bits, frame above. */
const PLACE_BITS = 7;
const FIRST_SLOT = 16;

/** Stands for what a load from a slot of unknown bytes gives. Never written to. */
const UNBOUND = unboundReg();

function unboundReg(): ReadonlyReg {
  const reg = new Reg();
  markUnknown(reg);
  return reg;
}

/** StackSlot.kinds of a slot that holds eight bytes of a register. */
const WHOLE_SPILL = allOfKind(STACK_SPILL);

/** R0 to R10. */
const ALL_REGS = 0x7ff;

/** Whether the registers of the innermost frames are the same to the bit, ids included: a cheap test for a loop. */
export function sameInnermostRegs(old: State, cur: State): boolean {
  const f = cur.currentFrame;
  if (old.currentFrame !== f) return false;
  const before = old.frames[f]!.regs;
  const now = cur.frames[f]!.regs;
  // What differed the last time is likely to differ again: a loop's counter.
  const last = old.mismatch - (f << PLACE_BITS);
  if (last >= 0 && last < before.length && !sameReg(before[last]!, now[last]!)) return false;
  for (let r = 0; r < before.length; r++) {
    if (sameReg(before[r]!, now[r]!)) continue;
    old.mismatch = (f << PLACE_BITS) | r;
    return false;
  }
  return true;
}

function sameReg(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return a === b || (a.id === b.id && a.refObjId === b.refObjId && sameBounds(a, b) && sameKind(a, b));
}

/** Identical registers, ids renamed. */
export function regsExact(old: ReadonlyReg, cur: ReadonlyReg, ids: IdMap): boolean {
  const same = old === cur || (sameKind(old, cur) && sameBounds(old, cur));
  return same && ids.match(old.id, cur.id) && ids.match(old.refObjId, cur.refObjId);
}

function scalarSafe(env: Env, old: ReadonlyReg, oldPrecise: boolean, cur: ReadonlyReg, exact: number): boolean {
  const ids = env.idMap;
  if (env.exploreAluLimits) return sameKind(old, cur) && sameBounds(old, cur) && ids.matchScalar(old.id, cur.id);
  if (exact === NOT_EXACT && !(oldPrecise || (!env.capable && old !== UNBOUND))) return true;
  const oldLinked = (old.id & ADD_CONST) !== 0;
  const curLinked = (cur.id & ADD_CONST) !== 0;
  if (oldLinked && !curLinked) return false;
  if (old.id !== 0 && !oldLinked && curLinked) return false;
  if (oldLinked && old.off !== cur.off) return false;
  return ids.matchScalar(old.id, cur.id) && rangeWithin(old, cur) && tnumWithin(old, cur);
}

function packetSafe(old: ReadonlyReg, cur: ReadonlyReg, ids: IdMap): boolean {
  // Negative ranges say that the pointer lies behind the packet's end.
  if (old.range < 0 || cur.range < 0) {
    if (old.range !== cur.range) return false;
  } else if (old.range > cur.range) return false;
  if (old.off !== cur.off) return false;
  return ids.match(old.id, cur.id) && rangeWithin(old, cur) && tnumWithin(old, cur);
}

/** Whether what holds of `old` allows `cur` in its place (regsafe, for what was read of a state). */
function regSafe(env: Env, old: ReadonlyReg, oldPrecise: boolean, cur: ReadonlyReg, exact: number): boolean {
  const ids = env.idMap;
  if (exact === EXACT) return regsExact(old, cur, ids);
  if (old.type === t.NOT_INIT && (exact === NOT_EXACT || cur.type === t.NOT_INIT)) return true;
  if (old.type !== cur.type) return false;
  switch (old.type & t.BASE_MASK) {
    case t.SCALAR_VALUE:
      return scalarSafe(env, old, oldPrecise, cur, exact);
    case t.PTR_TO_MAP_KEY:
    case t.PTR_TO_MAP_VALUE:
    case t.PTR_TO_MEM:
    case t.PTR_TO_BUF:
    case t.PTR_TO_TP_BUFFER:
      return (
        sameKind(old, cur) &&
        rangeWithin(old, cur) &&
        tnumWithin(old, cur) &&
        ids.match(old.id, cur.id) &&
        ids.match(old.refObjId, cur.refObjId)
      );
    case t.PTR_TO_PACKET_META:
    case t.PTR_TO_PACKET:
      return packetSafe(old, cur, ids);
    case t.PTR_TO_STACK:
      return regsExact(old, cur, ids) && old.frame === cur.frame;
    case t.PTR_TO_ARENA:
      return true;
    default:
      return regsExact(old, cur, ids);
  }
}

/** The scalar that a load of all eight bytes of a slot gives, or null where it gives something else. */
function scalarOf(env: Env, slot: ReadonlySlot): ReadonlyReg | null {
  if (isSpilledScalarReg64(slot)) return slot.spilled;
  return isStackAllMisc(slot, env.allowUninitStack) ? UNBOUND : null;
}

/** Slots whose bytes are all of one kind, compared by what that kind keeps. */
function contentsSafe(env: Env, old: ReadonlySlot, oldPrecise: boolean, cur: ReadonlySlot, exact: number): boolean {
  const ids = env.idMap;
  const a = old.spilled;
  const b = cur.spilled;
  switch (old.kind(7)) {
    case STACK_SPILL:
      return regSafe(env, a, oldPrecise, b, exact);
    case STACK_DYNPTR:
      return a.dynptrType === b.dynptrType && a.dynptrFirst === b.dynptrFirst && ids.match(a.refObjId, b.refObjId);
    case STACK_ITER:
      // Depth is left out: it only tells iterations apart for the detection of endless loops.
      return (
        a.type === b.type &&
        a.btf === b.btf &&
        a.btfId === b.btfId &&
        a.iterState === b.iterState &&
        ids.match(a.refObjId, b.refObjId)
      );
    default:
      return true;
  }
}

/** Whether what holds of one slot allows another, null for none, in its place. */
function slotAllows(env: Env, old: Frame, s: number, b: ReadonlySlot | null, exact: number): boolean {
  const a = old.stack[s]!;
  if (a.kinds === b?.kinds) {
    if (isPlainBytes(a.kinds)) return true;
    if (a.kinds === WHOLE_SPILL) return regSafe(env, a.spilled, old.isSlotPrecise(s), b.spilled, exact);
  } else if (exact !== NOT_EXACT) return false;
  for (let i = 0; i < 8; i++) {
    const kind = a.kind(i);
    // With CAP_PERFMON an old STACK_MISC accepts everything, uninitialised stack included.
    if (kind === STACK_INVALID || (kind === STACK_MISC && env.allowUninitStack)) continue;
    if (b === null) return false;
    const oldReg = scalarOf(env, a);
    const curReg = oldReg === null ? null : scalarOf(env, b);
    if (oldReg !== null && curReg !== null) {
      return regSafe(env, oldReg, oldReg === a.spilled && old.isSlotPrecise(s), curReg, exact);
    }
    if (kind === STACK_MISC && b.kind(i) === STACK_ZERO) continue;
    if (kind !== b.kind(i)) return false;
    if (i === 7 && kind !== STACK_ZERO && !contentsSafe(env, a, old.isSlotPrecise(s), b, exact)) return false;
  }
  return true;
}

function slotSafe(env: Env, old: Frame, cur: Frame, s: number, exact: number): boolean {
  return slotAllows(env, old, s, s < cur.stack.length ? cur.stack[s]! : null, exact);
}

/** Whether what the masks name of the old stack, from slot `base` on, allows what the current one has there. */
function slotsSafe(env: Env, old: Frame, cur: Frame, wanted: number, base: number, exact: number): boolean {
  for (let left = wanted; left !== 0; left &= left - 1) {
    const s = base + lowestBit(left);
    if (s >= old.stack.length) return true;
    if (!slotSafe(env, old, cur, s, exact)) return differAt(env, old, FIRST_SLOT + s);
  }
  return true;
}

function stackSafe(env: Env, old: Frame, cur: Frame, exact: number): boolean {
  const { live } = old;
  const low = exact === NOT_EXACT ? live.slotsRead : -1;
  const high = exact === NOT_EXACT ? live.slotsReadHigh : -1;
  return slotsSafe(env, old, cur, low, 0, exact) && slotsSafe(env, old, cur, high, 32, exact);
}

/** Remembers a register, or a slot, of the frame as the place to look at first next time. */
function differAt(env: Env, old: Frame, place: number): false {
  env.mismatch = (old.frameno << PLACE_BITS) | place;
  return false;
}

/**
 * Whether the states differ where this one differed the last time. Registers are compared as if no ids had been met: what
 * does not match then, never does.
 */
function differsAgain(env: Env, old: State, cur: State, exact: number): boolean {
  const { mismatch } = old;
  if (mismatch < 0) return false;
  const frame = old.frames[mismatch >> PLACE_BITS]!;
  const now = cur.frames[mismatch >> PLACE_BITS]!;
  const place = mismatch & ((1 << PLACE_BITS) - 1);
  env.idMap.reset(env.idGen);
  if (place >= FIRST_SLOT) {
    const slot = place - FIRST_SLOT;
    return (exact !== NOT_EXACT || frame.live.isSlotRead(slot)) && !slotSafe(env, frame, now, slot, exact);
  }
  if (exact === NOT_EXACT && !frame.live.isRegRead(place)) return false;
  return !regSafe(env, frame.regs[place]!, frame.isRegPrecise(place), now.regs[place]!, exact);
}

function regsSafe(env: Env, old: Frame, cur: Frame, exact: number): boolean {
  for (let left = exact === NOT_EXACT ? old.live.regsRead : ALL_REGS; left !== 0; left &= left - 1) {
    const r = lowestBit(left);
    if (!regSafe(env, old.regs[r]!, old.isRegPrecise(r), cur.regs[r]!, exact)) return differAt(env, old, r);
  }
  return true;
}

function framesEqual(env: Env, old: Frame, cur: Frame, exact: number): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false;
  const ids = env.idMap;
  if (!regsSafe(env, old, cur, exact)) return false;
  if (!stackSafe(env, old, cur, exact)) return false;
  if (old.references.length !== cur.references.length) return false;
  for (let i = 0; i < old.references.length; i++) {
    if (!ids.match(old.references[i]!.id, cur.references[i]!.id)) return false;
  }
  return true;
}

/** Whether every continuation that is safe from `old` is safe from `cur` (states_equal). */
export function statesEqual(env: Env, old: State, cur: State, exact: number): boolean {
  if (old.currentFrame !== cur.currentFrame || differsAgain(env, old, cur, exact)) return false;
  env.idMap.reset(env.idGen);
  if (old.speculative && !cur.speculative) return false;
  if (old.activeLockPtr !== cur.activeLockPtr) return false;
  if (!env.idMap.match(old.activeLockId, cur.activeLockId)) return false;
  if (old.activeRcuLock !== cur.activeRcuLock) return false;
  if (old.activePreemptLocks !== cur.activePreemptLocks) return false;
  if (old.inSleepable !== cur.inSleepable) return false;
  for (let i = 0; i <= old.currentFrame; i++) {
    if (old.frames[i]!.callsite !== cur.frames[i]!.callsite) return false;
    env.mismatch = -1;
    if (!framesEqual(env, old.frames[i]!, cur.frames[i]!, exact)) {
      old.mismatch = env.mismatch;
      return false;
    }
  }
  return true;
}
