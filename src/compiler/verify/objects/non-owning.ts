/** References to objects that a list or tree owns: good as long as its lock is held. */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import { MEM_RCU, NON_OWN_REF } from '../../targets/types.js';
import type { Env } from '../env.js';
import { changeRegs } from '../slots.js';
import type { Reg } from '../state.js';
import { regRecord } from '../kernel/special-fields.js';

export function setNonOwning(env: Env, reg: Reg): number {
  if (env.state.activeLockPtr === null) {
    return refuse(env, OBJECTS.ownershipLock);
  }
  if ((reg.type & NON_OWN_REF) !== 0) {
    return refuse(env, OBJECTS.ownershipTwice);
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
    return refuse(env, OBJECTS.ownershipReference);
  }
  if (!env.state.frame.references.some((r) => r.id === refObjId)) {
    return refuse(env, OBJECTS.ownershipState);
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
