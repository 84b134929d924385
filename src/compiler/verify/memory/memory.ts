/** Loads and stores: what the address points to decides which rules apply. */
import { MEMORY } from '../refusals/memory.js';
import { CALLS } from '../refusals/calls.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { signExtend64, truncate } from '../domain/extend.js';
import { markUnknown } from '../domain/scalar.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';
import type { MemoryAccess } from './access.js';
import { checkPointerAlignment } from './alignment.js';
import { checkBtfAccess, checkMapPointerAccess } from './btf-access.js';
import { checkBufferAccess, checkFlowKeys, checkSocketAccess, checkTracepointBuffer } from './buffer-access.js';
import { checkContextAccess } from './context-access.js';
import { checkMapValue } from './map-access.js';
import { checkPacketAccess, mayAccessPacketData } from './packet-access.js';
import { checkLeak } from './pointer-leak.js';
import { savePointerType } from './pointer-type.js';
import { checkRegArg, checkRegBounds } from '../registers.js';
import { checkRegionAccess } from './region.js';
import { checkStackBounds } from './stack-bounds.js';
import { checkStackRead } from './stack-read.js';
import { checkStackWrite } from './stack-write.js';
import { isPacketType, isReadOnlyMem, isSocketPointer, typeMaybeNull } from '../register-types.js';

type Access = Readonly<MemoryAccess>;

/**
 * Checks a load or store of `size` bytes. A load into `valueRegno` leaves what it may have read there; -1 loads into, or
 * stores from, no register.
 */
export function checkMemAccess(
  env: Env,
  insn: number,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  strictOnce: boolean,
  signExtends: boolean,
): number {
  const regs = currentRegs(env);
  const reg = regs[regno]!;
  let err = checkPointerAlignment(env, reg, off, size, strictOnce);
  if (err !== 0) return err;
  const { access } = env;
  access.insn = insn;
  access.regno = regno;
  access.off = off + reg.off;
  access.size = size;
  access.write = write;
  access.valueRegno = valueRegno;
  access.signExtends = signExtends;
  err = dispatch(env, reg, access);
  if (err !== 0 || write || valueRegno < 0 || size === 8) return err;
  if (regs[valueRegno]!.type === t.SCALAR_VALUE) {
    const value = ownReg(env, valueRegno);
    if (signExtends) signExtend64(value, size);
    else truncate(value, size);
  }
  return 0;
}

/** `off` of the access includes the register's fixed offset from here on. */
function dispatch(env: Env, reg: ReadonlyReg, a: Access): number {
  const { insn, regno, off, size, write, valueRegno } = a;
  const { type } = reg;
  switch (type) {
    case t.PTR_TO_STACK:
      return accessStack(env, a);
    case t.PTR_TO_MAP_VALUE:
      return leak(env, a, 'map') || checkMapValue(env, insn, regno, off, size, write, valueRegno, a.signExtends);
    case t.PTR_TO_CTX:
      return leak(env, a, 'ctx') || checkContextAccess(env, insn, regno, off, size, write, valueRegno, a.signExtends);
    case t.PTR_TO_MAP_KEY:
      return accessMapKey(env, reg, a);
    case t.PTR_TO_FLOW_KEYS:
      return leak(env, a, 'flow keys') || checkFlowKeys(env, off, size) || loadScalar(env, a);
    case t.PTR_TO_TP_BUFFER:
      return checkTracepointBuffer(env, regno, off, size) || loadScalar(env, a);
    case t.CONST_PTR_TO_MAP:
      return checkMapPointerAccess(env, regno, off, size, write, valueRegno);
    case t.PTR_TO_ARENA:
      return loadScalar(env, a);
    default:
      break;
  }
  if (isPacketType(type)) return accessPacket(env, a);
  if (isSocketPointer(type)) {
    if (write) return readOnly(env, regno, type);
    return checkSocketAccess(env, insn, regno, off, size) || loadScalar(env, a);
  }
  const base = t.baseType(type);
  if (!typeMaybeNull(type)) {
    if (base === t.PTR_TO_MEM) return accessMem(env, reg, a);
    if (base === t.PTR_TO_BTF_ID) return checkBtfAccess(env, regno, off, size, write, valueRegno);
    if (base === t.PTR_TO_BUF) {
      if (write && isReadOnlyMem(type)) return readOnly(env, regno, type);
      return checkBufferAccess(env, regno, off, size) || loadScalar(env, a);
    }
  }
  return refuse(env, MEMORY.notMemory, regno, type);
}

function leak(env: Env, a: Access, place: string): number {
  return a.write ? checkLeak(env, a.valueRegno, place) : 0;
}

function readOnly(env: Env, regno: number, type: number): number {
  return refuse(env, CALLS.writesReadOnly, regno, type);
}

/** What was loaded is an unknown scalar; stores change no register. Answers 0. */
function loadScalar(env: Env, a: Access): number {
  if (!a.write && a.valueRegno >= 0) markUnknown(ownReg(env, a.valueRegno));
  return 0;
}

function accessStack(env: Env, a: Access): number {
  const { insn, regno, off, size, valueRegno } = a;
  const err = checkStackBounds(env, regno, off, size, a.write ? 'write' : 'read');
  if (err !== 0) return err;
  if (a.write) return checkStackWrite(env, regno, off, size, valueRegno, insn);
  return checkStackRead(env, regno, off, size, valueRegno);
}

function accessMapKey(env: Env, reg: ReadonlyReg, a: Access): number {
  if (a.write) {
    return refuse(env, MEMORY.mapKeyReadOnly, a.regno);
  }
  return checkRegionAccess(env, a.regno, a.off, a.size, reg.map!.spec.keySize, false) || loadScalar(env, a);
}

function accessMem(env: Env, reg: ReadonlyReg, a: Access): number {
  if (a.write && isReadOnlyMem(reg.type)) return readOnly(env, a.regno, reg.type);
  return (
    leak(env, a, 'mem') || checkRegionAccess(env, a.regno, a.off, a.size, reg.memSize, false) || loadScalar(env, a)
  );
}

function accessPacket(env: Env, a: Access): number {
  if (a.write && !mayAccessPacketData(env, null, true)) {
    return refuse(env, MEMORY.packetReadOnly);
  }
  return leak(env, a, 'packet') || checkPacketAccess(env, a.regno, a.off, a.size, false) || loadScalar(env, a);
}

/** Instruction `i`, LDX with mode MEM or MEMSX. */
export function checkLoad(env: Env, i: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const src = insns.src(i);
  const dst = insns.dst(i);
  let err = checkRegArg(env, src, 'src') || checkRegArg(env, dst, 'dst-no-mark');
  if (err !== 0) return err;
  const { type } = currentRegs(env)[src]!;
  const signExtends = (opcode & op.MODE_MASK) === op.MEMSX;
  err =
    checkMemAccess(env, i, src, insns.off(i), op.accessBytes(opcode), false, dst, false, signExtends) ||
    savePointerType(env, i, type, true);
  return err || checkRegBounds(env, dst, 'ldx');
}

/** Instruction `i`, ST or STX with mode MEM. */
export function checkStore(env: Env, i: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const dst = insns.dst(i);
  const src = (opcode & op.CLASS_MASK) === op.STX ? insns.src(i) : -1;
  const err = (src >= 0 ? checkRegArg(env, src, 'src') : 0) || checkRegArg(env, dst, 'src');
  if (err !== 0) return err;
  const { type } = currentRegs(env)[dst]!;
  if (src < 0 && type === t.PTR_TO_CTX && !env.profile.behaviour.contextConstantStores) {
    return refuse(env, MEMORY.constantStore, dst, type);
  }
  return (
    checkMemAccess(env, i, dst, insns.off(i), op.accessBytes(opcode), true, src, false, false) ||
    savePointerType(env, i, type, false)
  );
}

/** Instruction `i`, STX with mode ATOMIC. */
export function checkAtomic(env: Env, i: number): number {
  const imm = env.insns.imm(i);
  if (!isAtomicOperation(imm)) {
    return refuse(env, MEMORY.atomicOperation, imm);
  }
  const size = op.accessBytes(env.insns.opcode(i));
  if (size < 4) {
    return refuse(env, MEMORY.atomicSize);
  }
  return checkAtomicRegs(env, i, imm) || accessAtomic(env, i, imm, size);
}

function isAtomicOperation(imm: number): boolean {
  switch (imm & ~op.FETCH) {
    case op.ADD:
    case op.AND:
    case op.OR:
    case op.XOR:
      return true;
    default:
      return imm === op.XCHG || imm === op.CMPXCHG;
  }
}

/** Where atomic operations may not be: the kernel rewrites such accesses, or they are no memory at all. */
function refusesAtomics(type: number): boolean {
  return type === t.PTR_TO_CTX || type === t.PTR_TO_FLOW_KEYS || isPacketType(type) || isSocketPointer(type);
}

function checkAtomicRegs(env: Env, i: number, imm: number): number {
  const dst = env.insns.dst(i);
  const err =
    checkRegArg(env, env.insns.src(i), 'src') ||
    checkRegArg(env, dst, 'src') ||
    (imm === op.CMPXCHG ? checkRegArg(env, op.R0, 'src') || checkLeak(env, op.R0, 'mem') : 0) ||
    checkLeak(env, env.insns.src(i), 'mem');
  if (err !== 0) return err;
  const { type } = currentRegs(env)[dst]!;
  if (!refusesAtomics(type)) return 0;
  return refuse(env, MEMORY.atomicTarget, dst, type);
}

/** Memory is read, filled into a register where the operation fetches, and written. */
function accessAtomic(env: Env, i: number, imm: number, size: number): number {
  const { insns } = env;
  const dst = insns.dst(i);
  const off = insns.off(i);
  const fetched = (imm & op.FETCH) === 0 ? -1 : imm === op.CMPXCHG ? op.R0 : insns.src(i);
  const access = (write: boolean, value: number): number =>
    checkMemAccess(env, i, dst, off, size, write, value, true, false);
  return (
    (fetched >= 0 ? checkRegArg(env, fetched, 'dst') : 0) ||
    access(false, -1) ||
    (fetched >= 0 ? access(false, fetched) : 0) ||
    savePointerType(env, i, currentRegs(env)[dst]!.type, false) ||
    access(true, -1)
  );
}
