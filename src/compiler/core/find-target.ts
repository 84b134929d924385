/** Finds what a relocation accesses in a candidate type (bpf_core_spec_match). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { isEnum, isStructOrUnion, typeSize } from '../btf/layout.js';
import type { Budget } from './budget.js';
import { fieldsCompatible, sameEssentialName, typesCompatible } from './compatible.js';
import { typesMatch } from './match.js';
import { isEnumBased, isTypeBased, TYPE_MATCHES } from './relocation.js';
import { elementBits, emptySpec, isFlexibleArray, MAX_SPEC_LENGTH, type Accessor, type Spec } from './spec.js';

const E2BIG = -7;
const EINVAL = -22;

/** The target's spec, null where the candidate has no such thing, or a negative errno. */
export function findTarget(local: Spec, target: Btf, targetId: number, budget: Budget): Spec | null | number {
  const spec = emptySpec(target, targetId, local.kind);
  const matched = matchInto(local, spec, budget);
  if (matched < 0) return matched;
  return matched === 0 ? null : spec;
}

function matchInto(local: Spec, spec: Spec, budget: Budget): number {
  if (local.kind === TYPE_MATCHES) return typesMatch(local.btf, local.rootId, spec.btf, spec.rootId, budget);
  if (isTypeBased(local.kind)) return typesCompatible(local.btf, local.rootId, spec.btf, spec.rootId, budget);
  return isEnumBased(local.kind) ? matchEnumerator(local, spec, budget) : matchField(local, spec, budget);
}

function matchEnumerator(local: Spec, spec: Spec, budget: Budget): number {
  const { btf } = spec;
  const id = btf.skipModifiers(spec.rootId);
  if (!isEnum(btf, id)) return 0;
  const name = local.accessors[0]!.name!;
  const count = btf.vlen(id);
  if (!budget.spend(count)) return E2BIG;
  for (let index = 0; index < count; index++) {
    const targetName = btf.enumName(id, index);
    if (!sameEssentialName(name, targetName)) continue;
    spec.accessors.push({ typeId: id, index, name: targetName });
    spec.raw.push(index);
    return 1;
  }
  return 0;
}

function matchField(local: Spec, spec: Spec, budget: Budget): number {
  let id = spec.rootId;
  for (const [i, accessor] of local.accessors.entries()) {
    id = spec.btf.skipModifiers(id);
    const next =
      accessor.name === null
        ? matchElement(spec, id, accessor, i === 0)
        : matchMember({ local: local.btf, accessor, spec, budget }, id);
    if (next < 0 || next === NOT_FOUND) return next === NOT_FOUND ? 0 : next;
    id = next;
  }
  return 1;
}

/** No type has this id. */
const NOT_FOUND = 0x1_0000_0000;

/** Answers the element's type, NOT_FOUND, or a negative errno. The first accessor indexes the root itself. */
function matchElement(spec: Spec, id: number, accessor: Accessor, first: boolean): number {
  const { btf } = spec;
  let element = id;
  if (!first) {
    if (btf.kind(id) !== kind.KIND_ARRAY) return NOT_FOUND;
    const isOpenEnded = isFlexibleArray(btf, spec.accessors.at(-1)!, id);
    if (!isOpenEnded && accessor.index >= btf.arrayCount(id)) return NOT_FOUND;
    element = btf.skipModifiers(btf.arrayElem(id));
  }
  if (spec.raw.length === MAX_SPEC_LENGTH) return E2BIG;
  spec.accessors.push({ typeId: element, index: accessor.index, name: null });
  spec.raw.push(accessor.index);
  const size = typeSize(btf, element);
  if (size < 0) return EINVAL;
  spec.bitOffset = (spec.bitOffset + elementBits(accessor.index, size)) >>> 0;
  return element;
}

interface MemberSearch {
  readonly local: Btf;
  readonly accessor: Accessor;
  readonly spec: Spec;
  readonly budget: Budget;
}

/** Looks for the member by name, through anonymous structs and unions; answers its type, NOT_FOUND, or a negative errno. */
function matchMember(search: MemberSearch, typeId: number): number {
  const { spec, budget } = search;
  const { btf } = spec;
  const id = btf.skipModifiers(typeId);
  if (!isStructOrUnion(btf, id)) return NOT_FOUND;
  const count = btf.vlen(id);
  if (!budget.spend(count)) return E2BIG;
  for (let i = 0; i < count; i++) {
    if (spec.raw.length === MAX_SPEC_LENGTH) return E2BIG;
    const bits = btf.memberBitOffset(id, i);
    spec.bitOffset = (spec.bitOffset + bits) >>> 0;
    spec.raw.push(i);
    const nameOff = btf.memberNameOff(id, i);
    if (nameOff === 0 || btf.nameEquals(nameOff, '')) {
      const found = matchMember(search, btf.memberType(id, i));
      if (found !== NOT_FOUND) return found;
    } else if (btf.nameEquals(nameOff, search.accessor.name!)) {
      return acceptMember(search, id, i);
    }
    spec.bitOffset = (spec.bitOffset - bits) >>> 0;
    spec.raw.pop();
  }
  return NOT_FOUND;
}

function acceptMember({ local, accessor, spec }: MemberSearch, id: number, i: number): number {
  const { btf } = spec;
  const localType = local.memberType(accessor.typeId, accessor.index);
  const type = btf.memberType(id, i);
  if (fieldsCompatible(local, localType, btf, type) === 0) return NOT_FOUND;
  spec.accessors.push({ typeId: id, index: i, name: accessor.name });
  return type;
}
