/** Pointers that may be used only as they were handed out. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';

/** No variable offset, no negative one, and with `fixedOffOk` false none at all (__check_ptr_off_reg). */
export function checkPtrOffReg(env: Env, reg: ReadonlyReg, regno: number, fixedOffOk: boolean): number {
  if (reg.off < 0) {
    return refuse(env, MEMORY.negativePointerOffset, regno, reg.type, reg.off);
  }
  if (!fixedOffOk && reg.off !== 0) {
    return refuse(env, MEMORY.movedPointer, regno, reg.type, reg.off);
  }
  if ((reg.maskHi | reg.maskLo | reg.valueHi | reg.valueLo) !== 0) {
    return refuse(env, MEMORY.variablePointerOffset, reg.type, reg);
  }
  return 0;
}
