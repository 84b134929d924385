/** One instruction, one kind of pointer: those that the kernel rewrites by the pointer's type must not see two. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import type { Env } from '../env.js';

/** Accesses through these are rewritten. */
function isRewritten(type: number): boolean {
  switch (t.baseType(type)) {
    case t.PTR_TO_CTX:
    case t.PTR_TO_SOCKET:
    case t.PTR_TO_SOCK_COMMON:
    case t.PTR_TO_TCP_SOCK:
    case t.PTR_TO_XDP_SOCK:
    case t.PTR_TO_BTF_ID:
    case t.PTR_TO_ARENA:
      return true;
    default:
      return false;
  }
}

/**
 * Notes what instruction `i` accessed memory through. With `allowTrustMismatch`, kernel structures trusted on one path and
 * not on another become untrusted ones, whose loads may fault.
 */
export function savePointerType(env: Env, i: number, type: number, allowTrustMismatch: boolean): number {
  const facts = env.facts[i]!;
  const before = facts.ptrType;
  if (before === t.NOT_INIT) {
    facts.ptrType = type;
    return 0;
  }
  if (before === type || (!isRewritten(before) && !isRewritten(type))) return 0;
  const structures = t.baseType(before) === t.PTR_TO_BTF_ID && t.baseType(type) === t.PTR_TO_BTF_ID;
  if (allowTrustMismatch && structures) {
    facts.ptrType = t.PTR_TO_BTF_ID | t.PTR_UNTRUSTED;
    return 0;
  }
  return refuse(env, MEMORY.pointerKindsDiffer);
}
