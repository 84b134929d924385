/** Whether a member of a type fits into its struct: the kernel's check_member and check_kflag_member by kind (6.12). */
import * as kind from '../kinds.js';
import { EINVAL, type CheckContext } from './context.js';

/** What resolving has found out: a type with a size behind an id, and that size. */
export interface Sizes {
  /** The sized type behind modifiers and variables, with its size in bytes; null where there is none. */
  sized(id: number): { readonly id: number; readonly size: number } | null;
}

/** A member with its place, bit-field or not. */
interface Member {
  readonly structId: number;
  readonly index: number;
  readonly bitOffset: number;
  readonly bitWidth: number;
  readonly isFlagged: boolean;
}

/** Checks member `i` of a struct whose type has been resolved; 0 or a negative errno. */
export function checkMember(context: CheckContext, sizes: Sizes, structId: number, i: number): number {
  const isFlagged = context.kindFlag(structId);
  const off = context.extra(structId, i * 3 + 2);
  const member: Member = {
    structId,
    index: i,
    bitOffset: isFlagged ? off & 0xffffff : off,
    bitWidth: isFlagged ? off >>> 24 : 0,
    isFlagged,
  };
  return checkByKind(context, sizes, member, context.extra(structId, i * 3 + 1));
}

function checkByKind(context: CheckContext, sizes: Sizes, member: Member, typeId: number): number {
  const { structId, index, bitWidth } = member;
  if (context.isModifier(typeId)) {
    const behind = sizes.sized(typeId);
    if (behind === null) return context.refuseMember(structId, index, 'Invalid member');
    return checkByKind(context, sizes, member, behind.id);
  }
  switch (context.kind(typeId)) {
    case kind.KIND_INT:
      return member.isFlagged ? checkFlaggedInt(context, member, typeId) : checkInt(context, member, typeId);
    case kind.KIND_ENUM:
    case kind.KIND_ENUM64:
      return member.isFlagged ? checkFlaggedEnum(context, member) : checkWhole(context, member, sizes, typeId);
    case kind.KIND_PTR:
    case kind.KIND_ARRAY:
    case kind.KIND_STRUCT:
    case kind.KIND_UNION:
      if (bitWidth !== 0) return context.refuseMember(structId, index, 'Invalid member bitfield_size');
      return checkWhole(context, member, sizes, typeId);
    case kind.KIND_FLOAT:
      if (bitWidth !== 0) return context.refuseMember(structId, index, 'Invalid member bitfield_size');
      return checkFloat(context, member, typeId);
    default:
      context.logType(structId, `Unsupported check_${member.isFlagged ? 'kflag_' : ''}member`, false);
      return EINVAL;
  }
}

/** Whether bits at a place fit into the struct, whole bytes being copied. */
function checkBits(context: CheckContext, member: Member, bitOffset: number, bits: number): number {
  const size = context.sizeOrType(member.structId);
  const copied = bits + (bitOffset & 7);
  if (copied > 128) return context.refuseMember(member.structId, member.index, 'nr_copy_bits exceeds 128');
  const start = Math.floor(bitOffset / 8);
  const fits = size >= start && size - start >= Math.ceil(copied / 8);
  return fits ? 0 : context.refuseMember(member.structId, member.index, 'Member exceeds struct_size');
}

function checkInt(context: CheckContext, member: Member, typeId: number): number {
  const data = context.extra(typeId, 0);
  const bitOffset = member.bitOffset + ((data >>> 16) & 0xff);
  if (bitOffset > 0xffff_ffff) {
    return context.refuseMember(member.structId, member.index, 'bits_offset exceeds U32_MAX');
  }
  return checkBits(context, member, bitOffset, data & 0xff);
}

function checkFlaggedInt(context: CheckContext, member: Member, typeId: number): number {
  const { structId, index, bitOffset, bitWidth } = member;
  if (!context.isRegularInt(typeId)) return context.refuseMember(structId, index, 'Invalid member base type');
  const typeBits = context.extra(typeId, 0) & 0xff;
  if (bitWidth === 0 && (bitOffset & 7) !== 0) return context.refuseMember(structId, index, 'Invalid member offset');
  if (bitWidth > typeBits) return context.refuseMember(structId, index, 'Invalid member bitfield_size');
  return checkBits(context, member, bitOffset, bitWidth || typeBits);
}

function checkFlaggedEnum(context: CheckContext, { structId, index, bitOffset, bitWidth }: Member): number {
  if (bitWidth === 0 && (bitOffset & 7) !== 0) {
    return context.refuseMember(structId, index, 'Member is not byte aligned');
  }
  if (bitWidth > 32) return context.refuseMember(structId, index, 'Invalid member bitfield_size');
  const fits = context.sizeOrType(structId) >= Math.ceil((bitOffset + (bitWidth || 32)) / 8);
  return fits ? 0 : context.refuseMember(structId, index, 'Member exceeds struct_size');
}

/** Members that are never bit-fields. The kernel's subtraction is of 32 bits: the offset has been checked before. */
function checkWhole(context: CheckContext, member: Member, sizes: Sizes, typeId: number): number {
  const { structId, index, bitOffset } = member;
  if ((bitOffset & 7) !== 0) return context.refuseMember(structId, index, 'Member is not byte aligned');
  const left = (context.sizeOrType(structId) - bitOffset / 8) >>> 0;
  const size = sizes.sized(typeId)?.size ?? 0;
  return left < size ? context.refuseMember(structId, index, 'Member exceeds struct_size') : 0;
}

function checkFloat(context: CheckContext, { structId, index, bitOffset }: Member, typeId: number): number {
  const size = context.sizeOrType(typeId);
  if (bitOffset % (Math.min(8, size) * 8) !== 0) {
    return context.refuseMember(structId, index, 'Member is not properly aligned');
  }
  const end = Math.floor(bitOffset / 8) + size;
  return end > context.sizeOrType(structId) ? context.refuseMember(structId, index, 'Member exceeds struct_size') : 0;
}
