/** Pointers that may be null, and what comparisons with null or each other make of them. */
import { FIELD_TIMER, FIELD_WORKQUEUE } from '../../btf/record.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import { leS } from '../domain/u64.js';
import type { Env, State } from '../env.js';
import { MAX_VAR_OFF } from '../limits.js';
import { changeRegs } from '../slots.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { releaseReferenceState } from '../objects/references.js';
import { regMayPointToSpinLock } from '../kernel/special-fields.js';

/** Flags that make a pointer to a kernel object trusted, if it has no others (BPF_REG_TRUSTED_MODIFIERS). */
const TRUSTED_FLAGS = t.MEM_ALLOC | t.PTR_TRUSTED | t.NON_OWN_REF;

function isTrustedObject(reg: ReadonlyReg): boolean {
  if (reg.refObjId !== 0) return true;
  const flags = reg.type & ~t.BASE_MASK;
  return (flags & TRUSTED_FLAGS) !== 0 && (flags & ~TRUSTED_FLAGS) === 0;
}

/** Whether a pointer is known not to be null. */
export function regNotNull(reg: ReadonlyReg): boolean {
  if ((reg.type & t.PTR_MAYBE_NULL) !== 0) return false;
  // An offset without bounds could wrap around to null.
  if (leS(reg.sminHi, reg.sminLo, -1, -MAX_VAR_OFF) || leS(0, MAX_VAR_OFF, reg.smaxHi, reg.smaxLo)) return false;
  switch (reg.type & t.BASE_MASK) {
    case t.PTR_TO_SOCKET:
    case t.PTR_TO_TCP_SOCK:
    case t.PTR_TO_XDP_SOCK:
    case t.PTR_TO_BUF:
    case t.PTR_TO_MAP_VALUE:
    case t.PTR_TO_MAP_KEY:
    case t.PTR_TO_SOCK_COMMON:
    case t.PTR_TO_MEM:
    case t.CONST_PTR_TO_MAP:
      return true;
    case t.PTR_TO_BTF_ID:
      return isTrustedObject(reg);
    default:
      return false;
  }
}

/** What a pointer is once it is known not to be null (mark_ptr_not_null_reg). */
export function markPtrNotNull(reg: Reg): void {
  if ((reg.type & t.BASE_MASK) !== t.PTR_TO_MAP_VALUE) {
    reg.type &= ~t.PTR_MAYBE_NULL;
    return;
  }
  const map = reg.map!;
  if (map.inner !== null) {
    reg.type = t.CONST_PTR_TO_MAP;
    reg.map = map.inner;
    // Timers and work queues of different inner maps must not be mixed: the lookup's id tells them apart.
    if (((map.inner.record?.fieldMask ?? 0) & (FIELD_TIMER | FIELD_WORKQUEUE)) !== 0) reg.mapUid = reg.id;
    return;
  }
  switch (map.spec.type) {
    case uapi.BPF_MAP_TYPE_XSKMAP:
      reg.type = t.PTR_TO_XDP_SOCK;
      break;
    case uapi.BPF_MAP_TYPE_SOCKMAP:
    case uapi.BPF_MAP_TYPE_SOCKHASH:
      reg.type = t.PTR_TO_SOCKET;
      break;
    default:
      reg.type = t.PTR_TO_MAP_VALUE;
  }
}

function hasZeroOffset(reg: ReadonlyReg): boolean {
  return (
    (reg.sminHi | reg.sminLo | reg.smaxHi | reg.smaxLo | reg.valueHi | reg.valueLo | reg.maskHi | reg.maskLo) === 0
  );
}

function isPtrOrNull(reg: ReadonlyReg, id: number): boolean {
  if ((reg.type & t.PTR_MAYBE_NULL) === 0 || reg.id !== id) return false;
  if ((reg.type & t.MEM_RCU) === 0 && reg.id === 0) return false;
  if (!hasZeroOffset(reg)) return false;
  // Local objects come with the offset of the node they were found by; nothing else may have one.
  const isObject = (reg.type & t.BASE_MASK) === t.PTR_TO_BTF_ID && (reg.type & t.MEM_ALLOC) !== 0;
  return isObject || reg.off === 0;
}

function markPtrOrNull(env: Env, reg: Reg, isNull: boolean): void {
  if (isNull) {
    reg.type = t.SCALAR_VALUE;
    reg.id = 0;
    reg.refObjId = 0;
    return;
  }
  markPtrNotNull(reg);
  // Locks are told apart by id.
  if (!regMayPointToSpinLock(env, reg)) reg.id = 0;
}

/** A register of the innermost frame was compared with null: all its copies are what it is (mark_ptr_or_null_regs). */
export function markPtrOrNullRegs(env: Env, state: State, register: number, isNull: boolean): void {
  const frame = state.frames[state.currentFrame]!;
  const { refObjId, id } = frame.regs[register]!;
  if (refObjId !== 0 && refObjId === id && isNull) releaseReferenceState(frame, id);
  changeRegs(
    state,
    (reg) => isPtrOrNull(reg, id),
    (reg) => markPtrOrNull(env, reg, isNull),
  );
}
