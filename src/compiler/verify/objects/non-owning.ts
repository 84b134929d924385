/** References to objects that a list or tree owns: good as long as its lock is held. */
import { MEM_RCU, NON_OWN_REF } from '../../targets/types.js';
import type { Env } from '../env.js';
import { EFAULT } from '../errno.js';
import { changeRegs } from '../slots.js';
import type { Reg } from '../state.js';
import { regRecord } from '../kernel/special-fields.js';

export function setNonOwning(env: Env, reg: Reg): number {
  if (env.state.activeLockPtr === null) {
    env.log.write('verifier internal error: ref_set_non_owning w/o active lock\n');
    return -EFAULT;
  }
  if ((reg.type & NON_OWN_REF) !== 0) {
    env.log.write('verifier internal error: NON_OWN_REF already set\n');
    return -EFAULT;
  }
  const record = regRecord(env, reg);
  reg.type |= NON_OWN_REF;
  // Objects with a reference count live on until the RCU section ends, whoever takes them out.
  if (record !== null && record.refcountOffset >= 0) reg.type |= MEM_RCU;
  return 0;
}

/** The list or tree takes the object over: all copies of the owning reference become non-owning. */
export function convertToNonOwning(env: Env, refObjId: number): number {
  if (refObjId === 0) {
    env.log.write('verifier internal error: ref_obj_id is zero for owning -> non-owning conversion\n');
    return -EFAULT;
  }
  if (!env.state.frame.references.some((r) => r.id === refObjId)) {
    env.log.write('verifier internal error: ref state missing for ref_obj_id\n');
    return -EFAULT;
  }
  changeRegs(
    env.state,
    (reg) => reg.refObjId === refObjId,
    (reg) => {
      reg.refObjId = 0;
      setNonOwning(env, reg);
    },
  );
  return 0;
}
