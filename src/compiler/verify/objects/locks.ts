/** Spin locks, timers and work queues inside of map values and allocated objects. */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import { FIELD_SPIN_LOCK, FIELD_TIMER } from '../../btf/record.js';
import { PTR_TO_MAP_VALUE } from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import { addHi, addLo } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { changeRegs } from '../slots.js';
import type { ReadonlyReg } from '../state.js';
import type { CallMeta } from '../calls/call-meta.js';
import { hasField, regRecord } from '../kernel/special-fields.js';
import { isNonOwningRef } from '../register-types.js';
import { voided } from '../memory/pointer-leak.js';

/** Whether fixed and known variable offset together are `at`; if not, says what is there. */
export function checkFieldOffset(env: Env, reg: ReadonlyReg, at: number, type: string): number {
  const hi = addHi(reg.valueHi, reg.valueLo, reg.off >> 31, reg.off);
  const lo = addLo(reg.valueLo, reg.off);
  if (hi === at >> 31 && lo === at) return 0;
  return refuse(env, OBJECTS.fieldElsewhere, hi, lo, type, at);
}

function checkConstantOffset(env: Env, reg: ReadonlyReg, regno: number, type: string): number {
  if (isConst(reg)) return 0;
  return refuse(env, OBJECTS.fieldVariableOffset, regno, type);
}

/** Non-owning references are good only under the lock. */
export function invalidateNonOwningRefs(env: Env): void {
  changeRegs(env.state, (reg) => isNonOwningRef(reg.type), voided(env));
}

export function checkSpinLock(env: Env, regno: number, isLock: boolean): number {
  const reg = currentRegs(env)[regno]!;
  const err = checkConstantOffset(env, reg, regno, 'bpf_spin_lock');
  if (err !== 0) return err;
  const map = reg.type === PTR_TO_MAP_VALUE ? reg.map : null;
  if (map !== null && map.spec.btf === null) {
    return refuse(env, OBJECTS.lockMapWithoutBtf, map.spec.name);
  }
  const record = regRecord(env, reg);
  if (!hasField(record, FIELD_SPIN_LOCK)) {
    return refuse(env, OBJECTS.lockMissing, map?.spec ?? null);
  }
  return (
    checkFieldOffset(env, reg, record!.spinLockOffset, 'bpf_spin_lock') ||
    changeLock(env, map ?? reg.btf, reg.id, isLock)
  );
}

function changeLock(env: Env, holder: unknown, id: number, isLock: boolean): number {
  const { state } = env;
  if (isLock) {
    if (state.activeLockPtr !== null) {
      return refuse(env, OBJECTS.lockTwice);
    }
    state.activeLockPtr = holder;
    state.activeLockId = id;
    return 0;
  }
  if (state.activeLockPtr === null) {
    return refuse(env, OBJECTS.unlockUnheld);
  }
  if (state.activeLockPtr !== holder || state.activeLockId !== id) {
    return refuse(env, OBJECTS.unlockOther);
  }
  invalidateNonOwningRefs(env);
  state.activeLockPtr = null;
  state.activeLockId = 0;
  return 0;
}

export function checkTimer(env: Env, regno: number, meta: CallMeta): number {
  const reg = currentRegs(env)[regno]!;
  let err = checkConstantOffset(env, reg, regno, 'bpf_timer');
  if (err !== 0) return err;
  const map = reg.map!;
  if (map.spec.btf === null) {
    return refuse(env, OBJECTS.timerMapWithoutBtf, map.spec.name);
  }
  if (!hasField(map.record, FIELD_TIMER)) {
    return refuse(env, OBJECTS.timerMissing, map.spec.name);
  }
  err = checkFieldOffset(env, reg, map.record!.timerOffset, 'bpf_timer');
  if (err !== 0) return err;
  if (meta.map !== null) {
    return refuse(env, OBJECTS.timerTwice);
  }
  meta.mapUid = reg.mapUid;
  meta.map = map;
  return 0;
}
