/** Questions about register types that several checks ask (include/linux/bpf_verifier.h, Linux 6.12). */
import * as t from '../targets/types.js';
import type { Env } from './env.js';
import type { ReadonlyReg } from './state.js';

/** Flags that say a pointer may be followed and handed on. */
const TRUSTED_FLAGS = t.MEM_ALLOC | t.PTR_TRUSTED | t.NON_OWN_REF;

export function typeMaybeNull(type: number): boolean {
  return (type & t.PTR_MAYBE_NULL) !== 0;
}
export function isReadOnlyMem(type: number): boolean {
  return (type & t.MEM_RDONLY) !== 0;
}
/** Memory that the program allocated. */
export function isAllocated(type: number): boolean {
  return (type & t.MEM_ALLOC) !== 0;
}
/** An object of the program's own types, still valid (type_is_ptr_alloc_obj). */
export function isAllocatedObject(type: number): boolean {
  return t.baseType(type) === t.PTR_TO_BTF_ID && (type & (t.MEM_ALLOC | t.PTR_UNTRUSTED)) === t.MEM_ALLOC;
}
export function isNonOwningRef(type: number): boolean {
  return isAllocatedObject(type) && (type & t.NON_OWN_REF) !== 0;
}
export function isSocketPointer(type: number): boolean {
  return (
    type === t.PTR_TO_SOCKET ||
    type === t.PTR_TO_SOCK_COMMON ||
    type === t.PTR_TO_TCP_SOCK ||
    type === t.PTR_TO_XDP_SOCK
  );
}
export function isPacketType(type: number): boolean {
  const base = t.baseType(type);
  return base === t.PTR_TO_PACKET || base === t.PTR_TO_PACKET_META;
}

/** Flags other than those that make a pointer trusted. */
export function hasUnsafeModifiers(type: number): boolean {
  return (t.typeFlags(type) & ~TRUSTED_FLAGS) !== 0;
}

/** Base types that stand for a kernel structure even without a BTF id. */
function standsForStructure(base: number): boolean {
  return (
    base === t.PTR_TO_SOCKET ||
    base === t.PTR_TO_SOCK_COMMON ||
    base === t.PTR_TO_TCP_SOCK ||
    base === t.CONST_PTR_TO_MAP
  );
}

/** The pointer is valid for as long as the program may use it: referenced, or trusted by its type. */
export function isTrustedReg(reg: ReadonlyReg): boolean {
  if (reg.refObjId !== 0) return true;
  if (hasUnsafeModifiers(reg.type)) return false;
  return standsForStructure(t.baseType(reg.type)) || (reg.type & TRUSTED_FLAGS) !== 0;
}
export function isRcuReg(reg: ReadonlyReg): boolean {
  return (reg.type & t.MEM_RCU) !== 0;
}

/** The current instruction may sleep. */
export function inSleepable(env: Env): boolean {
  return env.sleepable || env.state.inSleepable;
}

/** Objects protected by RCU stay alive here: an explicit section, a held lock, or a program that cannot sleep. */
export function inRcuSection(env: Env): boolean {
  return env.state.activeRcuLock || env.state.activeLockPtr !== null || !inSleepable(env);
}
