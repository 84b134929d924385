/** Kernel pointers stored in map values and allocated objects. */
import { OBJECTS } from '../refusals/objects.js';
import { refuse } from '../refusals/refuse.js';
import { FIELD_KPTR, FIELD_KPTR_PERCPU, FIELD_KPTR_REF, FIELD_KPTR_UNREF } from '../../btf/record.js';
import type { BtfField, BtfRecord } from '../../btf/record.js';
import * as t from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import type { ReadonlyReg } from '../state.js';
import { structIdsMatch } from '../kernel/btf-walk.js';
import type { CallMeta } from '../calls/call-meta.js';
import { constantOffset } from './dynptr-slots.js';
import { checkPtrOffReg } from '../memory/pointer-offset.js';
import { findField, hasField, regRecord } from '../kernel/special-fields.js';
import { isAllocated, isAllocatedObject } from '../register-types.js';

/** Flags that a pointer may carry into the field. */
function allowedFlags(field: BtfField, reg: ReadonlyReg): number {
  if (reg.btf!.isKernel) {
    const flags = t.PTR_MAYBE_NULL | t.PTR_TRUSTED | t.MEM_RCU;
    return field.type === FIELD_KPTR_UNREF ? flags | t.PTR_UNTRUSTED : flags;
  }
  const flags = t.PTR_MAYBE_NULL | t.MEM_ALLOC;
  return field.type === FIELD_KPTR_PERCPU ? flags | t.MEM_PERCPU : flags;
}

/** Whether the register may be stored in that field; 0 or a negative errno (map_kptr_match_type). */
export function kptrMatchesType(env: Env, field: BtfField, reg: ReadonlyReg, regno: number): number {
  const isPercpu = (reg.type & t.MEM_PERCPU) !== 0;
  if (
    t.baseType(reg.type) === t.PTR_TO_BTF_ID &&
    (t.typeFlags(reg.type) & ~allowedFlags(field, reg)) === 0 &&
    (field.type === FIELD_KPTR_PERCPU) === isPercpu
  ) {
    if (checkPtrOffReg(env, reg, regno, true) !== 0) return -EACCES;
    // A pointer that is kept with its reference must point to the object itself, not to a struct it begins with.
    const strict = field.type !== FIELD_KPTR_UNREF;
    const walk = !isAllocated(reg.type);
    if (structIdsMatch(env, reg.btf!, reg.btfId, reg.off, field.btf!, field.btfId, strict, walk)) return 0;
    const name = reg.btf!.typeName(reg.btfId);
    return refuse(
      env,
      OBJECTS.kptrType,
      regno,
      reg.type,
      name,
      field.btf!,
      field.btfId,
      field.type === FIELD_KPTR_UNREF,
    );
  }
  return refuse(env, OBJECTS.kptrType, regno, reg.type, '', field.btf!, field.btfId, field.type === FIELD_KPTR_UNREF);
}

/** The field that bpf_kptr_xchg exchanges: in a map value, or in an object of the program's. */
export function checkKptrArgument(env: Env, regno: number, meta: CallMeta): number {
  const reg = currentRegs(env)[regno]!;
  let record: BtfRecord | null;
  if (isAllocatedObject(reg.type)) {
    record = regRecord(env, reg);
  } else {
    const map = reg.map!;
    if (map.spec.btf === null) {
      return refuse(env, OBJECTS.kptrMapWithoutBtf, map.spec.name);
    }
    record = map.record;
    meta.map = map;
  }
  if (!isConst(reg)) {
    return refuse(env, OBJECTS.fieldVariableOffset, regno, 'kptr');
  }
  if (!hasField(record, FIELD_KPTR)) {
    return refuse(env, OBJECTS.kptrMissing, regno);
  }
  const off = constantOffset(reg);
  const field = findField(record, off, FIELD_KPTR);
  if (field === null) {
    return refuse(env, OBJECTS.noKptrThere, off);
  }
  if (field.type !== FIELD_KPTR_REF && field.type !== FIELD_KPTR_PERCPU) {
    return refuse(env, OBJECTS.kptrUnreferenced, off);
  }
  meta.kptrField = field;
  return 0;
}
