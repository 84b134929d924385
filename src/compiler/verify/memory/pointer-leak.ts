/** Without CAP_PERFMON, no address of the kernel's may reach what the process can see. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import { SCALAR_VALUE } from '../../targets/types.js';
import { markNotInit, markUnknown } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import type { ReadonlyReg, Reg } from '../state.js';

/** Whether the register's value is a pointer, which must not be seen. */
export function leaksPointer(env: Env, reg: ReadonlyReg): boolean {
  return !env.allowPtrLeaks && reg.type !== SCALAR_VALUE;
}

/** What becomes of a pointer that is void from here on: a number for those who may see it, nothing for others. */
export function voided(env: Env): (reg: Reg) => void {
  return env.allowPtrLeaks ? markUnknown : markNotInit;
}

/** Checks that register `regno` may go to a place that the program, or its user, can read as data. */
export function checkLeak(env: Env, regno: number, place: string): number {
  if (regno < 0 || !leaksPointer(env, currentRegs(env)[regno]!)) return 0;
  return refuse(env, MEMORY.pointerLeak, regno, place);
}
