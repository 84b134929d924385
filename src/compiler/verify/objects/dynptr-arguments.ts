/** Dynptr arguments of helpers and kernel functions (Documentation/bpf/kfuncs.rst; process_dynptr_func of Linux 6.12). */
import * as t from '../../targets/types.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EFAULT, EINVAL } from '../errno.js';
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
    env.log.write('Dynptr has to be an uninitialized dynptr\n');
    return -EINVAL;
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
    env.log.write('cannot pass pointer to const bpf_dynptr, the helper mutates it\n');
    return -EINVAL;
  }
  if (!slots.isValidInitDynptr(env, reg)) {
    env.log.write(`Expected an initialized dynptr as arg #${regno - 1}\n`);
    return -EINVAL;
  }
  if (!hasExpectedType(env, reg, argType)) {
    const name = dynptrTypeName(slots.argDynptrType(argType));
    env.log.write(`Expected a dynptr of type ${name} as arg #${regno - 1}\n`);
    return -EINVAL;
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
    env.log.write(`arg#${regno - 1} expected pointer to stack or const struct bpf_dynptr\n`);
    return -EINVAL;
  }
  const both = t.MEM_UNINIT | t.MEM_RDONLY;
  if ((argType & both) === both) {
    env.log.write('verifier internal error: misconfigured dynptr helper type flags\n');
    return -EFAULT;
  }
  return (argType & t.MEM_UNINIT) !== 0
    ? checkUninit(env, reg, regno, insnIdx, argType, cloneRefObjId)
    : checkInit(env, reg, regno, argType);
}
