/**
 * Sizes and layouts of types. All arithmetic is checked: a size is at most 2^32 - 1, as in the kernel, whatever arrays of
 * arrays claim; -1 stands for "has no size" (void, functions, forward declarations, cycles, too large).
 */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';

const U32_MAX = 0xffff_ffff;
/** The kernel follows at most this many references (MAX_RESOLVE_DEPTH, kernel/bpf/btf.c). */
export const MAX_RESOLVE_DEPTH = 32;
/** Every target is a 64-bit kernel. */
export const POINTER_BYTES = 8;

/** Size in bytes of a value of that type, or -1. */
export function typeSize(btf: Btf, id: number): number {
  let elements = 1;
  for (let depth = 0; depth < MAX_RESOLVE_DEPTH; depth++) {
    switch (btf.kind(id)) {
      case kind.KIND_INT:
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
      case kind.KIND_FLOAT:
      case kind.KIND_DATASEC:
        return multiply(elements, btf.sizeOrType(id));
      case kind.KIND_PTR:
        return multiply(elements, POINTER_BYTES);
      case kind.KIND_TYPEDEF:
      case kind.KIND_VOLATILE:
      case kind.KIND_CONST:
      case kind.KIND_RESTRICT:
      case kind.KIND_VAR:
      case kind.KIND_DECL_TAG:
      case kind.KIND_TYPE_TAG:
        id = btf.sizeOrType(id);
        break;
      case kind.KIND_ARRAY:
        elements = multiply(elements, btf.arrayCount(id));
        if (elements < 0) return -1;
        id = btf.arrayElem(id);
        break;
      default:
        return -1;
    }
  }
  return -1;
}

function multiply(a: number, b: number): number {
  const product = a * b; // at most 2^64: inexact only where it is far too large anyhow
  return product > U32_MAX ? -1 : product;
}

/** A type resolved for its size, as the kernel's btf_resolve_size does: array dimensions folded into one. */
export interface ResolvedSize {
  /** Size of the whole, in bytes. */
  readonly size: number;
  /** The type that remains when arrays and modifiers are taken off. */
  readonly elementId: number;
  /** Elements of all dimensions together; 1 where it is no array. */
  readonly count: number;
  /** The type behind the modifiers in front: the array itself, where it is one. */
  readonly id: number;
}

/** Resolves a type to a sized one (int, enum, float, struct, union, pointer, or arrays of them), or null. */
export function resolveSize(btf: Btf, id: number): ResolvedSize | null {
  let count = 1;
  let arrayId = 0;
  for (let depth = 0; depth < MAX_RESOLVE_DEPTH; depth++) {
    switch (btf.kind(id)) {
      case kind.KIND_ARRAY:
        arrayId ||= id;
        count = multiply(count, btf.arrayCount(id));
        if (count < 0) return null;
        id = btf.arrayElem(id);
        break;
      case kind.KIND_TYPEDEF:
      case kind.KIND_VOLATILE:
      case kind.KIND_CONST:
      case kind.KIND_RESTRICT:
      case kind.KIND_TYPE_TAG:
        id = btf.sizeOrType(id);
        break;
      default:
        return sized(btf, id, count, arrayId);
    }
  }
  return null;
}

function sized(btf: Btf, id: number, count: number, arrayId: number): ResolvedSize | null {
  switch (btf.kind(id)) {
    case kind.KIND_INT:
    case kind.KIND_STRUCT:
    case kind.KIND_UNION:
    case kind.KIND_ENUM:
    case kind.KIND_ENUM64:
    case kind.KIND_FLOAT:
    case kind.KIND_PTR: {
      const size = multiply(count, btf.kind(id) === kind.KIND_PTR ? POINTER_BYTES : btf.sizeOrType(id));
      return size < 0 ? null : { size, elementId: id, count, id: arrayId || id };
    }
    default:
      return null;
  }
}

/** Alignment in bytes as libbpf computes it (btf__align_of), or 0 where the type has none. */
export function typeAlignment(btf: Btf, id: number, depth = 0): number {
  if (depth > MAX_RESOLVE_DEPTH) return 0;
  switch (btf.kind(id)) {
    case kind.KIND_INT:
    case kind.KIND_ENUM:
    case kind.KIND_ENUM64:
    case kind.KIND_FLOAT:
      return Math.min(POINTER_BYTES, btf.sizeOrType(id));
    case kind.KIND_PTR:
      return POINTER_BYTES;
    case kind.KIND_TYPEDEF:
    case kind.KIND_VOLATILE:
    case kind.KIND_CONST:
    case kind.KIND_RESTRICT:
    case kind.KIND_TYPE_TAG:
      return typeAlignment(btf, btf.sizeOrType(id), depth + 1);
    case kind.KIND_ARRAY:
      return typeAlignment(btf, btf.arrayElem(id), depth + 1);
    default:
      return 0;
  }
}

export function isStructOrUnion(btf: Btf, id: number): boolean {
  const k = btf.kind(id);
  return k === kind.KIND_STRUCT || k === kind.KIND_UNION;
}

export function isEnum(btf: Btf, id: number): boolean {
  const k = btf.kind(id);
  return k === kind.KIND_ENUM || k === kind.KIND_ENUM64;
}

/** Index of the member of that name, or -1. */
export function memberIndex(btf: Btf, id: number, name: string): number {
  const count = btf.vlen(id);
  for (let i = 0; i < count; i++) if (btf.nameEquals(btf.memberNameOff(id, i), name)) return i;
  return -1;
}

/** The function prototype behind a FUNC, a pointer to a function, or modifiers of these; 0 where there is none. */
export function functionPrototype(btf: Btf, id: number): number {
  let target = btf.skipModifiers(id);
  if (btf.kind(target) === kind.KIND_PTR) target = btf.skipModifiers(btf.sizeOrType(target));
  if (btf.kind(target) === kind.KIND_FUNC) target = btf.sizeOrType(target);
  return btf.kind(target) === kind.KIND_FUNC_PROTO ? target : 0;
}
