/** Ranges that a program's or a callback's result must lie in, and the sentence that says it does not. */
import type { Env } from '../env.js';
import { I32_MAX, I32_MIN, decimalS, leS } from '../domain/u64.js';
import type { ReadonlyReg } from '../state.js';
import { BPF_LSM_MAC } from '../../targets/uapi.js';

/** Smallest and largest allowed value, both signed 32-bit. */
export type ReturnRange = readonly [min: number, max: number];

/** Error numbers that the kernel returns as pointers or results are at most this (include/linux/err.h). */
const MAX_ERRNO = 4095;

/** Whether every value the register may hold lies in the range; `only32` looks at its low half alone. */
export function withinReturnRange([min, max]: ReturnRange, reg: ReadonlyReg, only32: boolean): boolean {
  if (only32) return min <= reg.s32min && reg.s32max <= max;
  return leS(min >> 31, min, reg.sminHi, reg.sminLo) && leS(reg.smaxHi, reg.smaxLo, max >> 31, max);
}

/** `At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]`. */
export function logInvalidScalar(env: Env, reg: ReadonlyReg, range: ReturnRange, place: string, name: string): void {
  const hasMin = reg.sminHi !== I32_MIN || reg.sminLo !== 0;
  const hasMax = reg.smaxHi !== I32_MAX || reg.smaxLo !== -1;
  const min = hasMin ? ` smin=${decimalS(reg.sminHi, reg.sminLo)}` : '';
  const max = hasMax ? ` smax=${decimalS(reg.smaxHi, reg.smaxLo)}` : '';
  const known = hasMin || hasMax ? min + max : ' unknown scalar value';
  env.log.write(`${place} the register ${name} has${known} should have been in [${range[0]}, ${range[1]}]\n`);
}

/**
 * The results an LSM hook may give, as the kernel reads them: 0 or a negative errno, 0 or 1 for hooks that answer yes or
 * no. Null for hooks without a result, and for programs that are on no LSM hook.
 */
export function lsmReturnRange(env: Env): ReturnRange | null {
  if (env.expectedAttachType !== BPF_LSM_MAC || attachReturnsVoid(env)) return null;
  return env.profile.btfIdSet('bool_lsm_hooks').has(env.attachBtfId) ? [0, 1] : [-MAX_ERRNO, 0];
}

/** Whether the function that the program is attached to returns nothing. */
export function attachReturnsVoid(env: Env): boolean {
  return env.attachFuncProto !== 0 && env.attachBtf !== null && env.attachBtf.sizeOrType(env.attachFuncProto) === 0;
}
