/** Whether a map's types fit it: what BPF_MAP_CREATE asks of the BTF it is given (map_check_btf, kernel/bpf/syscall.c, 6.12). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { resolveSize } from '../btf/layout.js';
import { linkGraphRoots, parseRecord, type KptrTargets, type StructRecords } from '../btf/parse-record.js';
import * as field from '../btf/record.js';
import * as uapi from '../targets/uapi.js';
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from '../targets/map-flags.js';
import type { MapSpec } from './program.js';

const EACCES = -13;
const EINVAL = -22;
const EOPNOTSUPP = -95;

/** Special fields that values of maps may hold. */
export const MAP_VALUE_FIELDS =
  field.FIELD_SPIN_LOCK |
  field.FIELD_TIMER |
  field.FIELD_KPTR |
  field.FIELD_LIST_HEAD |
  field.FIELD_RB_ROOT |
  field.FIELD_REFCOUNT |
  field.FIELD_WORKQUEUE;

const STORAGES = [
  uapi.BPF_MAP_TYPE_SK_STORAGE,
  uapi.BPF_MAP_TYPE_INODE_STORAGE,
  uapi.BPF_MAP_TYPE_TASK_STORAGE,
  uapi.BPF_MAP_TYPE_CGRP_STORAGE,
] as const;
const HASH_OR_ARRAY = [uapi.BPF_MAP_TYPE_HASH, uapi.BPF_MAP_TYPE_LRU_HASH, uapi.BPF_MAP_TYPE_ARRAY] as const;

/** Which map types may hold which fields. */
const HOLDERS: readonly (readonly [fields: number, mapTypes: readonly number[]])[] = [
  [
    field.FIELD_SPIN_LOCK,
    [uapi.BPF_MAP_TYPE_HASH, uapi.BPF_MAP_TYPE_ARRAY, uapi.BPF_MAP_TYPE_CGROUP_STORAGE, ...STORAGES],
  ],
  [field.FIELD_TIMER | field.FIELD_WORKQUEUE, HASH_OR_ARRAY],
  [
    field.FIELD_KPTR | field.FIELD_REFCOUNT,
    [
      ...HASH_OR_ARRAY,
      uapi.BPF_MAP_TYPE_PERCPU_HASH,
      uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
      uapi.BPF_MAP_TYPE_PERCPU_ARRAY,
      ...STORAGES,
    ],
  ],
  [field.FIELD_GRAPH_ROOT, HASH_OR_ARRAY],
];

/** 0, or the negative errno with which the kernel refuses the types. Maps without a value type are not checked. */
export function checkMapTypes(map: MapSpec, structs: StructRecords, kernel: KptrTargets): number {
  const { btf } = map;
  if (btf === null) return 0;
  if (map.btfKeyTypeId !== 0 && map.btfValueTypeId === 0) return EINVAL;
  if (map.btfValueTypeId === 0) return 0;
  const key = map.btfKeyTypeId === 0 ? null : sizedType(btf, map.btfKeyTypeId);
  if (map.btfKeyTypeId === 0 ? !takesUntypedKey(map.type) : key?.size !== map.keySize) return EINVAL;
  const value = sizedType(btf, map.btfValueTypeId);
  if (value === null || value.size !== map.valueSize) return EINVAL;
  const err = checkFields(map, value.id, structs, kernel);
  return err < 0 ? err : checkByType(map, key?.id ?? 0, value.id);
}

interface SizedType {
  readonly id: number;
  readonly size: number;
}

function sizedType(btf: Btf, id: number): SizedType | null {
  if (!btf.has(id)) return null;
  if (btf.kind(id) === kind.KIND_DATASEC) return { id, size: btf.sizeOrType(id) };
  return resolveSize(btf, id);
}

/** Types with a check of their own: the others insist on a typed key. */
function takesUntypedKey(type: number): boolean {
  return type === uapi.BPF_MAP_TYPE_ARRAY || type === uapi.BPF_MAP_TYPE_BLOOM_FILTER;
}

function checkFields(map: MapSpec, valueId: number, structs: StructRecords, kernel: KptrTargets): number {
  const record = parseRecord(map.btf!, valueId, MAP_VALUE_FIELDS, map.valueSize, kernel);
  // A value of broken special fields makes a map without any.
  if (record === null || typeof record === 'number') return 0;
  if ((map.flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) !== 0) return EACCES;
  for (const [fields, mapTypes] of HOLDERS) {
    if ((record.fieldMask & fields) !== 0 && !mapTypes.includes(map.type)) return EOPNOTSUPP;
  }
  return linkGraphRoots(record, structs);
}

function checkByType(map: MapSpec, keyId: number, valueId: number): number {
  const btf = map.btf!;
  switch (map.type) {
    case uapi.BPF_MAP_TYPE_ARRAY:
    case uapi.BPF_MAP_TYPE_PERCPU_ARRAY:
      if (keyId !== 0) return isInt(btf, keyId, 32) ? 0 : EINVAL;
      return map.maxEntries === 1 && btf.kind(valueId) === kind.KIND_DATASEC ? 0 : EINVAL;
    case uapi.BPF_MAP_TYPE_LPM_TRIE:
      return btf.kind(keyId) === kind.KIND_STRUCT ? 0 : EINVAL;
    case uapi.BPF_MAP_TYPE_BLOOM_FILTER:
      return keyId === 0 ? 0 : EINVAL;
    case uapi.BPF_MAP_TYPE_CGROUP_STORAGE:
    case uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
      return isCgroupKey(btf, keyId, map.keySize) ? 0 : EINVAL;
    case uapi.BPF_MAP_TYPE_SK_STORAGE:
    case uapi.BPF_MAP_TYPE_INODE_STORAGE:
    case uapi.BPF_MAP_TYPE_TASK_STORAGE:
    case uapi.BPF_MAP_TYPE_CGRP_STORAGE:
      return isInt(btf, keyId, 32) ? 0 : EINVAL;
    default:
      return 0;
  }
}

function isInt(btf: Btf, id: number, bits: number): boolean {
  return btf.kind(id) === kind.KIND_INT && btf.intBits(id) === bits && btf.intBitOffset(id) === 0;
}

/** A cgroup's inode number; with the attach type behind it where the storage is kept apart by that. */
function isCgroupKey(btf: Btf, id: number, keySize: number): boolean {
  if (keySize === 8) return isInt(btf, id, 64);
  if (btf.kind(id) !== kind.KIND_STRUCT || btf.vlen(id) !== 2) return false;
  return isRegularInt(btf, id, 0, 0, 64) && isRegularInt(btf, id, 1, 64, 32);
}

function isRegularInt(btf: Btf, structId: number, member: number, bitOffset: number, bits: number): boolean {
  if (btf.memberBitOffset(structId, member) !== bitOffset) return false;
  const width = btf.memberBitfieldSize(structId, member);
  const id = btf.skipModifiers(btf.memberType(structId, member));
  return isInt(btf, id, bits) && (width === 0 || width === bits);
}
