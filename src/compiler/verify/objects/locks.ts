/** Spin locks, timers and work queues inside of map values and allocated objects. */
import { FIELD_SPIN_LOCK, FIELD_TIMER } from '../../btf/record.js';
import { PTR_TO_MAP_VALUE } from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import { addHi, addLo, decimalS } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EFAULT, EINVAL } from '../errno.js';
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
  env.log.write(`off ${decimalS(hi, lo)} doesn't point to 'struct ${type}' that is at ${at}\n`);
  return -EINVAL;
}

function checkConstantOffset(env: Env, reg: ReadonlyReg, regno: number, type: string): number {
  if (isConst(reg)) return 0;
  env.log.write(`R${regno} doesn't have constant offset. ${type} has to be at the constant offset\n`);
  return -EINVAL;
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
    env.log.write(`map '${map.spec.name}' has to have BTF in order to use bpf_spin_lock\n`);
    return -EINVAL;
  }
  const record = regRecord(env, reg);
  if (!hasField(record, FIELD_SPIN_LOCK)) {
    const what = map === null ? "local 'kptr'" : `map '${map.spec.name}'`;
    env.log.write(`${what} has no valid bpf_spin_lock\n`);
    return -EINVAL;
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
      env.log.write('Locking two bpf_spin_locks are not allowed\n');
      return -EINVAL;
    }
    state.activeLockPtr = holder;
    state.activeLockId = id;
    return 0;
  }
  if (state.activeLockPtr === null) {
    env.log.write('bpf_spin_unlock without taking a lock\n');
    return -EINVAL;
  }
  if (state.activeLockPtr !== holder || state.activeLockId !== id) {
    env.log.write('bpf_spin_unlock of different lock\n');
    return -EINVAL;
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
    env.log.write(`map '${map.spec.name}' has to have BTF in order to use bpf_timer\n`);
    return -EINVAL;
  }
  if (!hasField(map.record, FIELD_TIMER)) {
    env.log.write(`map '${map.spec.name}' has no valid bpf_timer\n`);
    return -EINVAL;
  }
  err = checkFieldOffset(env, reg, map.record!.timerOffset, 'bpf_timer');
  if (err !== 0) return err;
  if (meta.map !== null) {
    env.log.write('verifier bug. Two map pointers in a timer helper\n');
    return -EFAULT;
  }
  meta.mapUid = reg.mapUid;
  meta.map = map;
  return 0;
}
