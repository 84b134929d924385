/** What a register holds after a load through BTF. */
import type { Btf } from '../../btf/btf.js';
import { PTR_MAYBE_NULL, PTR_TO_BTF_ID, SCALAR_VALUE } from '../../targets/types.js';
import { markKnownZero, markUnknown } from '../domain/scalar.js';
import type { Env } from '../env.js';
import type { Reg } from '../state.js';

/** A scalar, or a PTR_TO_BTF_ID with flags (mark_btf_ld_reg). */
export function markBtfLoad(env: Env, reg: Reg, type: number, btf: Btf, btfId: number, flags: number): void {
  if (type === SCALAR_VALUE) {
    markUnknown(reg);
    return;
  }
  markKnownZero(reg);
  reg.type = PTR_TO_BTF_ID | flags;
  reg.btf = btf;
  reg.btfId = btfId;
  if ((flags & PTR_MAYBE_NULL) !== 0) reg.id = ++env.idGen;
}
