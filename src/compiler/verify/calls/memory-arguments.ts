/** Memory arguments with their sizes: of helpers, kernel functions and global functions. */
import { CALLS } from '../refusals/calls.js';
import { refuse } from '../refusals/refuse.js';
import { isConst, isNull } from '../domain/scalar.js';
import { leU } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { MAX_VAR_OFF } from '../limits.js';
import { markChainPrecision } from '../prune/precision.js';
import { CallMeta } from './call-meta.js';
import { markPtrNotNull } from '../arithmetic/nullness.js';
import { checkHelperMemAccess } from './memory-range.js';
import { typeMaybeNull } from '../register-types.js';

/** A size register, whose pointer is in the register before it (check_mem_size_reg). BPF_MAX_VAR_SIZ is MAX_VAR_OFF. */
export function checkMemSizeReg(
  env: Env,
  regno: number,
  isWrite: boolean,
  zeroSizeAllowed: boolean,
  meta: CallMeta,
): number {
  const reg = currentRegs(env)[regno]!;
  meta.maxSizeHi = reg.umaxHi;
  meta.maxSizeLo = reg.umaxLo;
  if (reg.sminHi < 0) {
    return refuse(env, CALLS.sizeNegative, regno);
  }
  if ((reg.uminHi | reg.uminLo) === 0 && !zeroSizeAllowed) {
    return refuse(env, CALLS.sizeZero, regno, reg.uminHi, reg.uminLo, reg.umaxHi, reg.umaxLo);
  }
  if (leU(0, MAX_VAR_OFF, reg.umaxHi, reg.umaxLo)) {
    return refuse(env, CALLS.sizeUnbounded, regno);
  }
  // Memory of a size that is not known may be filled in part only: it must be initialised.
  const filled = isConst(reg) ? meta : null;
  const err = checkHelperMemAccess(env, regno - 1, reg.umaxLo, isWrite, zeroSizeAllowed, filled);
  return err === 0 ? markChainPrecision(env, regno) : err;
}

/** Runs a check as if the register were not null; it is put back as it was. */
function assumingNotNull(env: Env, regno: number, check: () => number): number {
  const { frame } = env.state;
  if (!typeMaybeNull(frame.regs[regno]!.type)) return check();
  const saved = frame.shareReg(regno);
  markPtrNotNull(frame.ownReg(regno));
  const err = check();
  frame.setReg(regno, saved);
  return err;
}

/** Memory of a size that the prototype tells, to be read and written (check_mem_reg). Null passes. */
export function checkMemReg(env: Env, regno: number, size: number): number {
  const reg = currentRegs(env)[regno]!;
  if (isNull(reg)) return 0;
  return assumingNotNull(
    env,
    regno,
    () =>
      checkHelperMemAccess(env, regno, size, false, true, null) ||
      checkHelperMemAccess(env, regno, size, true, true, null),
  );
}

/** A pair of pointer and size of a kernel function; `regno` is the size's. */
export function checkKernelMemSizeReg(env: Env, regno: number): number {
  const meta = new CallMeta();
  return assumingNotNull(
    env,
    regno - 1,
    () => checkMemSizeReg(env, regno, false, true, meta) || checkMemSizeReg(env, regno, true, true, meta),
  );
}
