/** Access to values of maps: rights, bounds, special fields, and constants read out of frozen maps. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import type { BtfField } from '../../btf/record.js';
import { FIELD_GRAPH_NODE, FIELD_KPTR, FIELD_KPTR_PERCPU, FIELD_KPTR_REF } from '../../btf/record.js';
import type { ByteOrder } from '../../bytes/byte-order.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_ARRAY } from '../../targets/uapi.js';
import { isConst, isNull, markKnown, markKnownZero, markUnknown } from '../domain/scalar.js';
import { toNumberS, toNumberU } from '../domain/u64.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import type { VerifierMap } from '../map.js';
import { markChainPrecision } from '../prune/precision.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { kptrMatchesType } from '../objects/kptr-type.js';
import { checkRegionAccess } from './region.js';
import { findField, hasField, structRecord } from '../kernel/special-fields.js';
import { inRcuSection } from '../register-types.js';

/** Map flags (include/uapi/linux/bpf.h): what programs may do with its values. */
const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_F_WRONLY_PROG = 1 << 8;

/** Whether the map's flags let programs read, or write, its values. */
export function checkMapRights(env: Env, regno: number, off: number, size: number, write: boolean): number {
  const { spec } = currentRegs(env)[regno]!.map!;
  const readOnly = (spec.flags & BPF_F_RDONLY_PROG) !== 0;
  const writeOnly = !readOnly && (spec.flags & BPF_F_WRONLY_PROG) !== 0;
  if (write ? !readOnly : !writeOnly) return 0;
  return refuse(env, MEMORY.mapRights, write, spec.valueSize, off, size);
}

/** Bounds of the value and its special fields, of which only kptrs may be touched, and only by the program itself. */
export function checkMapAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
  fromHelper: boolean,
): number {
  const reg = currentRegs(env)[regno]!;
  const map = reg.map!;
  const err = checkRegionAccess(env, regno, off, size, map.spec.valueSize, zeroSizeAllowed);
  if (err !== 0) return err;
  for (const field of map.record?.fields ?? []) {
    const least = toNumberS(reg.sminHi, reg.sminLo) + off;
    const end = toNumberU(reg.umaxHi, reg.umaxLo) + off + size;
    if (least >= field.offset + field.size || field.offset >= end) continue;
    const refused = checkFieldAccess(env, field, reg, off, size, fromHelper);
    if (refused !== 0) return refused;
  }
  return 0;
}

/** Of special fields kernel pointers alone are loaded and stored, each as a whole. */
function checkFieldAccess(
  env: Env,
  field: BtfField,
  reg: ReadonlyReg,
  off: number,
  size: number,
  fromHelper: boolean,
): number {
  if ((field.type & FIELD_KPTR) === 0) return refuse(env, MEMORY.fieldAccess, field.type);
  if (fromHelper) return refuse(env, MEMORY.kptrByHelper);
  if (!isConst(reg)) return refuse(env, MEMORY.kptrVariableOffset);
  const at = off + reg.valueLo;
  if (at !== field.offset) return refuse(env, MEMORY.kptrMisaligned, field.offset, at);
  return size === 8 ? 0 : refuse(env, MEMORY.kptrSize);
}

/** A load or store of the program itself; `valueRegno` is the register loaded or stored, -1 none. */
export function checkMapValue(
  env: Env,
  insn: number,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  signExtends: boolean,
): number {
  const err = checkMapRights(env, regno, off, size, write) || checkMapAccess(env, regno, off, size, false, false);
  if (err !== 0) return err;
  const reg = currentRegs(env)[regno]!;
  const map = reg.map!;
  const kptr = isConst(reg) ? findField(map.record, off + reg.valueLo, FIELD_KPTR) : null;
  if (kptr !== null) return accessKptr(env, insn, valueRegno, kptr);
  if (write || valueRegno < 0) return 0;
  const value = ownReg(env, valueRegno);
  if (isConst(reg) && isConstantMap(map)) return readConstant(env, map, off + reg.valueLo, size, value, signExtends);
  markUnknown(value);
  return 0;
}

/** Nobody can change the values any more: neither programs nor, since the map was frozen, user space. */
function isConstantMap(map: VerifierMap): boolean {
  const { type, flags, frozen } = map.spec;
  return frozen && (flags & BPF_F_RDONLY_PROG) !== 0 && (type === BPF_MAP_TYPE_ARRAY || type === BPF_MAP_TYPE_ARENA);
}

function readConstant(env: Env, map: VerifierMap, off: number, size: number, value: Reg, signExtends: boolean): number {
  const { spec } = map;
  if (spec.type !== BPF_MAP_TYPE_ARRAY || spec.maxEntries !== 1) return refuse(env, MEMORY.constantMapValues);
  if (off >= spec.valueSize) return refuse(env, MEMORY.constantOutsideValue);
  const order = env.profile.byteOrder;
  value.type = t.SCALAR_VALUE;
  if (size === 8) {
    const low = order.lowPart(4, 8);
    markKnown(value, readInteger(spec, off + 4 - low, 4, order), readInteger(spec, off + low, 4, order));
    return 0;
  }
  const shift = 32 - size * 8;
  const raw = readInteger(spec, off, size, order) << shift;
  const lo = signExtends ? raw >> shift : raw >>> shift;
  markKnown(value, signExtends ? lo >> 31 : 0, lo | 0);
  return 0;
}

/** An integer of at most 4 bytes of the map's contents, which are zero where nothing was written. */
function readInteger({ contents }: VerifierMap['spec'], off: number, size: number, order: ByteOrder): number {
  let value = 0;
  for (let i = 0; i < size; i++) value |= (contents?.[off + i] ?? 0) << order.bitsBelow(i, 1, size);
  return value;
}

/** Kptr fields: loaded as the pointers they are; stored to only where they hold no reference. */
function accessKptr(env: Env, insn: number, valueRegno: number, field: BtfField): number {
  const opcode = env.insns.opcode(insn);
  const cls = opcode & op.CLASS_MASK;
  if ((opcode & op.MODE_MASK) !== op.MEM) {
    return refuse(env, MEMORY.kptrMode);
  }
  if (cls !== op.LDX && (field.type & (FIELD_KPTR_REF | FIELD_KPTR_PERCPU)) !== 0) {
    return refuse(env, MEMORY.kptrReferenced);
  }
  switch (cls) {
    case op.LDX:
      loadKptr(env, ownReg(env, valueRegno), field);
      return 0;
    case op.STX: {
      const value = currentRegs(env)[valueRegno]!;
      // Only a scalar known to be zero may be stored: it must stay so in states taken for equal.
      if (isNull(value)) return markChainPrecision(env, valueRegno);
      return kptrMatchesType(env, field, value, valueRegno) === 0 ? 0 : -EACCES;
    }
    case op.ST:
      if (env.insns.imm(insn) === 0) return 0;
      return refuse(env, MEMORY.kptrConstant, field.offset);
    default:
      return refuse(env, MEMORY.kptrInstruction);
  }
}

function loadKptr(env: Env, value: Reg, field: BtfField): void {
  markKnownZero(value);
  value.type = t.PTR_TO_BTF_ID | loadedKptrFlags(env, field);
  value.btf = field.btf;
  value.btfId = field.btfId;
  value.id = ++env.idGen;
}

/** Kernel types whose objects outlive an RCU section (rcu_protected_types of Linux 6.12). */
function isRcuProtected(env: Env, field: BtfField): boolean {
  return !field.btf!.isKernel || env.profile.btfIdSet('rcu_protected_types').has(field.btfId);
}

/** A kptr just loaded may be null, and is good for as long as RCU keeps its object, if at all. */
function loadedKptrFlags(env: Env, field: BtfField): number {
  const percpu = field.type === FIELD_KPTR_PERCPU;
  const safe = percpu || (field.type === FIELD_KPTR_REF && isRcuProtected(env, field));
  if (!safe || !inRcuSection(env)) return t.PTR_MAYBE_NULL | t.PTR_UNTRUSTED;
  let flags = t.PTR_MAYBE_NULL | t.MEM_RCU;
  if (percpu) flags |= t.MEM_PERCPU;
  else if (!field.btf!.isKernel) flags |= t.MEM_ALLOC;
  if (!field.btf!.isKernel && hasField(structRecord(env, field.btf, field.btfId), FIELD_GRAPH_NODE))
    flags |= t.NON_OWN_REF;
  return flags;
}
