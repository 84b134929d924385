/** TYPE_MATCHES: whether a target's type has all that a program's type has (bpf_core_types_match). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { isEnum } from '../btf/layout.js';
import type { Budget } from './budget.js';
import { MAX_DEPTH, sameEssentialName } from './compatible.js';

const E2BIG = -7;
const EINVAL = -22;

/** The two types that are compared, and how they were reached. */
interface Pair {
  readonly local: Btf;
  readonly target: Btf;
  readonly budget: Budget;
}

/** 1, 0, or a negative errno for types that nest too deeply. */
export function typesMatch(local: Btf, localId: number, target: Btf, targetId: number, budget: Budget): number {
  return match({ local, target, budget }, localId, targetId, false, MAX_DEPTH);
}

function match(pair: Pair, localId: number, targetId: number, behindPointer: boolean, level: number): number {
  const { local, target } = pair;
  if (level <= 0) return EINVAL;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    localId = local.skipModifiers(localId);
    targetId = target.skipModifiers(targetId);
    const sameName = namesMatch(pair.budget, local.typeName(localId), target.typeName(targetId));
    if (sameName <= 0) return sameName;
    const localKind = local.kind(localId);
    const sameKind = localKind === target.kind(targetId);
    switch (localKind) {
      case kind.KIND_VOID:
        return sameKind ? 1 : 0;
      case kind.KIND_FWD:
        return forwardMatches(pair, localId, targetId, behindPointer);
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
        return isEnum(target, targetId) ? enumsMatch(pair, localId, targetId) : 0;
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
        if (behindPointer) return pointeesMatch(pair, localId, targetId);
        return sameKind ? compositesMatch(pair, localId, targetId, level) : 0;
      case kind.KIND_INT:
        return sameKind ? integersMatch(pair, localId, targetId) : 0;
      case kind.KIND_PTR:
        if (!sameKind) return 0;
        behindPointer = true;
        localId = local.sizeOrType(localId);
        targetId = target.sizeOrType(targetId);
        break;
      case kind.KIND_ARRAY:
        if (!sameKind || local.arrayCount(localId) !== target.arrayCount(targetId)) return 0;
        localId = local.arrayElem(localId);
        targetId = target.arrayElem(targetId);
        break;
      case kind.KIND_FUNC_PROTO: {
        if (!sameKind) return 0;
        const matched = parametersMatch(pair, localId, targetId, behindPointer, level);
        if (matched <= 0) return matched;
        localId = local.sizeOrType(localId);
        targetId = target.sizeOrType(targetId);
        break;
      }
      default:
        return 0;
    }
  }
  return EINVAL;
}

/** 1, 0, or -E2BIG: long names count for more. */
function namesMatch(budget: Budget, localName: string, targetName: string): number {
  if (!budget.spend(1 + ((localName.length + targetName.length) >> 5))) return E2BIG;
  return (targetName === '' ? localName === '' : sameEssentialName(localName, targetName)) ? 1 : 0;
}

function forwardMatches({ local, target }: Pair, localId: number, targetId: number, behindPointer: boolean): number {
  const isUnion = local.kindFlag(localId);
  const targetKind = target.kind(targetId);
  if (targetKind === kind.KIND_FWD) return isUnion === target.kindFlag(targetId) ? 1 : 0;
  if (!behindPointer) return 0;
  return targetKind === (isUnion ? kind.KIND_UNION : kind.KIND_STRUCT) ? 1 : 0;
}

/** Behind a pointer a name is enough, and a forward declaration of the kind. */
function pointeesMatch({ local, target }: Pair, localId: number, targetId: number): number {
  if (local.kind(localId) === target.kind(targetId)) return 1;
  if (target.kind(targetId) !== kind.KIND_FWD) return 0;
  return (local.kind(localId) === kind.KIND_UNION) === target.kindFlag(targetId) ? 1 : 0;
}

function integersMatch({ local, target }: Pair, localId: number, targetId: number): number {
  const signs = local.intEncoding(localId) ^ target.intEncoding(targetId);
  const sameSign = (signs & kind.INT_SIGNED) === 0;
  return sameSign && local.sizeOrType(localId) === target.sizeOrType(targetId) ? 1 : 0;
}

function enumsMatch({ local, target, budget }: Pair, localId: number, targetId: number): number {
  if (local.sizeOrType(localId) !== target.sizeOrType(targetId)) return 0;
  const targetCount = target.vlen(targetId);
  if (local.vlen(localId) > targetCount) return 0;
  for (let i = 0; i < local.vlen(localId); i++) {
    const name = local.enumName(localId, i);
    let found = 0;
    for (let j = 0; j < targetCount && found === 0; j++) found = namesMatch(budget, name, target.enumName(targetId, j));
    if (found <= 0) return found;
  }
  return 1;
}

function compositesMatch(pair: Pair, localId: number, targetId: number, level: number): number {
  const { local, target } = pair;
  if (local.vlen(localId) > target.vlen(targetId)) return 0;
  for (let i = 0; i < local.vlen(localId); i++) {
    const matched = memberMatches(pair, localId, i, targetId, level);
    if (matched <= 0) return matched;
  }
  return 1;
}

function memberMatches(pair: Pair, localId: number, i: number, targetId: number, level: number): number {
  const { local, target, budget } = pair;
  const name = local.memberName(localId, i);
  const count = target.vlen(targetId);
  for (let j = 0; j < count; j++) {
    const sameName = namesMatch(budget, name, target.memberName(targetId, j));
    if (sameName < 0) return sameName;
    if (sameName === 0) continue;
    const matched = match(pair, local.memberType(localId, i), target.memberType(targetId, j), false, level - 1);
    if (matched !== 0) return matched;
  }
  return 0;
}

function parametersMatch(pair: Pair, localId: number, targetId: number, behindPointer: boolean, level: number): number {
  const { local, target } = pair;
  const count = local.vlen(localId);
  if (count !== target.vlen(targetId)) return 0;
  for (let i = 0; i < count; i++) {
    const localParam = local.paramType(localId, i);
    const matched = match(pair, localParam, target.paramType(targetId, i), behindPointer, level - 1);
    if (matched <= 0) return matched;
  }
  return 1;
}
