/** Records of the structs of a program's BTF that programs may allocate (btf_parse_struct_metas, kernel/bpf/btf.c, 6.12). */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';
import { linkGraphRoots, parseRecord, type KptrTargets, type StructRecords } from './parse-record.js';
import * as field from './record.js';
import { describeKptr } from './special-fields.js';

const EFAULT = -14;
const ELOOP = -40;
/** Longest chain of owners and owned (BTF_MAX_OWNERSHIP_DEPTH). */
const MAX_OWNERSHIP_DEPTH = 8;

const ALLOCATED_FIELDS =
  field.FIELD_SPIN_LOCK |
  field.FIELD_LIST_HEAD |
  field.FIELD_LIST_NODE |
  field.FIELD_RB_ROOT |
  field.FIELD_RB_NODE |
  field.FIELD_REFCOUNT |
  field.FIELD_KPTR;

const FIELD_TYPE_NAMES = [
  'bpf_spin_lock',
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_refcount',
] as const;

/** Every struct with a special field among its direct members, or the negative errno with which the kernel refuses the BTF. */
export function parseStructRecords(btf: Btf, kernel: KptrTargets): StructRecords | number {
  const special = specialTypes(btf);
  const records = new Map<number, field.BtfRecord>();
  if (special.size === 0) return records;
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_STRUCT || !hasMemberOf(btf, id, special)) continue;
    const record = parseRecord(btf, id, ALLOCATED_FIELDS, btf.sizeOrType(id), kernel);
    if (typeof record === 'number') return record;
    if (record === null) return EFAULT;
    records.set(id, record);
  }
  for (const record of records.values()) {
    const err = linkGraphRoots(record, records);
    if (err < 0) return err;
  }
  return checkOwnership(records);
}

/** Ids of the special types and of every kptr. */
function specialTypes(btf: Btf): Set<number> {
  const special = new Set<number>();
  for (const name of FIELD_TYPE_NAMES) {
    const id = btf.find(name, kind.KIND_STRUCT);
    if (id !== 0) special.add(id);
  }
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    const kptr = describeKptr(btf, id, 0);
    if (kptr !== null && typeof kptr !== 'number') special.add(id);
  }
  return special;
}

function hasMemberOf(btf: Btf, id: number, types: ReadonlySet<number>): boolean {
  const count = btf.vlen(id);
  for (let i = 0; i < count; i++) if (types.has(btf.memberType(id, i))) return true;
  return false;
}

/** Objects own what their roots and kptrs hold: freeing one must not recurse without end. */
function checkOwnership(records: StructRecords): StructRecords | number {
  const depths = new Map<number, number>();
  for (const id of records.keys()) {
    const depth = ownershipDepth(records, id, depths, MAX_OWNERSHIP_DEPTH);
    if (depth < 0) return depth;
  }
  return records;
}

function ownershipDepth(records: StructRecords, id: number, depths: Map<number, number>, left: number): number {
  if (left === 0) return ELOOP;
  const known = depths.get(id);
  if (known !== undefined) return known > left ? ELOOP : known;
  let deepest = 0;
  for (const one of records.get(id)?.fields ?? []) {
    if (!owns(one) || !records.has(one.btfId)) continue;
    const depth = ownershipDepth(records, one.btfId, depths, left - 1);
    if (depth < 0) return depth;
    deepest = Math.max(deepest, depth);
  }
  depths.set(id, deepest + 1);
  return deepest + 1 > left ? ELOOP : deepest + 1;
}

function owns(one: field.BtfField): boolean {
  if ((one.type & field.FIELD_GRAPH_ROOT) !== 0) return true;
  const isOwningKptr = (one.type & (field.FIELD_KPTR_REF | field.FIELD_KPTR_PERCPU)) !== 0;
  return isOwningKptr && one.btf?.isKernel === false;
}
