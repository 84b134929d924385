/** Arguments of the program's own functions, held against their BTF (btf_check_func_arg_match of Linux 6.12). */
import { OWN_CALLS } from '../../refusals/own-calls.js';
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { refuse } from '../../refusals/refuse.js';
import * as t from '../../../targets/types.js';
import { isNull } from '../../domain/scalar.js';
import type { Env } from '../../env.js';
import { EINVAL } from '../../errno.js';
import type { ReadonlyReg } from '../../state.js';
import { prepareFunctionArguments } from '../../structure/global-arguments.js';
import type { FunctionArgument } from '../../structure/global-arguments.js';
import { checkFuncArgRegOff } from '../argument-offset.js';
import { checkRegType } from '../argument-types.js';
import { CallMeta } from '../call-meta.js';
import { checkDynptrArgument } from '../../objects/dynptr-arguments.js';
import { checkMemReg } from '../memory-arguments.js';

function checkMemory(env: Env, reg: ReadonlyReg, i: number, argument: FunctionArgument): number {
  const err = checkFuncArgRegOff(env, reg, i + 1, t.ARG_DONTCARE);
  if (err !== 0) return err;
  if (checkMemReg(env, i + 1, argument.memSize) !== 0) return -EINVAL;
  const wantsNonNull = (argument.type & t.PTR_MAYBE_NULL) === 0;
  return wantsNonNull && t.mayBeNull(reg.type) ? refuse(env, OWN_CALLS.argumentNullable, i) : 0;
}

function checkObject(env: Env, reg: ReadonlyReg, i: number, argument: FunctionArgument): number {
  if (isNull(reg) && t.mayBeNull(argument.type)) return 0;
  return (
    checkRegType(env, i + 1, argument.type, argument.btfId, new CallMeta()) ||
    checkFuncArgRegOff(env, reg, i + 1, argument.type)
  );
}

function checkArgument(env: Env, reg: ReadonlyReg, i: number, argument: FunctionArgument): number {
  const regno = i + 1;
  const { type } = argument;
  if (type === t.ARG_ANYTHING) {
    return reg.type === t.SCALAR_VALUE ? 0 : refuse(env, KERNEL_CALLS.argumentNotScalar, regno);
  }
  if (type === t.ARG_PTR_TO_CTX) {
    const err = checkFuncArgRegOff(env, reg, regno, t.ARG_DONTCARE);
    if (err !== 0) return err;
    return reg.type === t.PTR_TO_CTX ? 0 : refuse(env, OWN_CALLS.contextArgument, i);
  }
  switch (t.baseType(type)) {
    case t.ARG_PTR_TO_MEM:
      return checkMemory(env, reg, i, argument);
    case t.ARG_PTR_TO_ARENA:
      if (reg.type === t.PTR_TO_ARENA || reg.type === t.SCALAR_VALUE) return 0;
      return refuse(env, OWN_CALLS.arenaArgument, regno);
    case t.ARG_PTR_TO_DYNPTR:
      return checkFuncArgRegOff(env, reg, regno, t.ARG_PTR_TO_DYNPTR) || checkDynptrArgument(env, regno, -1, type, 0);
    case t.ARG_PTR_TO_BTF_ID:
      return checkObject(env, reg, i, argument);
    default:
      return refuse(env, OWN_CALLS.functionArgumentUnknown, i, type);
  }
}

/**
 * 0 where the registers are what the function's BTF says; -EINVAL where they are not, or there is none; -EFAULT is the
 * end of the verification. What did not fit once is not asked again.
 */
export function checkSubprogramCall(env: Env, index: number, regs: readonly ReadonlyReg[]): number {
  if (!env.hasFuncInfo) return refuse(env, OWN_CALLS.prototypeMissing);
  const subprogram = env.subprograms[index]!;
  if (subprogram.typeId === 0) return refuse(env, OWN_CALLS.functionWithoutType);
  if (subprogram.unreliable) return refuse(env, OWN_CALLS.prototypeUnreliable);
  let err = prepareFunctionArguments(env, index);
  for (let i = 0; err === 0 && i < subprogram.args.length; i++) {
    err = checkArgument(env, regs[i + 1]!, i, subprogram.args[i]!);
  }
  if (err !== 0) subprogram.unreliable = true;
  return err;
}
