/** Pointers that may be used only as they were handed out. */
import { regTypeName } from '../log/register.js';
import { tnumText } from '../domain/tnum.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import type { ReadonlyReg } from '../state.js';

/** No variable offset, no negative one, and with `fixedOffOk` false none at all (__check_ptr_off_reg). */
export function checkPtrOffReg(env: Env, reg: ReadonlyReg, regno: number, fixedOffOk: boolean): number {
  const name = regTypeName(reg.type);
  if (reg.off < 0) {
    env.log.write(`negative offset ${name} ptr R${regno} off=${reg.off} disallowed\n`);
    return -EACCES;
  }
  if (!fixedOffOk && reg.off !== 0) {
    env.log.write(`dereference of modified ${name} ptr R${regno} off=${reg.off} disallowed\n`);
    return -EACCES;
  }
  if ((reg.maskHi | reg.maskLo | reg.valueHi | reg.valueLo) !== 0) {
    env.log.write(`variable ${name} access var_off=${tnumText(reg)} disallowed\n`);
    return -EACCES;
  }
  return 0;
}
