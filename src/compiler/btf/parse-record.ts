/** Resolves the special fields of a type into the record that maps and allocated objects carry (btf_parse_fields, 6.12). */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';
import * as field from './record.js';
import { fieldsOfKernel, fieldSize, findSpecialFields, type FoundField } from './special-fields.js';

const ENOENT = -2;
const EFAULT = -14;
const EEXIST = -17;
const EINVAL = -22;

/** What kptrs are resolved against. */
export interface KptrTargets {
  /** The kernel's BTF. */
  readonly btf: Btf;
  /** Whether the kernel registered a destructor for that struct of its own (register_btf_id_dtor_kfuncs). */
  hasDestructor(typeId: number): boolean;
}

/** Records of a program's structs by type id (struct btf_struct_metas). */
export type StructRecords = ReadonlyMap<number, field.BtfRecord>;

interface MutableField extends field.BtfField {
  valueRecord: field.BtfRecord | null;
}

/**
 * The special fields among `mask` of a struct or data section, null where it has none, or the negative errno with which
 * the kernel refuses the type. `valueSize` is the size of the value in bytes.
 */
export function parseRecord(
  btf: Btf,
  typeId: number,
  mask: number,
  valueSize: number,
  kernel: KptrTargets,
): field.BtfRecord | null | number {
  const found = findSpecialFields(btf, typeId, mask & fieldsOfKernel(kernel.btf));
  if (typeof found === 'number') return found;
  if (found.length === 0) return null;
  const fields: MutableField[] = [];
  let nextOffset = 0;
  for (const one of found) {
    const size = fieldSize(one.type);
    if (one.offset + size > valueSize) return EFAULT;
    if (one.offset < nextOffset) return EEXIST;
    nextOffset = one.offset + size;
    const resolved = resolveField(btf, one, kernel);
    if (typeof resolved === 'number') return resolved;
    fields.push(resolved);
  }
  return buildRecord(fields);
}

/** Puts the record of the contained type into every graph root (btf_check_and_fixup_fields); 0 or -EFAULT. */
export function linkGraphRoots(record: field.BtfRecord | null, structs: StructRecords): number {
  for (const one of (record?.fields ?? []) as readonly MutableField[]) {
    if ((one.type & field.FIELD_GRAPH_ROOT) === 0) continue;
    const contained = structs.get(one.btfId);
    if (contained === undefined) return EFAULT;
    one.valueRecord = contained;
  }
  return 0;
}

function resolveField(btf: Btf, found: FoundField, kernel: KptrTargets): MutableField | number {
  const base = {
    type: found.type,
    offset: found.offset,
    size: fieldSize(found.type),
    nodeOffset: 0,
    valueRecord: null,
  };
  if ((found.type & field.FIELD_KPTR) !== 0) {
    const pointee = resolveKptr(btf, found, kernel);
    return typeof pointee === 'number' ? pointee : { ...base, ...pointee };
  }
  if ((found.type & field.FIELD_GRAPH_ROOT) !== 0) {
    const nodeOffset = offsetOfNode(btf, found);
    return nodeOffset < 0 ? nodeOffset : { ...base, btf, btfId: found.typeId, nodeOffset };
  }
  return { ...base, btf: null, btfId: 0 };
}

/** The kernel's type of that name, or else the program's own (an object of bpf_obj_new). */
function resolveKptr(btf: Btf, found: FoundField, kernel: KptrTargets): { btf: Btf; btfId: number } | number {
  const id = kernel.btf.find(btf.typeName(found.typeId), btf.kind(found.typeId));
  if (id === 0) return { btf, btfId: found.typeId };
  if (found.type === field.FIELD_KPTR_REF && !kernel.hasDestructor(id)) return ENOENT;
  return { btf: kernel.btf, btfId: id };
}

/** Offset in bytes of the list or tree node that a root's tag names, or a negative errno. */
function offsetOfNode(btf: Btf, found: FoundField): number {
  const nodeType = found.type === field.FIELD_LIST_HEAD ? 'bpf_list_node' : 'bpf_rb_node';
  let offset = ENOENT;
  const count = btf.vlen(found.typeId);
  for (let i = 0; i < count; i++) {
    if (!btf.nameEquals(btf.memberNameOff(found.typeId, i), found.nodeName)) continue;
    if (offset >= 0) return EINVAL;
    const type = btf.memberType(found.typeId, i);
    if (btf.kind(type) !== kind.KIND_STRUCT || btf.typeName(type) !== nodeType) return EINVAL;
    const bits = btf.memberBitOffset(found.typeId, i);
    if (bits % 64 !== 0) return EINVAL; // a whole byte, and aligned to 8
    offset = bits / 8;
  }
  return offset;
}

function buildRecord(fields: MutableField[]): field.BtfRecord | number {
  const fieldMask = fields.reduce((mask, one) => mask | one.type, 0);
  const offsetOf = (type: number): number => fields.find((one) => one.type === type)?.offset ?? -1;
  const record: field.BtfRecord = {
    fields,
    fieldMask,
    spinLockOffset: offsetOf(field.FIELD_SPIN_LOCK),
    timerOffset: offsetOf(field.FIELD_TIMER),
    workqueueOffset: offsetOf(field.FIELD_WORKQUEUE),
    refcountOffset: offsetOf(field.FIELD_REFCOUNT),
  };
  if ((fieldMask & field.FIELD_GRAPH_ROOT) !== 0 && record.spinLockOffset < 0) return EINVAL;
  const inBoth = (fieldMask & field.FIELD_GRAPH_NODE) === field.FIELD_GRAPH_NODE;
  if (inBoth && record.refcountOffset < 0) return EINVAL;
  fields.sort((a, b) => a.offset - b.offset);
  return record;
}
