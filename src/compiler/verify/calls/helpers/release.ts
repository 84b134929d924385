/** Helpers that take an object back: its reference ends with the call. */
import { CALLS } from '../../refusals/calls.js';
import { amend, refuse } from '../../refusals/refuse.js';
import type { HelperProto } from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import { isNull } from '../../domain/scalar.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { changeRegs } from '../../slots.js';
import type { Reg } from '../../state.js';
import type { CallMeta } from '../call-meta.js';
import { unmarkStackSlotsDynptr } from '../../objects/dynptr-slots.js';
import * as helper from '../../../targets/helper-ids.js';
import { voided } from '../../memory/pointer-leak.js';
import { releaseReference, releaseReferenceState } from '../../objects/references.js';
import { inRcuSection } from '../../register-types.js';

/** bpf_kptr_xchg: inside an RCU section a per-CPU object that was stored stays readable. */
function releaseExchanged(env: Env, refObjId: number): number {
  const inRcu = inRcuSection(env);
  const err = releaseReferenceState(env.state.frame, refObjId);
  if (err !== 0) return err;
  const release = (reg: Reg): void => {
    const isPercpu = (reg.type & t.MEM_ALLOC) !== 0 && (reg.type & t.MEM_PERCPU) !== 0;
    if (inRcu && isPercpu) {
      reg.refObjId = 0;
      reg.type = (reg.type & ~t.MEM_ALLOC) | t.MEM_RCU;
    } else {
      voided(env)(reg);
    }
  };
  changeRegs(env.state, (reg) => reg.refObjId === refObjId, release);
  return 0;
}

function release(env: Env, fn: HelperProto, meta: CallMeta): number {
  const reg = currentRegs(env)[meta.releaseRegno]!;
  if (t.baseType(fn.argTypes[meta.releaseRegno - 1]!) === t.ARG_PTR_TO_DYNPTR) {
    if (reg.type !== t.CONST_PTR_TO_DYNPTR) return unmarkStackSlotsDynptr(env, reg);
    return refuse(env, CALLS.constDynptrReleased);
  }
  if (meta.refObjId !== 0) {
    return fn.id === helper.KPTR_XCHG ? releaseExchanged(env, meta.refObjId) : releaseReference(env, meta.refObjId);
  }
  return isNull(reg) ? 0 : refuse(env, CALLS.releasesNothing); // null is nothing to be released
}

export function releaseHelperArgument(env: Env, fn: HelperProto, meta: CallMeta): number {
  if (meta.releaseRegno === 0) return 0;
  const err = release(env, fn, meta);
  if (err !== 0) amend(env, CALLS.helperReleasesUnknown, env.profile, fn.id);
  return err;
}
