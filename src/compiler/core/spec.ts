/** What a relocation accesses: the access string "0:1:2" resolved against a type. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { isEnum, isStructOrUnion, typeSize } from '../btf/layout.js';
import { isEnumBased, isFieldBased, isTypeBased, type CoreRelocation } from './relocation.js';

const E2BIG = -7;
const EINVAL = -22;
/** Deepest access (BPF_CORE_SPEC_MAX_LEN). */
export const MAX_SPEC_LENGTH = 64;

/** One meaningful step: a named member, or an array element (name null). */
export interface Accessor {
  readonly typeId: number;
  readonly index: number;
  readonly name: string | null;
}

export interface Spec {
  readonly btf: Btf;
  readonly rootId: number;
  readonly kind: number;
  readonly accessors: Accessor[];
  /** Every step, those through anonymous members too. */
  readonly raw: number[];
  /** Modulo 2^32, as libbpf counts. */
  bitOffset: number;
}

export function emptySpec(btf: Btf, rootId: number, relocationKind: number): Spec {
  return { btf, rootId, kind: relocationKind, accessors: [], raw: [], bitOffset: 0 };
}

/** Resolves a relocation against the program's own types; a negative errno where it makes no sense. */
export function parseSpec(btf: Btf, relocation: CoreRelocation): Spec | number {
  const text = btf.string(relocation.accessOff);
  const spec = emptySpec(btf, relocation.typeId, relocation.kind);
  if (text === '' || text.startsWith(':')) return EINVAL;
  if (isTypeBased(relocation.kind)) return text === '0' ? spec : EINVAL;
  const raw = parseAccess(text);
  if (typeof raw === 'number') return raw;
  spec.raw.push(...raw);
  const id = btf.skipModifiers(relocation.typeId);
  if (isEnumBased(relocation.kind)) return enumSpec(spec, id);
  return isFieldBased(relocation.kind) ? fieldSpec(spec, id) : EINVAL;
}

function parseAccess(text: string): number[] | number {
  const parts = text.split(':', MAX_SPEC_LENGTH + 1);
  if (parts.length > MAX_SPEC_LENGTH) return E2BIG;
  const indices: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,10}$/.test(part) || Number(part) > 0x7fff_ffff) return EINVAL;
    indices.push(Number(part));
  }
  return indices;
}

function enumSpec(spec: Spec, id: number): Spec | number {
  const { btf } = spec;
  const index = spec.raw[0]!;
  if (!isEnum(btf, id) || spec.raw.length > 1 || index >= btf.vlen(id)) return EINVAL;
  spec.accessors.push({ typeId: id, index, name: btf.enumName(id, index) });
  return spec;
}

function fieldSpec(spec: Spec, root: number): Spec | number {
  const { btf } = spec;
  const size = typeSize(btf, root);
  if (size < 0) return EINVAL;
  spec.accessors.push({ typeId: root, index: spec.raw[0]!, name: null });
  spec.bitOffset = elementBits(spec.raw[0]!, size);
  let id = root;
  for (const index of spec.raw.slice(1)) {
    id = btf.skipModifiers(id);
    const next = isStructOrUnion(btf, id) ? stepIntoMember(spec, id, index) : stepIntoElement(spec, id, index);
    if (next < 0) return next;
    id = next;
  }
  return spec;
}

/** Answers the member's type, or a negative errno. */
function stepIntoMember(spec: Spec, id: number, index: number): number {
  const { btf } = spec;
  if (index >= btf.vlen(id)) return EINVAL;
  spec.bitOffset = (spec.bitOffset + btf.memberBitOffset(id, index)) >>> 0;
  if (btf.memberNameOff(id, index) !== 0) {
    const name = btf.memberName(id, index);
    if (name === '') return EINVAL;
    spec.accessors.push({ typeId: id, index, name });
  }
  return btf.memberType(id, index);
}

/** Answers the element's type, or a negative errno. */
function stepIntoElement(spec: Spec, id: number, index: number): number {
  const { btf } = spec;
  if (btf.kind(id) !== kind.KIND_ARRAY) return EINVAL;
  const element = btf.skipModifiers(btf.arrayElem(id));
  if (!isFlexibleArray(btf, spec.accessors.at(-1)!, id) && index >= btf.arrayCount(id)) return EINVAL;
  spec.accessors.push({ typeId: element, index, name: null });
  const size = typeSize(btf, element);
  if (size < 0) return EINVAL;
  spec.bitOffset = (spec.bitOffset + elementBits(index, size)) >>> 0;
  return element;
}

/** Whether an array of no elements is the last member of its struct: any index is good then. */
export function isFlexibleArray(btf: Btf, owner: Accessor, arrayId: number): boolean {
  if (owner.name === null || btf.arrayCount(arrayId) > 0) return false;
  return owner.index === btf.vlen(owner.typeId) - 1;
}

/** Bit offset of an element, modulo 2^32. */
export function elementBits(index: number, size: number): number {
  return Math.imul(index, Math.imul(size, 8)) >>> 0;
}
