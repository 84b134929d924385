/** Open-coded iterators as they lie on the stack: as many slots as struct bpf_iter_… is long, the first on top. */
import type { Btf } from '../../btf/btf.js';
import * as t from '../../targets/types.js';
import { markKnownZero, markNotInit } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { EINVAL, ERANGE } from '../errno.js';
import { markStackSlotScratched } from '../log/scratch.js';
import { markRegRead } from '../prune/liveness.js';
import { LIVE_READ64, LIVE_WRITTEN, STACK_INVALID, STACK_ITER } from '../state.js';
import type { Reg, StackSlot } from '../state.js';
import { frameOf, stackObjectSlot } from './dynptr-slots.js';
import { acquireReference, releaseReference } from './references.js';
import { inRcuSection } from './types.js';

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

export function iteratorSlot(env: Env, reg: Reg, slots: number): number {
  return stackObjectSlot(env, reg, 'iter', slots);
}

/** Calls `visit` with each slot of an iterator, the first first. */
function forEachSlot(
  env: Env,
  reg: Reg,
  spi: number,
  slots: number,
  visit: (slot: StackSlot, i: number) => void,
): void {
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < slots; i++) visit(stack[spi - i]!, i);
}

/** Begins an iterator; `rcuProtected` ones yield pointers that are good within one RCU section. */
export function markStackSlotsIter(
  env: Env,
  reg: Reg,
  insnIdx: number,
  type: IteratorType,
  rcuProtected: boolean,
): number {
  const spi = iteratorSlot(env, reg, type.slots);
  if (spi < 0) return spi;
  const id = acquireReference(env, insnIdx);
  const flag = rcuProtected ? (inRcuSection(env) ? t.MEM_RCU : t.PTR_UNTRUSTED) : 0;
  forEachSlot(env, reg, spi, type.slots, (slot, i) => {
    const one = slot.spilled;
    markKnownZero(one);
    one.type = t.PTR_TO_STACK | flag;
    one.live |= LIVE_WRITTEN;
    one.refObjId = i === 0 ? id : 0;
    one.btf = type.btf;
    one.btfId = type.btfId;
    one.iterState = ITER_ACTIVE;
    one.iterDepth = 0;
    slot.bytes.fill(STACK_ITER);
    markStackSlotScratched(env, spi - i);
  });
  return 0;
}

/** Ends an iterator. */
export function unmarkStackSlotsIter(env: Env, reg: Reg, slots: number): number {
  const spi = iteratorSlot(env, reg, slots);
  if (spi < 0) return spi;
  releaseReference(env, frameOf(env, reg).stack[spi]!.spilled.refObjId);
  forEachSlot(env, reg, spi, slots, (slot, i) => {
    markNotInit(slot.spilled);
    slot.spilled.live |= LIVE_WRITTEN;
    slot.bytes.fill(STACK_INVALID);
    markStackSlotScratched(env, spi - i);
  });
  return 0;
}

/** No iterator lies where one is to be begun. */
export function isValidUninitIter(env: Env, reg: Reg, slots: number): boolean {
  const spi = iteratorSlot(env, reg, slots);
  if (spi === -ERANGE) return true;
  if (spi < 0) return false;
  let valid = true;
  forEachSlot(env, reg, spi, slots, (slot) => {
    if (slot.bytes.includes(STACK_ITER)) valid = false;
  });
  return valid;
}

function checkSlot(slot: StackSlot, type: IteratorType, isFirst: boolean): number {
  const one = slot.spilled;
  if ((one.type & t.PTR_UNTRUSTED) !== 0) return -EPROTO;
  if (isFirst !== (one.refObjId !== 0)) return -EINVAL;
  if (one.btf !== type.btf || one.btfId !== type.btfId) return -EINVAL;
  for (let i = 0; i < 8; i++) if (slot.bytes[i] !== STACK_ITER) return -EINVAL;
  return 0;
}

/** 0 where there is an iterator of that type; -EINVAL where there is none, -EPROTO where its RCU section has ended. */
export function checkInitIter(env: Env, reg: Reg, type: IteratorType): number {
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

export function markIterRead(env: Env, reg: Reg, spi: number, slots: number): number {
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < slots; i++) {
    const one = stack[spi - i]!.spilled;
    const err = markRegRead(env, one, one.parent, LIVE_READ64);
    if (err !== 0) return err;
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}
