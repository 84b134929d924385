/** The value a relocation has for a spec: an offset, a size, a shift, an id … (bpf_core_calc_relo). */
import * as kind from '../btf/kinds.js';
import { isEnum, typeSize } from '../btf/layout.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import * as relocation from './relocation.js';
import type { Spec } from './spec.js';

const E2BIG = -7;
const EINVAL = -22;
const EOPNOTSUPP = -95;

/** What becomes of an instruction. Values are unsigned 64-bit. */
export interface Resolution {
  /** The value the compiler put there, and what it has to be in the target. */
  readonly original: bigint;
  readonly value: bigint;
  /** The target has no such thing: the instruction must not be reached. */
  readonly poison: boolean;
  /** Whether the instruction must hold the original value. */
  readonly validate: boolean;
  /** Sizes in bytes of the field in both, where a load's or store's size may follow them; else 0. */
  readonly originalSize: number;
  readonly size: number;
  /** The sizes differ in a way that a load cannot follow. */
  readonly sizeMismatch: boolean;
}

/** One side's value, or why there is none: 'poison', or a negative errno. */
interface Value {
  readonly value: bigint;
  readonly fieldSize: number;
  readonly typeId: number;
  readonly validate: boolean;
}
type Answer = Value | 'poison' | number;

/** Resolves a relocation of the program's spec against the target's (null: not found), or answers a negative errno. */
export function calculate(local: Spec, target: Spec | null, order: ByteOrder): Resolution | number {
  const original = valueOf(local.kind, local, order);
  if (typeof original === 'number') return original;
  const value = valueOf(local.kind, target, order);
  if (typeof value === 'number') return value;
  if (original === 'poison' || value === 'poison') {
    const known = original === 'poison' ? 0n : original.value;
    return { original: known, value: 0n, poison: true, validate: true, originalSize: 0, size: 0, sizeMismatch: false };
  }
  const sizesDiffer = original.fieldSize !== value.fieldSize;
  return {
    original: original.value,
    value: value.value,
    poison: false,
    validate: original.validate,
    originalSize: original.fieldSize,
    size: value.fieldSize,
    sizeMismatch: sizesDiffer && target !== null && !sizesInterchange(local, original.typeId, target, value.typeId),
  };
}

/** A load may change its size between pointers, and between unsigned integers. */
function sizesInterchange(local: Spec, localId: number, target: Spec, targetId: number): boolean {
  const k = local.btf.kind(localId);
  if (k !== target.btf.kind(targetId)) return false;
  if (k === kind.KIND_PTR) return true;
  if (k !== kind.KIND_INT) return false;
  const { INT_SIGNED } = kind;
  return local.btf.intEncoding(localId) !== INT_SIGNED && target.btf.intEncoding(targetId) !== INT_SIGNED;
}

function valueOf(relocationKind: number, spec: Spec | null, order: ByteOrder): Answer {
  if (relocation.isFieldBased(relocationKind)) return fieldValue(relocationKind, spec, order);
  if (relocation.isTypeBased(relocationKind)) return typeValue(relocationKind, spec);
  return relocation.isEnumBased(relocationKind) ? enumValue(relocationKind, spec) : EOPNOTSUPP;
}

function plain(value: number | bigint, validate = true): Value {
  return { value: BigInt.asUintN(64, BigInt(value)), fieldSize: 0, typeId: 0, validate };
}

function typeValue(relocationKind: number, spec: Spec | null): Answer {
  if (spec === null) return plain(0);
  switch (relocationKind) {
    case relocation.TYPE_ID_TARGET:
      return plain(spec.rootId, false);
    case relocation.TYPE_EXISTS:
    case relocation.TYPE_MATCHES:
      return plain(1);
    case relocation.TYPE_SIZE: {
      const size = typeSize(spec.btf, spec.rootId);
      return size < 0 ? EINVAL : plain(size);
    }
    default:
      return EOPNOTSUPP;
  }
}

function enumValue(relocationKind: number, spec: Spec | null): Answer {
  if (relocationKind === relocation.ENUMVAL_EXISTS) return plain(spec === null ? 0 : 1);
  if (spec === null) return 'poison';
  const { typeId, index } = spec.accessors[0]!;
  const lo = spec.btf.enumValueLo(typeId, index);
  if (spec.btf.kind(typeId) === kind.KIND_ENUM) return plain(lo); // sign-extended, whatever the enumeration's sign
  return plain((BigInt(spec.btf.enumValueHi(typeId, index)) << 32n) | BigInt(lo >>> 0));
}

function fieldValue(relocationKind: number, spec: Spec | null, order: ByteOrder): Answer {
  if (relocationKind === relocation.FIELD_EXISTS) return plain(spec === null ? 0 : 1);
  if (spec === null) return 'poison';
  if (spec.accessors.at(-1)!.name === null) return elementValue(relocationKind, spec);
  return memberValue(relocationKind, spec, order);
}

function elementValue(relocationKind: number, spec: Spec): Answer {
  const { typeId } = spec.accessors.at(-1)!;
  const size = typeSize(spec.btf, typeId);
  if (size < 0) return EINVAL;
  if (relocationKind === relocation.FIELD_BYTE_SIZE) return plain(size);
  if (relocationKind !== relocation.FIELD_BYTE_OFFSET) return EINVAL;
  return { ...plain(Math.floor(spec.bitOffset / 8)), fieldSize: size, typeId };
}

/** Where the integer lies that holds a member: bytes, and the member's own bits. */
interface Storage {
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly isBitfield: boolean;
  readonly typeId: number;
}

function memberValue(relocationKind: number, spec: Spec, order: ByteOrder): Answer {
  const storage = storageOf(spec);
  if (typeof storage === 'number') return storage;
  const { btf } = spec;
  const { typeId, isBitfield, byteOffset, byteSize } = storage;
  switch (relocationKind) {
    case relocation.FIELD_BYTE_OFFSET: {
      const offset = plain(byteOffset, !isBitfield);
      return isBitfield ? offset : { ...offset, fieldSize: byteSize, typeId };
    }
    case relocation.FIELD_BYTE_SIZE:
      return plain(byteSize, !isBitfield);
    case relocation.FIELD_SIGNED: {
      const isSignedInt = btf.kind(typeId) === kind.KIND_INT && (btf.intEncoding(typeId) & kind.INT_SIGNED) !== 0;
      return plain(isSignedInt || (isEnum(btf, typeId) && btf.kindFlag(typeId)) ? 1 : 0);
    }
    case relocation.FIELD_LSHIFT_U64:
      return plain(bitsAboveField(storage, order), !isBitfield);
    default:
      return plain(64 - storage.bitSize);
  }
}

/** How far a field must be shifted left, in a register of 64 bits that its storage was loaded into, for its top bit to be the highest. */
function bitsAboveField({ byteOffset, byteSize, bitOffset, bitSize }: Storage, order: ByteOrder): number {
  return 64 - byteSize * 8 + order.bitsAbove(bitOffset - byteOffset * 8, bitSize, byteSize);
}

function storageOf(spec: Spec): Storage | number {
  const { btf, bitOffset } = spec;
  const { typeId: owner, index } = spec.accessors.at(-1)!;
  const typeId = btf.skipModifiers(btf.memberType(owner, index));
  const bitSize = btf.memberBitfieldSize(owner, index);
  if (bitSize === 0) {
    const size = typeSize(btf, typeId);
    if (size < 0) return EINVAL;
    const byteOffset = Math.floor(bitOffset / 8);
    return { byteOffset, byteSize: size, bitOffset, bitSize: size * 8, isBitfield: false, typeId };
  }
  let byteSize = btf.sizeOrType(typeId);
  if (byteSize === 0) return EINVAL;
  // The smallest integer that holds all the bits: bit-fields may straddle their declared type's boundaries.
  let byteOffset = roundDown(bitOffset, byteSize);
  while (bitOffset + bitSize - byteOffset * 8 > byteSize * 8) {
    if (byteSize >= 8) return E2BIG;
    byteSize *= 2;
    byteOffset = roundDown(bitOffset, byteSize);
  }
  return { byteOffset, byteSize, bitOffset, bitSize, isBitfield: true, typeId };
}

function roundDown(bitOffset: number, byteSize: number): number {
  return Math.floor(Math.floor(bitOffset / 8) / byteSize) * byteSize;
}
