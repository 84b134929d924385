/** Whether a program's type may stand for a target's: the looser of CO-RE's two comparisons. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { essentialLength } from '../btf/names.js';
import type { Budget } from './budget.js';

const E2BIG = -7;
const EINVAL = -22;
/** Deepest nesting that libbpf follows. */
export const MAX_DEPTH = 32;

/** Same kind; enumerations of either width are one. */
export function kindsCompatible(local: number, target: number): boolean {
  return local === target || (isEnumKind(local) && isEnumKind(target));
}
function isEnumKind(k: number): boolean {
  return k === kind.KIND_ENUM || k === kind.KIND_ENUM64;
}

/**
 * Type-based relocations and kernel functions: kinds match all the way down, names do not matter. 1, 0, or a negative errno
 * for types that nest too deeply (bpf_core_types_are_compat).
 */
export function typesCompatible(
  local: Btf,
  localId: number,
  target: Btf,
  targetId: number,
  budget: Budget,
  level = MAX_DEPTH,
): number {
  if (!kindsCompatible(local.kind(localId), target.kind(targetId))) return 0;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (!budget.spend(1)) return E2BIG;
    localId = local.skipModifiers(localId);
    targetId = target.skipModifiers(targetId);
    if (!kindsCompatible(local.kind(localId), target.kind(targetId))) return 0;
    switch (local.kind(localId)) {
      case kind.KIND_VOID:
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
      case kind.KIND_FWD:
        return 1;
      case kind.KIND_INT:
        return local.intBitOffset(localId) === 0 && target.intBitOffset(targetId) === 0 ? 1 : 0;
      case kind.KIND_PTR:
        localId = local.sizeOrType(localId);
        targetId = target.sizeOrType(targetId);
        break;
      case kind.KIND_ARRAY:
        localId = local.arrayElem(localId);
        targetId = target.arrayElem(targetId);
        break;
      case kind.KIND_FUNC_PROTO: {
        const matched = parametersCompatible(local, localId, target, targetId, budget, level);
        if (matched <= 0) return matched;
        localId = local.skipModifiers(local.sizeOrType(localId));
        targetId = target.skipModifiers(target.sizeOrType(targetId));
        break;
      }
      default:
        return 0;
    }
  }
  return EINVAL;
}

function parametersCompatible(
  local: Btf,
  localId: number,
  target: Btf,
  targetId: number,
  budget: Budget,
  level: number,
): number {
  const count = local.vlen(localId);
  if (count !== target.vlen(targetId)) return 0;
  for (let i = 0; i < count; i++) {
    if (level <= 0) return EINVAL;
    const localParam = local.skipModifiers(local.paramType(localId, i));
    const targetParam = target.skipModifiers(target.paramType(targetId, i));
    const matched = typesCompatible(local, localParam, target, targetParam, budget, level - 1);
    if (matched <= 0) return matched;
  }
  return 1;
}

/**
 * Field relocations: any two structs or unions, any two pointers; integers of any size; enumerations and forward
 * declarations of one name (bpf_core_fields_are_compat). 1 or 0.
 */
export function fieldsCompatible(local: Btf, localId: number, target: Btf, targetId: number): number {
  for (let depth = 0; depth < 64; depth++) {
    localId = local.skipModifiers(localId);
    targetId = target.skipModifiers(targetId);
    const k = local.kind(localId);
    if (isComposite(k) && isComposite(target.kind(targetId))) return 1;
    if (!kindsCompatible(k, target.kind(targetId))) return 0;
    switch (k) {
      case kind.KIND_PTR:
      case kind.KIND_FLOAT:
        return 1;
      case kind.KIND_FWD:
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
        return sameOrAnonymous(local.typeName(localId), target.typeName(targetId)) ? 1 : 0;
      case kind.KIND_INT:
        return local.intBitOffset(localId) === 0 && target.intBitOffset(targetId) === 0 ? 1 : 0;
      case kind.KIND_ARRAY:
        localId = local.arrayElem(localId);
        targetId = target.arrayElem(targetId);
        break;
      default:
        return 0;
    }
  }
  return 0;
}

function isComposite(k: number): boolean {
  return k === kind.KIND_STRUCT || k === kind.KIND_UNION;
}

function sameOrAnonymous(localName: string, targetName: string): boolean {
  return localName === '' || targetName === '' || sameEssentialName(localName, targetName);
}

/** Whether two names are equal but for their flavors. */
export function sameEssentialName(a: string, b: string): boolean {
  const length = essentialLength(a);
  return length === essentialLength(b) && a.slice(0, length) === b.slice(0, length);
}
