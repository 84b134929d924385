/** Open-coded iterators as they lie on the stack: as many slots as struct bpf_iter_… is long, the first on top. */
import type { Btf } from '../../btf/btf.js';
import * as t from '../../targets/types.js';
import { markKnownZero, NOT_INIT_REG } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { EINVAL, ERANGE } from '../errno.js';
import { markStackSlotScratched } from '../log/scratch.js';
import { markSlotRead } from '../prune/liveness.js';
import { allOfKind, STACK_INVALID, STACK_ITER } from '../state.js';
import type { ReadonlyReg, ReadonlySlot } from '../state.js';
import { frameOf, stackObjectSlot } from './dynptr-slots.js';
import { acquireReference, releaseReference } from './references.js';
import { inRcuSection } from '../register-types.js';

const EPROTO = 71;

/** enum bpf_iter_state. */
export const ITER_ACTIVE = 1;
export const ITER_DRAINED = 2;

/** The struct behind an iterator, and its slots. */
export interface IteratorType {
  readonly btf: Btf;
  readonly btfId: number;
  readonly slots: number;
}

export function iteratorSlot(env: Env, reg: ReadonlyReg, slots: number): number {
  return stackObjectSlot(env, reg, 'iter', slots);
}

/** Begins an iterator; `rcuProtected` ones yield pointers that are good within one RCU section. */
export function markStackSlotsIter(
  env: Env,
  reg: ReadonlyReg,
  insnIdx: number,
  type: IteratorType,
  rcuProtected: boolean,
): number {
  const spi = iteratorSlot(env, reg, type.slots);
  if (spi < 0) return spi;
  const id = acquireReference(env, insnIdx);
  const flag = rcuProtected ? (inRcuSection(env) ? t.MEM_RCU : t.PTR_UNTRUSTED) : 0;
  const frame = frameOf(env, reg);
  for (let i = 0; i < type.slots; i++) {
    const slot = frame.ownSlot(spi - i);
    const one = slot.renewSpilled();
    markKnownZero(one);
    one.type = t.PTR_TO_STACK | flag;
    frame.live.writeSlot(spi - i);
    one.refObjId = i === 0 ? id : 0;
    one.btf = type.btf;
    one.btfId = type.btfId;
    one.iterState = ITER_ACTIVE;
    one.iterDepth = 0;
    slot.setAllKinds(STACK_ITER);
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}

/** Ends an iterator. */
export function unmarkStackSlotsIter(env: Env, reg: ReadonlyReg, slots: number): number {
  const spi = iteratorSlot(env, reg, slots);
  if (spi < 0) return spi;
  const frame = frameOf(env, reg);
  releaseReference(env, frame.stack[spi]!.spilled.refObjId);
  for (let i = 0; i < slots; i++) {
    const slot = frame.ownSlot(spi - i);
    slot.spilled = NOT_INIT_REG;
    frame.live.writeSlot(spi - i);
    slot.setAllKinds(STACK_INVALID);
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}

/** No iterator lies where one is to be begun. */
export function isValidUninitIter(env: Env, reg: ReadonlyReg, slots: number): boolean {
  const spi = iteratorSlot(env, reg, slots);
  if (spi === -ERANGE) return true;
  if (spi < 0) return false;
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < slots; i++) if (hasIterByte(stack[spi - i]!)) return false;
  return true;
}

function hasIterByte(slot: ReadonlySlot): boolean {
  for (let i = 0; i < 8; i++) if (slot.kind(i) === STACK_ITER) return true;
  return false;
}

function checkSlot(slot: ReadonlySlot, type: IteratorType, isFirst: boolean): number {
  const one = slot.spilled;
  if ((one.type & t.PTR_UNTRUSTED) !== 0) return -EPROTO;
  if (isFirst !== (one.refObjId !== 0)) return -EINVAL;
  if (one.btf !== type.btf || one.btfId !== type.btfId) return -EINVAL;
  return slot.kinds === allOfKind(STACK_ITER) ? 0 : -EINVAL;
}

/** 0 where there is an iterator of that type; -EINVAL where there is none, -EPROTO where its RCU section has ended. */
export function checkInitIter(env: Env, reg: ReadonlyReg, type: IteratorType): number {
  const spi = iteratorSlot(env, reg, type.slots);
  if (spi < 0) return -EINVAL;
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < type.slots; i++) {
    const err = checkSlot(stack[spi - i]!, type, i === 0);
    if (err !== 0) return err;
  }
  return 0;
}

/** The errno of checkInitIter for a section that has ended. */
export const ITER_OUTSIDE_RCU = -EPROTO;

export function markIterRead(env: Env, reg: ReadonlyReg, spi: number, slots: number): number {
  const frame = frameOf(env, reg);
  for (let i = 0; i < slots; i++) {
    const err = markSlotRead(env, frame, spi - i);
    if (err !== 0) return err;
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}
