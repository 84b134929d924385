/** Dynptrs as they lie on the stack: two slots, the first above the second (slots `spi` and `spi - 1`). */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import { isConst, markKnownZero, NOT_INIT_REG } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { ERANGE } from '../errno.js';
import { markStackSlotScratched } from '../log/scratch.js';
import { markSlotRead } from '../prune/liveness.js';
import { changeRegs } from '../slots.js';
import { allOfKind, STACK_DYNPTR, STACK_INVALID } from '../state.js';
import type { Frame, ReadonlyReg, ReadonlySlot, Reg } from '../state.js';
import { acquireReference, releaseReference } from './references.js';
import { voided } from '../memory/pointer-leak.js';

/** enum bpf_dynptr_type. */
export const DYNPTR_INVALID = 0;
export const DYNPTR_LOCAL = 1;
export const DYNPTR_RINGBUF = 2;
export const DYNPTR_SKB = 3;
export const DYNPTR_XDP = 4;

export const DYNPTR_SLOTS = 2;
export const DYNPTR_FLAGS = t.DYNPTR_TYPE_LOCAL | t.DYNPTR_TYPE_RINGBUF | t.DYNPTR_TYPE_SKB | t.DYNPTR_TYPE_XDP;

/** The type that an argument's flags name. */
export function argDynptrType(argType: number): number {
  switch (argType & DYNPTR_FLAGS) {
    case t.DYNPTR_TYPE_LOCAL:
      return DYNPTR_LOCAL;
    case t.DYNPTR_TYPE_RINGBUF:
      return DYNPTR_RINGBUF;
    case t.DYNPTR_TYPE_SKB:
      return DYNPTR_SKB;
    case t.DYNPTR_TYPE_XDP:
      return DYNPTR_XDP;
    default:
      return DYNPTR_INVALID;
  }
}

export function dynptrTypeFlag(type: number): number {
  switch (type) {
    case DYNPTR_LOCAL:
      return t.DYNPTR_TYPE_LOCAL;
    case DYNPTR_RINGBUF:
      return t.DYNPTR_TYPE_RINGBUF;
    case DYNPTR_SKB:
      return t.DYNPTR_TYPE_SKB;
    case DYNPTR_XDP:
      return t.DYNPTR_TYPE_XDP;
    default:
      return 0;
  }
}

/** Whether a dynptr of that type holds a reference that must be given back. */
export function isRefcounted(type: number): boolean {
  return type === DYNPTR_RINGBUF;
}

export function frameOf(env: Env, reg: ReadonlyReg): Frame {
  return env.state.frames[reg.frame]!;
}

/** Fixed and known variable offset together. */
export function constantOffset(reg: ReadonlyReg): number {
  return (reg.off + reg.valueLo) | 0;
}

/**
 * The slot that an object of `slots` slots begins with, whose address is in the register; -EINVAL with a sentence, or
 * -ERANGE where the frame's stack does not reach that far.
 */
export function stackObjectSlot(env: Env, reg: ReadonlyReg, kind: string, slots: number): number {
  if (!isConst(reg)) {
    return refuse(env, OBJECTS.objectVariableOffset, kind);
  }
  const off = constantOffset(reg);
  const spi = ((-off - 1) / 8) | 0;
  if (off % 8 !== 0 || spi + 1 < slots) {
    return refuse(env, OBJECTS.objectOffset, kind, off);
  }
  return spi - slots + 1 >= 0 && spi < frameOf(env, reg).stack.length ? spi : -ERANGE;
}

export function dynptrSlot(env: Env, reg: ReadonlyReg): number {
  return stackObjectSlot(env, reg, 'dynptr', DYNPTR_SLOTS);
}

/** Makes a register or slot a dynptr; `id` is what its slices are known by. */
export function markDynptrReg(reg: Reg, type: number, firstSlot: boolean, id: number): void {
  markKnownZero(reg);
  reg.type = t.CONST_PTR_TO_DYNPTR;
  reg.id = id;
  reg.dynptrType = type;
  reg.dynptrFirst = firstSlot;
}

/** Makes a slot hold nothing. The write mark screens off reads that happen later from the slot's earlier contents. */
function invalidateSlot(frame: Frame, spi: number): void {
  const slot = frame.ownSlot(spi);
  slot.setAllKinds(STACK_INVALID);
  slot.spilled = NOT_INIT_REG;
  frame.live.writeSlot(spi);
}

function invalidatePair(frame: Frame, spi: number): void {
  invalidateSlot(frame, spi);
  invalidateSlot(frame, spi - 1);
}

/** Initialises the dynptr at the register's address. A clone shares `cloneRefObjId` with its parent. */
export function markStackSlotsDynptr(
  env: Env,
  reg: ReadonlyReg,
  argType: number,
  insnIdx: number,
  cloneRefObjId: number,
): number {
  const frame = frameOf(env, reg);
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  const err = destroyIfDynptrStackSlot(env, frame, spi) || destroyIfDynptrStackSlot(env, frame, spi - 1);
  if (err !== 0) return err;
  const first = frame.ownSlot(spi);
  const second = frame.ownSlot(spi - 1);
  first.setAllKinds(STACK_DYNPTR);
  second.setAllKinds(STACK_DYNPTR);
  const type = argDynptrType(argType);
  if (type === DYNPTR_INVALID) return refuse(env, OBJECTS.dynptrKind);
  const id = ++env.idGen;
  const firstHalf = first.renewSpilled();
  const secondHalf = second.renewSpilled();
  markDynptrReg(firstHalf, type, true, id);
  markDynptrReg(secondHalf, type, false, id);
  if (isRefcounted(type)) {
    const refObjId = cloneRefObjId !== 0 ? cloneRefObjId : acquireReference(env, insnIdx);
    firstHalf.refObjId = refObjId;
    secondHalf.refObjId = refObjId;
  }
  frame.live.writeSlot(spi);
  frame.live.writeSlot(spi - 1);
  return 0;
}

/** Releases the dynptr at the register's address: with a reference, its clones and slices go with it. */
export function unmarkStackSlotsDynptr(env: Env, reg: ReadonlyReg): number {
  const frame = frameOf(env, reg);
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  const { dynptrType, refObjId } = frame.stack[spi]!.spilled;
  if (!isRefcounted(dynptrType)) {
    invalidatePair(frame, spi);
    return 0;
  }
  releaseReference(env, refObjId);
  for (let i = 1; i < frame.stack.length; i++) {
    const slot = frame.stack[i]!;
    if (slot.spilled.refObjId !== refObjId) continue;
    if (slot.kind(0) !== STACK_DYNPTR) {
      return refuse(env, OBJECTS.dynptrReference);
    }
    if (slot.spilled.dynptrFirst) invalidatePair(frame, i);
  }
  return 0;
}

/** A write to a slot of a dynptr ends the whole dynptr and its slices; one that holds a reference must not be written to. */
export function destroyIfDynptrStackSlot(env: Env, frame: Frame, spi: number): number {
  if (frame.stack[spi]!.kind(0) !== STACK_DYNPTR) return 0;
  if (!frame.stack[spi]!.spilled.dynptrFirst) spi++;
  const first = frame.stack[spi]!.spilled;
  if (isRefcounted(first.dynptrType)) {
    return refuse(env, OBJECTS.overwritesDynptr);
  }
  markStackSlotScratched(env, spi);
  markStackSlotScratched(env, spi - 1);
  frame.ownSlot(spi).setAllKinds(STACK_INVALID);
  frame.ownSlot(spi - 1).setAllKinds(STACK_INVALID);
  const { id } = first;
  const isSlice = (reg: ReadonlyReg): boolean =>
    (reg.type === t.PTR_TO_MEM || reg.type === (t.PTR_TO_MEM | t.PTR_MAYBE_NULL)) && reg.dynptrId === id;
  changeRegs(env.state, isSlice, voided(env));
  invalidatePair(frame, spi);
  return 0;
}

/** The memory at the register's address may become a dynptr. */
export function isValidUninitDynptr(env: Env, reg: ReadonlyReg): boolean {
  if (reg.type === t.CONST_PTR_TO_DYNPTR) return false;
  const spi = dynptrSlot(env, reg);
  return spi >= 0 || spi === -ERANGE;
}

/** There is a dynptr at the register's address. */
export function isValidInitDynptr(env: Env, reg: ReadonlyReg): boolean {
  if (reg.type === t.CONST_PTR_TO_DYNPTR) return true;
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return false;
  const { stack } = frameOf(env, reg);
  const first = stack[spi]!;
  if (!first.spilled.dynptrFirst) return false;
  return isAllDynptr(first) && isAllDynptr(stack[spi - 1]!);
}

function isAllDynptr(slot: ReadonlySlot): boolean {
  return slot.kinds === allOfKind(STACK_DYNPTR);
}

/** What stands for the dynptr: the register itself for a const one, its first slot otherwise; or a negative errno. */
export function dynptrState(env: Env, reg: ReadonlyReg): ReadonlyReg | number {
  if (reg.type === t.CONST_PTR_TO_DYNPTR) return reg;
  const spi = dynptrSlot(env, reg);
  return spi < 0 ? spi : frameOf(env, reg).stack[spi]!.spilled;
}

export function markDynptrRead(env: Env, reg: ReadonlyReg): number {
  if (reg.type === t.CONST_PTR_TO_DYNPTR) return 0;
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return spi;
  const frame = frameOf(env, reg);
  return markSlotRead(env, frame, spi) || markSlotRead(env, frame, spi - 1);
}
