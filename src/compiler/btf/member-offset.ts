import * as kind from './kinds.js';
import type { Btf } from './btf.js';

/**
 * Byte offset of a member of a kernel structure, looked for in its unnamed structs and unions too.
 * Throws where the target's BTF has no such structure or member: then the profile is not that of a kernel we know.
 */
export function memberOffset(btf: Btf, struct: string, member: string): number {
  const bits = memberBits(btf, struct, member);
  if (bits < 0) throw new Error(`no member ${member} in struct ${struct} of ${btf.name}`);
  return bits >> 3;
}

/** Whether `memberOffset` would answer. */
export function hasMember(btf: Btf, struct: string, member: string): boolean {
  return memberBits(btf, struct, member) >= 0;
}

function memberBits(btf: Btf, struct: string, member: string): number {
  const id = btf.find(struct, kind.KIND_STRUCT);
  return id === 0 ? -1 : findMember(btf, id, member);
}

/** Offset in bits, or -1. */
function findMember(btf: Btf, id: number, name: string): number {
  for (let i = 0; i < btf.vlen(id); i++) {
    const memberName = btf.memberName(id, i);
    if (memberName === name) return btf.memberBitOffset(id, i);
    if (memberName !== '') continue;
    const inner = btf.skipModifiers(btf.memberType(id, i));
    const k = btf.kind(inner);
    if (k !== kind.KIND_STRUCT && k !== kind.KIND_UNION) continue;
    const bits = findMember(btf, inner, name);
    if (bits >= 0) return btf.memberBitOffset(id, i) + bits;
  }
  return -1;
}
