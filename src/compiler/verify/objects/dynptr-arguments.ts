/** Dynptr arguments of helpers and kernel functions (Documentation/bpf/kfuncs.rst; process_dynptr_func of Linux 6.12). */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { dynptrTypeName } from '../log/register.js';
import type { ReadonlyReg } from '../state.js';
import * as slots from './dynptr-slots.js';
import { checkMemAccess } from '../memory/memory.js';

const DYNPTR_BYTES = 16;

/** A place on the stack becomes a dynptr: all of it is written first. */
function checkUninit(
  env: Env,
  reg: ReadonlyReg,
  regno: number,
  insnIdx: number,
  argType: number,
  cloneRefObjId: number,
): number {
  if (!slots.isValidUninitDynptr(env, reg)) {
    return refuse(env, OBJECTS.dynptrInitialised);
  }
  for (let i = 0; i < DYNPTR_BYTES; i += 8) {
    const err = checkMemAccess(env, insnIdx, regno, i, 8, true, -1, false, false);
    if (err !== 0) return err;
  }
  return slots.markStackSlotsDynptr(env, reg, argType, insnIdx, cloneRefObjId);
}

function hasExpectedType(env: Env, reg: ReadonlyReg, argType: number): boolean {
  if ((argType & ~t.MEM_RDONLY) === t.ARG_PTR_TO_DYNPTR) return true;
  const state = slots.dynptrState(env, reg);
  return typeof state !== 'number' && state.dynptrType === slots.argDynptrType(argType);
}

function checkInit(env: Env, reg: ReadonlyReg, regno: number, argType: number): number {
  if (reg.type === t.CONST_PTR_TO_DYNPTR && (argType & t.MEM_RDONLY) === 0) {
    return refuse(env, OBJECTS.dynptrConst);
  }
  if (!slots.isValidInitDynptr(env, reg)) {
    return refuse(env, OBJECTS.dynptrUninitialised, regno);
  }
  if (!hasExpectedType(env, reg, argType)) {
    const name = dynptrTypeName(slots.argDynptrType(argType));
    return refuse(env, OBJECTS.dynptrType, name, regno);
  }
  return slots.markDynptrRead(env, reg);
}

/**
 * A pointer to a dynptr: MEM_UNINIT one to be made, MEM_RDONLY one that is only looked at, neither one that may be
 * changed or destroyed.
 */
export function checkDynptrArgument(
  env: Env,
  regno: number,
  insnIdx: number,
  argType: number,
  cloneRefObjId: number,
): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.type !== t.PTR_TO_STACK && reg.type !== t.CONST_PTR_TO_DYNPTR) {
    return refuse(env, OBJECTS.dynptrArgument, regno);
  }
  const both = t.MEM_UNINIT | t.MEM_RDONLY;
  if ((argType & both) === both) {
    return refuse(env, OBJECTS.dynptrFlags);
  }
  return (argType & t.MEM_UNINIT) !== 0
    ? checkUninit(env, reg, regno, insnIdx, argType, cloneRefObjId)
    : checkInit(env, reg, regno, argType);
}
