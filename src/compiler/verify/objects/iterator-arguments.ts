/** Open-coded iterators: new, next, destroy, and functions that take one (process_iter_arg of Linux 6.12). */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import * as kf from '../../targets/profile.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import { pushStack } from '../branch.js';
import { markConstZero } from '../domain/scalar.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env, State } from '../env.js';
import { E2BIG } from '../errno.js';
import { sameCallsites } from '../prune/explored.js';
import { findPreviousEntry, widenImpreciseScalars } from '../prune/widen.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { frameOf } from './dynptr-slots.js';
import * as slots from './iterator-slots.js';
import type { IteratorType } from './iterator-slots.js';
import type { KernelCallMeta } from '../calls/kernel/call-meta.js';
import type { Parameter } from '../kernel/parameter.js';
import { checkMemAccess } from '../memory/memory.js';
import { markPtrNotNull } from '../arithmetic/nullness.js';
import { inSleepable } from '../register-types.js';

/** "num" of struct bpf_iter_num. */
function iteratorName(type: IteratorType): string {
  return type.btf.typeName(type.btfId).slice('bpf_iter_'.length);
}

/** The css_task iterator takes a lock: only where that lock cannot be held already. */
function allowsCssTaskIterator(env: Env): boolean {
  if (env.progType === uapi.BPF_PROG_TYPE_LSM) return true;
  const isIter = env.progType === uapi.BPF_PROG_TYPE_TRACING && env.expectedAttachType === uapi.BPF_TRACE_ITER;
  return isIter || inSleepable(env);
}

function checkNew(
  env: Env,
  meta: KernelCallMeta,
  reg: ReadonlyReg,
  regno: number,
  type: IteratorType,
  insnIdx: number,
): number {
  if (!slots.isValidUninitIter(env, reg, type.slots)) {
    return refuse(env, OBJECTS.iteratorInitialised, iteratorName(type), regno);
  }
  for (let i = 0; i < type.slots * 8; i += 8) {
    const err = checkMemAccess(env, insnIdx, regno, i, 8, true, -1, false, false);
    if (err !== 0) return err;
  }
  return slots.markStackSlotsIter(env, reg, insnIdx, type, meta.has(kf.KF_RCU_PROTECTED));
}

function checkInitialised(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number, type: IteratorType): number {
  let err = slots.checkInitIter(env, reg, type);
  if (err === slots.ITER_OUTSIDE_RCU) return refuse(env, OBJECTS.iteratorOutsideRcu, meta.fn.name);
  if (err !== 0) return refuse(env, OBJECTS.iteratorUninitialised, iteratorName(type), regno);
  const spi = slots.iteratorSlot(env, reg, type.slots);
  if (spi < 0) return spi;
  err = slots.markIterRead(env, reg, spi, type.slots);
  if (err !== 0) return err;
  meta.iterSlot = spi;
  meta.iterFrame = reg.frame;
  meta.refObjId = frameOf(env, reg).stack[spi]!.spilled.refObjId;
  return meta.has(kf.KF_ITER_DESTROY) ? slots.unmarkStackSlotsIter(env, reg, type.slots) : 0;
}

export function checkIteratorArgument(env: Env, meta: KernelCallMeta, parameter: Parameter, insnIdx: number): number {
  if (meta.special === 'bpf_iter_css_task_new' && !allowsCssTaskIterator(env)) {
    return refuse(env, OBJECTS.iteratorNotAllowed);
  }
  const arg = parameter.index;
  const reg = currentRegs(env)[arg + 1]!;
  if (reg.type !== t.PTR_TO_STACK) {
    return refuse(env, OBJECTS.iteratorArgument, arg);
  }
  const { btf, iteratorStruct: btfId } = parameter;
  if (btfId === 0) {
    return refuse(env, OBJECTS.iteratorType, arg);
  }
  const type = { btf, btfId, slots: btf.sizeOrType(btfId) >> 3 };
  return meta.has(kf.KF_ITER_NEW)
    ? checkNew(env, meta, reg, arg + 1, type, insnIdx)
    : checkInitialised(env, meta, reg, arg + 1, type);
}

/** The first slot of the call's iterator in a state. */
export function iteratorIn(state: State, meta: KernelCallMeta): ReadonlyReg {
  return state.frames[meta.iterFrame]!.stack[meta.iterSlot]!.spilled;
}

function ownIterator(state: State, meta: KernelCallMeta): Reg {
  return state.frames[meta.iterFrame]!.ownSlot(meta.iterSlot).renewSpilled();
}

/**
 * After a next: this path goes on as if there were no more elements, another one is put off on which there is one.
 * What differs between the rounds of the loop and is not needed exactly is forgotten on that path, so that it converges.
 */
export function processIterNext(env: Env, meta: KernelCallMeta, insnIdx: number): number {
  const { state } = env;
  const iterator = iteratorIn(state, meta);
  if (iterator.iterState !== slots.ITER_ACTIVE && iterator.iterState !== slots.ITER_DRAINED) {
    return refuse(env, OBJECTS.iteratorState, iterator.iterState);
  }
  if (iterator.iterState === slots.ITER_ACTIVE) {
    const { parent } = state;
    if (parent?.insnIdx !== insnIdx || !sameCallsites(parent, state)) {
      return refuse(env, OBJECTS.iteratorParent);
    }
    const previous = findPreviousEntry(env, parent, insnIdx);
    const queued = pushStack(env, insnIdx + 1, insnIdx, false);
    if (queued === null) return -E2BIG;
    const active = ownIterator(queued, meta);
    active.iterState = slots.ITER_ACTIVE;
    active.iterDepth++;
    if (previous !== null) widenImpreciseScalars(env, previous, queued);
    markPtrNotNull(queued.frame.ownReg(0));
  }
  ownIterator(state, meta).iterState = slots.ITER_DRAINED;
  markConstZero(ownReg(env, 0));
  return 0;
}
