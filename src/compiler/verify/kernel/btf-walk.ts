/**
 * What lies at an offset of a kernel structure: a number, a pointer to another structure, or a structure inside
 * (btf_struct_walk and its callers, kernel/bpf/btf.c, Linux 6.12).
 */
import { KERNEL_MEMORY } from '../refusals/kernel-memory.js';
import { refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import * as kind from '../../btf/kinds.js';
import { isStructOrUnion, resolveSize } from '../../btf/layout.js';
import type { ResolvedSize } from '../../btf/layout.js';
import { MEM_PERCPU, MEM_RCU, MEM_USER, PTR_TO_BTF_ID, PTR_UNTRUSTED, SCALAR_VALUE } from '../../targets/types.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';
import { structRecord } from './special-fields.js';
import { isAllocated } from '../register-types.js';

/** Results of a walk; errors are negative. */
const WALK_SCALAR = 0;
const WALK_PTR = 1;
const WALK_STRUCT = 2;

/** What a walk found. */
export class Walked {
  /** The pointee, or the structure inside. */
  btfId = 0;
  /** Flags that the member's type tags and the unions on the way give a pointer. */
  flag = 0;
  /** The pointer member's name. */
  fieldName = '';
}

/** One member that an access may touch, arrays taken as the element that the access begins in. */
interface Member {
  readonly name: string;
  readonly struct: number;
  readonly type: number;
  readonly start: number;
  readonly size: number;
  /** End of the whole member, the array included. */
  readonly end: number;
}

/** Finds what `size` bytes at `off` of a structure are. WALK_STRUCT: a structure begins at exactly that offset. */
function walk(env: Env, btf: Btf, id: number, off: number, size: number, out: Walked, flexArrays: boolean): number {
  for (;;) {
    const struct = btf.skipModifiers(id);
    if (!isStructOrUnion(btf, struct)) {
      return refuse(env, KERNEL_MEMORY.walkNotStruct, btf, struct);
    }
    // Which member of a union is valid nobody knows; __bpf_md_ptr and the like have one only.
    if (btf.kind(struct) === kind.KIND_UNION && btf.vlen(struct) !== 1) out.flag |= PTR_UNTRUSTED;
    if ((off + size) >>> 0 > btf.sizeOrType(struct)) {
      const element = flexArrays ? flexibleElement(btf, struct, off) : 0;
      if (element === 0) {
        return refuse(env, KERNEL_MEMORY.beyondStruct, btf, struct, off, size);
      }
      if (btf.kind(element) === kind.KIND_INT) return WALK_SCALAR;
      off = (off - lastMemberOffset(btf, struct)) % btf.sizeOrType(element);
      id = element;
      continue;
    }
    const found = findMember(env, btf, struct, off, size);
    if (typeof found === 'number') return found;
    if (!isStructOrUnion(btf, found.type)) return leaf(env, btf, found, off, size, out);
    if (off === found.start) {
      out.btfId = found.type;
      return WALK_STRUCT;
    }
    off -= found.start;
    id = found.type;
  }
}

function lastMemberOffset(btf: Btf, struct: number): number {
  return btf.memberBitOffset(struct, btf.vlen(struct) - 1) >>> 3;
}

/** The element type of a flexible array at the end, if the access lies in it and it may be walked; 0 otherwise. */
function flexibleElement(btf: Btf, struct: number, off: number): number {
  const count = btf.vlen(struct);
  if (count === 0) return 0;
  const type = btf.skipModifiers(btf.memberType(struct, count - 1));
  if (btf.kind(type) !== kind.KIND_ARRAY || btf.arrayCount(type) !== 0) return 0;
  if (off < lastMemberOffset(btf, struct)) return 0;
  const element = btf.skipModifiers(btf.arrayElem(type));
  if (btf.kind(element) === kind.KIND_INT) return element;
  return isStructOrUnion(btf, element) && btf.sizeOrType(element) !== 0 ? element : 0;
}

/** The member that an access begins in; WALK_SCALAR for bit-fields, an errno where there is none. */
function findMember(env: Env, btf: Btf, struct: number, off: number, size: number): Member | number {
  const count = btf.vlen(struct);
  for (let i = 0; i < count; i++) {
    const bits = btf.memberBitOffset(struct, i);
    const start = bits >>> 3;
    if (off + size <= start) break;
    const width = btf.memberBitfieldSize(struct, i);
    if (width !== 0) {
      // Anonymous bit-fields are not in BTF: the access may begin before this one.
      if (off <= start && Math.ceil((bits + width) / 8) <= off + size) return WALK_SCALAR;
      continue;
    }
    if (off < start) break; // a hole
    const resolved = resolveSize(btf, btf.memberType(struct, i));
    const name = memberName(btf, struct, i);
    if (resolved === null) {
      return refuse(env, KERNEL_MEMORY.memberWithoutSize, name);
    }
    if (off >= start + resolved.size) continue;
    return elementAt(btf, struct, name, start, off, resolved);
  }
  return refuse(env, KERNEL_MEMORY.noMemberThere, btf, struct, off);
}

function memberName(btf: Btf, struct: number, i: number): string {
  return btf.memberNameOff(struct, i) === 0 ? '(anon)' : btf.memberName(struct, i);
}

function elementAt(btf: Btf, struct: number, name: string, start: number, off: number, all: ResolvedSize): Member {
  const end = start + all.size;
  if (btf.kind(all.id) !== kind.KIND_ARRAY) return { name, struct, type: all.elementId, start, size: all.size, end };
  const size = Math.floor(all.size / all.count);
  const first = start + Math.floor((off - start) / size) * size;
  return { name, struct, type: all.elementId, start: first, size, end };
}

/** A member that is no structure: a pointer to one, or plain bytes. */
function leaf(env: Env, btf: Btf, m: Member, off: number, size: number, out: Walked): number {
  if (btf.kind(m.type) === kind.KIND_PTR) {
    if (m.size !== size || off !== m.start) {
      return refuse(env, KERNEL_MEMORY.insidePointerMember, m.name, m.start, btf, m.struct, off, size);
    }
    const pointee = btf.skipModifiers(btf.sizeOrType(m.type));
    if (isStructOrUnion(btf, pointee)) {
      out.btfId = pointee;
      out.flag |= pointerTagFlag(btf, btf.sizeOrType(m.type));
      out.fieldName = m.name;
      return WALK_PTR;
    }
  }
  if (off + size > m.end && (out.flag & PTR_UNTRUSTED) === 0) {
    return refuse(env, KERNEL_MEMORY.beyondMember, m.name, m.end, btf, m.struct, off, size);
  }
  return WALK_SCALAR;
}

/** What a type tag in front of a pointee says of the pointer: __user, __percpu, __rcu. */
export function pointerTagFlag(btf: Btf, pointee: number): number {
  if (btf.kind(pointee) !== kind.KIND_TYPE_TAG) return 0;
  switch (btf.typeName(pointee)) {
    case 'user':
      return MEM_USER;
    case 'percpu':
      return MEM_PERCPU;
    case 'rcu':
      return MEM_RCU;
    default:
      return 0;
  }
}

/**
 * The type of `size` bytes at `off` behind a PTR_TO_BTF_ID: SCALAR_VALUE, or PTR_TO_BTF_ID with `out` telling of the
 * pointer; a negative errno after its sentence (btf_struct_access).
 */
export function structAccess(env: Env, reg: ReadonlyReg, off: number, size: number, out: Walked): number {
  const btf = reg.btf!;
  const allocated = isAllocated(reg.type);
  if (allocated) {
    const err = checkSpecialFields(env, reg, off, size);
    if (err !== 0) return err;
  }
  let id = reg.btfId;
  for (;;) {
    const result = walk(env, btf, id, off, size, out, !allocated);
    if (result < 0) return result;
    // Pointers inside of the program's own objects are just numbers when they are read back.
    if (result === WALK_PTR && !allocated) return PTR_TO_BTF_ID;
    if (result !== WALK_STRUCT) return SCALAR_VALUE;
    id = out.btfId;
    off = 0;
  }
}

/** Special fields of objects that the program allocated are the kernel's alone. */
function checkSpecialFields(env: Env, reg: ReadonlyReg, off: number, size: number): number {
  for (const field of structRecord(env, reg.btf, reg.btfId)?.fields ?? []) {
    if (off >= field.offset + field.size || field.offset >= off + size) continue;
    return refuse(env, KERNEL_MEMORY.specialFieldAccess, field.type);
  }
  return 0;
}

/** The same type: ids count in one numbering where one BTF is the other's base. */
function sameType(btf: Btf, id: number, otherBtf: Btf, otherId: number): boolean {
  if (id !== otherId) return false;
  return btf === otherBtf || ownerOf(btf, id) === ownerOf(otherBtf, otherId);
}
function ownerOf(btf: Btf, id: number): Btf {
  return id < btf.firstId && btf.base !== null ? ownerOf(btf.base, id) : btf;
}

/**
 * Whether a pointer to type `id`, moved by `off`, points to a `needId`: the type itself, or one that begins there inside
 * it (btf_struct_ids_match). `strict`: only the type itself.
 */
export function structIdsMatch(
  env: Env,
  btf: Btf,
  id: number,
  off: number,
  needBtf: Btf,
  needId: number,
  strict: boolean,
  walkFlexArrays: boolean,
): boolean {
  if (off === 0 && sameType(btf, id, needBtf, needId)) return true;
  if (strict) return false;
  const out = new Walked();
  out.btfId = id;
  while (walk(env, btf, out.btfId, off, 1, out, walkFlexArrays) === WALK_STRUCT) {
    if (sameType(btf, out.btfId, needBtf, needId)) return true;
    off = 0;
  }
  return false;
}

/**
 * Whether a pointer field of a structure is as safe as its parent: the kernel keeps twins of such structures, named with
 * a suffix, that hold just these fields (btf_nested_type_is_trusted).
 */
export function isSafeField(reg: ReadonlyReg, fieldName: string, pointeeId: number, suffix: string): boolean {
  const btf = reg.btf!;
  const twin = btf.find(btf.typeName(reg.btfId) + suffix, btf.kind(reg.btfId));
  if (twin === 0) return false;
  const count = btf.vlen(twin);
  for (let i = 0; i < count; i++) {
    const type = btf.memberType(twin, i);
    if (btf.kind(type) !== kind.KIND_PTR || btf.memberName(twin, i) !== fieldName) continue;
    if (btf.skipModifiers(btf.sizeOrType(type)) === pointeeId) return true;
  }
  return false;
}
