/** Ranges that a program's or a callback's result must lie in, and the sentence that says it does not. */
import { ATTACH } from '../refusals/attach.js';
import { refuse } from '../refusals/refuse.js';
import type { Env } from '../env.js';
import { leS } from '../domain/u64.js';
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
export function refuseResult(env: Env, regno: number, reg: ReadonlyReg, range: ReturnRange, place: string): number {
  return refuse(env, ATTACH.resultOutsideRange, regno, reg, place, range[0], range[1]);
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
