/** Special fields of what a register points to: map values, and objects that the program allocated. */
import type { Btf } from '../../btf/btf.js';
import { FIELD_SPIN_LOCK } from '../../btf/record.js';
import type { BtfField, BtfRecord } from '../../btf/record.js';
import { PTR_TO_MAP_VALUE } from '../../targets/types.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';
import { isAllocatedObject } from '../register-types.js';

/** The record of a struct of the program's BTF, or null where it has no special fields (btf_find_struct_meta). */
export function structRecord(env: Env, btf: Btf | null, typeId: number): BtfRecord | null {
  return btf !== null && btf === env.btf ? (env.structRecords.get(typeId) ?? null) : null;
}

/** The record of what the register points to (reg_btf_record). */
export function regRecord(env: Env, reg: ReadonlyReg): BtfRecord | null {
  if (reg.type === PTR_TO_MAP_VALUE) return reg.map!.record;
  return isAllocatedObject(reg.type) ? structRecord(env, reg.btf, reg.btfId) : null;
}

/** The field of one of the kinds in `mask` at exactly that offset, or null (btf_record_find). */
export function findField(record: BtfRecord | null, off: number, mask: number): BtfField | null {
  return record?.fields.find((one) => one.offset === off && (one.type & mask) !== 0) ?? null;
}

export function hasField(record: BtfRecord | null, mask: number): boolean {
  return record !== null && (record.fieldMask & mask) !== 0;
}

export function regMayPointToSpinLock(env: Env, reg: ReadonlyReg): boolean {
  return hasField(regRecord(env, reg), FIELD_SPIN_LOCK);
}
