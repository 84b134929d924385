/** The kernel's first pass over a program's BTF: each type by itself (btf_check_all_metas, kernel/bpf/btf.c, 6.12). */
import * as kind from '../kinds.js';
import { EINVAL, ENOTSUPP, MAX_TYPE, type CheckContext } from './context.js';

/** Bits of a type's info word that mean something. */
const INFO_MASK = 0x9f00_ffff;
const INT_MASK = 0x0fff_ffff;
const RECORD_WORDS = 3;

/** Finds and checks every type; 0 or a negative errno. */
export function checkMetas(context: CheckContext): number {
  const { words } = context;
  let at = 0;
  context.logTypeId = 1;
  while (at < words.length) {
    const size = checkMeta(context, at);
    if (size < 0) return size;
    if (context.at.length > MAX_TYPE) return context.refuse('Exceeded max num of types', -7);
    at += size;
    context.logTypeId++;
  }
  return 0;
}

/** Answers the words of the type, or a negative errno. */
function checkMeta(context: CheckContext, at: number): number {
  const { words, logTypeId: id } = context;
  const left = (words.length - at) * 4;
  if (left < RECORD_WORDS * 4) return context.refuse(`[${id}] meta_left:${left} meta_needed:12`);
  const info = words[at + 1]!;
  if ((info & ~INFO_MASK) !== 0) return context.refuse(`[${id}] Invalid btf_info:${info.toString(16)}`);
  const k = (info >>> 24) & 0x1f;
  if (k > kind.KIND_MAX || k === kind.KIND_VOID) return context.refuse(`[${id}] Invalid kind:${k}`);
  if (!context.isValidOffset(words[at]!)) return context.refuse(`[${id}] Invalid name_offset:${words[at]}`);
  const needed = kind.extraBytes(k, info & 0xffff);
  context.at.push(at);
  if (left - RECORD_WORDS * 4 < needed) {
    context.logType(id, `meta_left:${left - RECORD_WORDS * 4} meta_needed:${needed}`, false);
    return EINVAL;
  }
  const err = checkKind(context, id, k);
  return err < 0 ? err : RECORD_WORDS + (needed >>> 2);
}

function checkKind(context: CheckContext, id: number, k: number): number {
  switch (k) {
    case kind.KIND_INT:
      return checkInt(context, id);
    case kind.KIND_ARRAY:
      return checkArray(context, id);
    case kind.KIND_STRUCT:
    case kind.KIND_UNION:
      return checkStruct(context, id);
    case kind.KIND_ENUM:
    case kind.KIND_ENUM64:
      return checkEnum(context, id);
    case kind.KIND_FWD:
      return checkForward(context, id);
    case kind.KIND_FUNC:
      return checkFunction(context, id);
    case kind.KIND_FUNC_PROTO:
      return checkPrototype(context, id);
    case kind.KIND_VAR:
      return checkVariable(context, id);
    case kind.KIND_DATASEC:
      return checkSection(context, id);
    case kind.KIND_FLOAT:
      return checkFloat(context, id);
    case kind.KIND_DECL_TAG:
      return checkDeclTag(context, id);
    default:
      return checkReference(context, id);
  }
}

/** Dumps a type that is good by itself. */
function accept(context: CheckContext, id: number): number {
  context.logType(id);
  return 0;
}

/** Most kinds have neither entries nor a flag. */
function checkPlain(context: CheckContext, id: number): number {
  if (context.vlen(id) !== 0) return context.refuseType(id, 'vlen != 0');
  return context.kindFlag(id) ? context.refuseType(id, 'Invalid btf_info kind_flag') : 0;
}

function isNamed(context: CheckContext, off: number): boolean {
  return off !== 0 && context.isIdentifier(off);
}

function checkInt(context: CheckContext, id: number): number {
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  const data = context.extra(id, 0);
  if ((data & ~INT_MASK) !== 0) {
    context.logType(id, `Invalid int_data:${data.toString(16)}`, false);
    return EINVAL;
  }
  const bits = (data & 0xff) + ((data >>> 16) & 0xff);
  if (bits > 128) return context.refuseType(id, 'nr_bits exceeds 128');
  if (Math.ceil(bits / 8) > context.sizeOrType(id)) return context.refuseType(id, 'nr_bits exceeds type_size');
  const encoding = data >>> 24;
  const isKnown = encoding === 0 || [kind.INT_SIGNED, kind.INT_CHAR, kind.INT_BOOL].includes(encoding);
  return isKnown ? accept(context, id) : context.refuseType(id, 'Unsupported encoding', ENOTSUPP);
}

function checkReference(context: CheckContext, id: number): number {
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  if (context.sizeOrType(id) > MAX_TYPE) return context.refuseType(id, 'Invalid type_id');
  const off = context.nameOff(id);
  let isGood = off === 0;
  if (context.kind(id) === kind.KIND_TYPEDEF) isGood = isNamed(context, off);
  else if (context.kind(id) === kind.KIND_TYPE_TAG) isGood = context.firstByte(off) !== 0;
  return isGood ? accept(context, id) : context.refuseType(id, 'Invalid name');
}

function checkForward(context: CheckContext, id: number): number {
  if (context.vlen(id) !== 0) return context.refuseType(id, 'vlen != 0');
  if (context.sizeOrType(id) !== 0) return context.refuseType(id, 'type != 0');
  return isNamed(context, context.nameOff(id)) ? accept(context, id) : context.refuseType(id, 'Invalid name');
}

function checkArray(context: CheckContext, id: number): number {
  if (context.nameOff(id) !== 0) return context.refuseType(id, 'Invalid name');
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  if (context.sizeOrType(id) !== 0) return context.refuseType(id, 'size != 0');
  const isType = (type: number): boolean => type !== 0 && type <= MAX_TYPE;
  if (!isType(context.extra(id, 0))) return context.refuseType(id, 'Invalid elem');
  return isType(context.extra(id, 1)) ? accept(context, id) : context.refuseType(id, 'Invalid index');
}

function checkStruct(context: CheckContext, id: number): number {
  const off = context.nameOff(id);
  if (off !== 0 && !context.isIdentifier(off)) return context.refuseType(id, 'Invalid name');
  context.logType(id);
  let last = 0;
  for (let i = 0; i < context.vlen(id); i++) {
    const offset = bitOffset(context, id, i);
    const complaint = memberComplaint(context, id, i, offset, last);
    if (complaint !== '') return context.refuseMember(id, i, complaint);
    context.logMember(id, i);
    last = offset;
  }
  return 0;
}

/** Bit offset of a member, without the width of a bit-field. */
export function bitOffset(context: CheckContext, id: number, i: number): number {
  const off = context.extra(id, i * 3 + 2);
  return context.kindFlag(id) ? off & 0xffffff : off;
}

function memberComplaint(context: CheckContext, id: number, i: number, offset: number, last: number): string {
  const name = context.extra(id, i * 3);
  const type = context.extra(id, i * 3 + 1);
  if (!context.isValidOffset(name)) return `Invalid member name_offset:${name}`;
  if (name !== 0 && !context.isIdentifier(name)) return 'Invalid name';
  if (type === 0 || type > MAX_TYPE) return 'Invalid type_id';
  const isUnion = context.kind(id) === kind.KIND_UNION;
  if ((isUnion && offset !== 0) || last > offset) return 'Invalid member bits_offset';
  return Math.ceil(offset / 8) > context.sizeOrType(id) ? 'Member bits_offset exceeds its struct size' : '';
}

function checkEnum(context: CheckContext, id: number): number {
  const size = context.sizeOrType(id);
  if (![1, 2, 4, 8].includes(size)) return context.refuseType(id, 'Unexpected size');
  const off = context.nameOff(id);
  if (off !== 0 && !context.isIdentifier(off)) return context.refuseType(id, 'Invalid name');
  context.logType(id);
  const stride = context.kind(id) === kind.KIND_ENUM64 ? 3 : 2;
  for (let i = 0; i < context.vlen(id); i++) {
    const name = context.extra(id, i * stride);
    if (!context.isValidOffset(name)) return context.refuse(`\tInvalid name_offset:${name}`);
    if (!isNamed(context, name)) return context.refuseType(id, 'Invalid name');
    context.log?.push(`\t${context.name(name)} val=${enumerator(context, id, i, stride)}\n`);
  }
  return 0;
}

function enumerator(context: CheckContext, id: number, i: number, stride: number): string {
  const lo = context.extra(id, i * stride + 1);
  const isSigned = context.kindFlag(id);
  if (stride === 2) return String(isSigned ? lo | 0 : lo);
  const value = (BigInt(context.extra(id, i * stride + 2)) << 32n) | BigInt(lo);
  return String(isSigned ? BigInt.asIntN(64, value) : value);
}

function checkFunction(context: CheckContext, id: number): number {
  if (!isNamed(context, context.nameOff(id))) return context.refuseType(id, 'Invalid name');
  if (context.vlen(id) > kind.LINKAGE_GLOBAL) return context.refuseType(id, 'Invalid func linkage');
  if (context.kindFlag(id)) return context.refuseType(id, 'Invalid btf_info kind_flag');
  return accept(context, id);
}

function checkPrototype(context: CheckContext, id: number): number {
  if (context.nameOff(id) !== 0) return context.refuseType(id, 'Invalid name');
  if (context.kindFlag(id)) return context.refuseType(id, 'Invalid btf_info kind_flag');
  return accept(context, id);
}

function checkVariable(context: CheckContext, id: number): number {
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  if (!isNamed(context, context.nameOff(id))) return context.refuseType(id, 'Invalid name');
  const type = context.sizeOrType(id);
  if (type === 0 || type > MAX_TYPE) return context.refuseType(id, 'Invalid type_id');
  const linkage = context.extra(id, 0);
  const isAllocated = linkage === kind.LINKAGE_STATIC || linkage === kind.LINKAGE_GLOBAL;
  return isAllocated ? accept(context, id) : context.refuseType(id, 'Linkage not supported');
}

function checkSection(context: CheckContext, id: number): number {
  const size = context.sizeOrType(id);
  if (size === 0) return context.refuseType(id, 'size == 0');
  if (context.kindFlag(id)) return context.refuseType(id, 'Invalid btf_info kind_flag');
  const off = context.nameOff(id);
  if (off === 0 || !context.isSectionName(off)) return context.refuseType(id, 'Invalid name');
  context.logType(id);
  let end = 0;
  for (let i = 0; i < context.vlen(id); i++) {
    const complaint = variableComplaint(context, id, i, size, end);
    if (complaint !== '') return context.refuseVariable(id, i, complaint);
    end = context.extra(id, i * 3 + 1) + context.extra(id, i * 3 + 2);
    context.logVariable(id, i);
  }
  return 0;
}

function variableComplaint(context: CheckContext, id: number, i: number, size: number, lastEnd: number): string {
  const [type, offset, bytes] = [0, 1, 2].map((k) => context.extra(id, i * 3 + k)) as [number, number, number];
  if (type === 0 || type > MAX_TYPE) return 'Invalid type_id';
  if (offset < lastEnd || offset >= size) return 'Invalid offset';
  if (bytes === 0 || bytes > size) return 'Invalid size';
  return offset + bytes > size ? 'Invalid offset+size' : '';
}

function checkFloat(context: CheckContext, id: number): number {
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  const isKnown = [2, 4, 8, 12, 16].includes(context.sizeOrType(id));
  return isKnown ? accept(context, id) : context.refuseType(id, 'Invalid type_size');
}

function checkDeclTag(context: CheckContext, id: number): number {
  if (context.firstByte(context.nameOff(id)) === 0) return context.refuseType(id, 'Invalid value');
  const plain = checkPlain(context, id);
  if (plain < 0) return plain;
  return (context.extra(id, 0) | 0) < -1 ? context.refuseType(id, 'Invalid component_idx') : accept(context, id);
}
