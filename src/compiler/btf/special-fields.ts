/**
 * Finds the special fields of a struct or data section: by the name of their type, by the type tag of a kptr, by the
 * `contains:` tag of a list head or tree root (btf_find_field and below, kernel/bpf/btf.c, 6.12).
 */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';
import { MAX_RESOLVE_DEPTH } from './layout.js';
import * as field from './record.js';
import { declTagValue } from './tags.js';

const ENOENT = -2;
const E2BIG = -7;
const EINVAL = -22;
/** Most special fields of one type (BTF_FIELDS_MAX). */
const MAX_FIELDS = 11;

/** A field as it is found, before it is resolved against the kernel's types. */
export interface FoundField {
  readonly type: number;
  offset: number;
  /** Pointee of a kptr, contained type of a graph root, or 0. */
  readonly typeId: number;
  /** Graph roots: name of the node's member in the contained type. */
  readonly nodeName: string;
}

interface FieldKind {
  readonly type: number;
  readonly name: string;
  readonly size: number;
  readonly alignment: number;
  /** Only one of it may be in a value. */
  readonly unique: boolean;
}

/** The types that are known by name, with the size and alignment the kernel gives them (include/uapi/linux/bpf.h). */
const NAMED_FIELDS: readonly FieldKind[] = [
  { type: field.FIELD_SPIN_LOCK, name: 'bpf_spin_lock', size: 4, alignment: 4, unique: true },
  { type: field.FIELD_TIMER, name: 'bpf_timer', size: 16, alignment: 8, unique: true },
  { type: field.FIELD_WORKQUEUE, name: 'bpf_wq', size: 16, alignment: 8, unique: true },
  { type: field.FIELD_LIST_HEAD, name: 'bpf_list_head', size: 16, alignment: 8, unique: false },
  { type: field.FIELD_LIST_NODE, name: 'bpf_list_node', size: 24, alignment: 8, unique: false },
  { type: field.FIELD_RB_ROOT, name: 'bpf_rb_root', size: 16, alignment: 8, unique: false },
  { type: field.FIELD_RB_NODE, name: 'bpf_rb_node', size: 32, alignment: 8, unique: false },
  { type: field.FIELD_REFCOUNT, name: 'bpf_refcount', size: 4, alignment: 4, unique: true },
];
const KPTR_FIELD: FieldKind = { type: field.FIELD_KPTR, name: '', size: 8, alignment: 8, unique: false };

const REPEATABLE = field.FIELD_KPTR | field.FIELD_LIST_HEAD | field.FIELD_RB_ROOT;

/** Size in bytes of a special field. */
export function fieldSize(type: number): number {
  return NAMED_FIELDS.find((known) => known.type === type)?.size ?? KPTR_FIELD.size;
}

/** Special fields that a kernel knows: those whose types its BTF has, and kptrs. */
export function fieldsOfKernel(kernel: Btf): number {
  const known = NAMED_FIELDS.filter(({ name }) => kernel.find(name, kind.KIND_STRUCT) !== 0);
  return known.reduce((mask, { type }) => mask | type, field.FIELD_KPTR);
}

interface Search {
  readonly btf: Btf;
  readonly mask: number;
  seen: number;
  readonly found: FoundField[];
  /** Structs known to hold no special field: nesting must not make the walk exponential. */
  readonly plain: Set<number>;
}

/** The fields of the kinds in `mask`, in the order of members; or a negative errno. */
export function findSpecialFields(btf: Btf, typeId: number, mask: number): FoundField[] | number {
  const search: Search = { btf, mask, seen: 0, found: [], plain: new Set() };
  let err: number;
  if (btf.kind(typeId) === kind.KIND_STRUCT) err = findInStruct(search, typeId, 0);
  else if (btf.kind(typeId) === kind.KIND_DATASEC) err = findInSection(search, typeId);
  else return EINVAL;
  return err < 0 ? err : search.found;
}

function findInStruct(search: Search, id: number, level: number): number {
  const { btf } = search;
  const count = btf.vlen(id);
  for (let i = 0; i < count; i++) {
    const bits = btf.memberBitOffset(id, i);
    if (bits % 8 !== 0) return EINVAL;
    const place = { owner: id, component: i, offset: bits / 8, expectedSize: 0, level };
    const err = findOne(search, place, btf.memberType(id, i));
    if (err < 0) return err;
  }
  return 0;
}

function findInSection(search: Search, id: number): number {
  const { btf } = search;
  const count = btf.vlen(id);
  for (let i = 0; i < count; i++) {
    const variable = btf.secinfoType(id, i);
    const place = {
      owner: variable,
      component: -1,
      offset: btf.secinfoOffset(id, i),
      expectedSize: btf.secinfoSize(id, i),
      level: 0,
    };
    const err = findOne(search, place, btf.sizeOrType(variable));
    if (err < 0) return err;
  }
  return 0;
}

interface Place {
  /** The type and component that declaration tags of this field are attached to. */
  readonly owner: number;
  readonly component: number;
  readonly offset: number;
  /** Size a section gives its variable; 0 for a member. */
  readonly expectedSize: number;
  readonly level: number;
}

function findOne(search: Search, place: Place, typeId: number): number {
  const { btf } = search;
  let elements = 1;
  for (let depth = 0; btf.kind(typeId) === kind.KIND_ARRAY; depth++) {
    if (depth === MAX_RESOLVE_DEPTH) return E2BIG;
    elements = Math.imul(elements, btf.arrayCount(typeId)) >>> 0; // 32-bit, as the kernel multiplies
    typeId = btf.arrayElem(typeId);
  }
  if (elements === 0) return 0;
  const known = fieldKind(search, typeId);
  if (typeof known === 'number') return known;
  if (known === null) return btf.kind(typeId) === kind.KIND_STRUCT ? findNested(search, place, typeId, elements) : 0;
  if (place.expectedSize !== 0 && place.expectedSize !== known.size * elements) return 0;
  if (place.offset % known.alignment !== 0) return 0;
  const one = describe(search, place, typeId, known);
  if (one === null) return 0;
  if (typeof one === 'number') return one;
  if (search.found.length >= MAX_FIELDS) return E2BIG;
  search.found.push(one);
  return elements > 1 ? repeat(search, search.found.length - 1, elements, known.size) : 0;
}

/** What kind of special field a type would be; null for none, -E2BIG for the second of a unique one. */
function fieldKind(search: Search, typeId: number): FieldKind | null | number {
  const { btf, mask } = search;
  const nameOff = btf.nameOff(typeId);
  for (const known of NAMED_FIELDS) {
    if ((mask & known.type) === 0 || !btf.nameEquals(nameOff, known.name)) continue;
    if (known.unique && (search.seen & known.type) !== 0) return E2BIG;
    if (known.unique) search.seen |= known.type;
    return known;
  }
  return (mask & field.FIELD_KPTR) !== 0 && btf.kind(typeId) !== kind.KIND_STRUCT ? KPTR_FIELD : null;
}

function describe(search: Search, place: Place, typeId: number, known: FieldKind): FoundField | null | number {
  const { btf } = search;
  if (known === KPTR_FIELD) return describeKptr(btf, typeId, place.offset);
  if (btf.kind(typeId) !== kind.KIND_STRUCT || btf.sizeOrType(typeId) !== known.size) return null;
  if ((known.type & field.FIELD_GRAPH_ROOT) !== 0) return describeRoot(btf, place, known.type);
  return { type: known.type, offset: place.offset, typeId: 0, nodeName: '' };
}

/** The kptr that a pointer type is, null for other types, -EINVAL for a broken kptr (btf_find_kptr). */
export function describeKptr(btf: Btf, typeId: number, offset: number): FoundField | null | number {
  if (btf.kind(typeId) === kind.KIND_VOLATILE) typeId = btf.sizeOrType(typeId);
  if (btf.kind(typeId) !== kind.KIND_PTR) return null;
  const tag = btf.sizeOrType(typeId);
  if (btf.kind(tag) !== kind.KIND_TYPE_TAG) return null;
  if (btf.kind(btf.sizeOrType(tag)) === kind.KIND_TYPE_TAG) return EINVAL;
  const type = kptrType(btf.typeName(tag));
  const pointee = btf.skipModifiers(btf.sizeOrType(tag));
  if (type === 0 || btf.kind(pointee) !== kind.KIND_STRUCT) return EINVAL;
  return { type, offset, typeId: pointee, nodeName: '' };
}

function kptrType(tag: string): number {
  switch (tag) {
    case 'kptr_untrusted':
      return field.FIELD_KPTR_UNREF;
    case 'kptr':
      return field.FIELD_KPTR_REF;
    case 'percpu_kptr':
      return field.FIELD_KPTR_PERCPU;
    default:
      return 0;
  }
}

function describeRoot(btf: Btf, place: Place, type: number): FoundField | number {
  const value = declTagValue(btf, place.owner, place.component, 'contains:');
  if (typeof value === 'number') return EINVAL;
  const colon = value.indexOf(':');
  if (colon < 0) return EINVAL;
  const typeId = btf.find(value.slice(0, colon), kind.KIND_STRUCT);
  if (typeId === 0) return ENOENT;
  const nodeName = value.slice(colon + 1);
  return nodeName === '' ? EINVAL : { type, offset: place.offset, typeId, nodeName };
}

function findNested(search: Search, place: Place, id: number, elements: number): number {
  const size = search.btf.sizeOrType(id);
  if (place.expectedSize !== 0 && place.expectedSize !== Math.imul(size, elements) >>> 0) return 0;
  if (search.plain.has(id)) return 0;
  if (place.level + 1 >= MAX_RESOLVE_DEPTH) return E2BIG;
  const first = search.found.length;
  const seen = search.seen;
  const err = findInStruct(search, id, place.level + 1);
  if (err < 0) return err;
  if (search.found.length === first) {
    if (search.seen === seen) search.plain.add(id);
    return 0;
  }
  for (let i = first; i < search.found.length; i++) search.found[i]!.offset += place.offset;
  return elements > 1 ? repeat(search, first, elements, size) : 0;
}

/** Repeats the fields from `first` on for the other elements of an array. */
function repeat(search: Search, first: number, elements: number, elementSize: number): number {
  const fields = search.found.slice(first);
  if (fields.some((one) => (one.type & REPEATABLE) === 0)) return EINVAL;
  if (fields.length * elements > MAX_FIELDS - first) return E2BIG;
  for (let i = 1; i < elements; i++) {
    for (const one of fields) search.found.push({ ...one, offset: one.offset + i * elementSize });
  }
  return 0;
}
