/** Pointer plus or minus scalar: constants move the fixed offset, others the variable one. */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { addBoundsS, addBoundsU, subBoundsS, subBoundsU } from '../domain/arithmetic.js';
import { syncBounds, unbound32 } from '../domain/bounds.js';
import { clearPointee, isConst, markUnknown } from '../domain/scalar.js';
import { tnumAdd, tnumSub } from '../domain/tnum.js';
import { I32_MIN, ltS, ltU } from '../domain/u64.js';
import type { Env } from '../env.js';
import { EACCES, EINVAL } from '../errno.js';
import { MAX_VAR_OFF } from '../limits.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { inheritReg } from '../calls/subprograms/callee-state.js';
import { checkMovedPointer, closeMask, isMasked, openMask, REFUSED } from './speculation.js';
import { isPacketType } from '../register-types.js';

/**
 * dst = ptr op offset, where the destination holds the pointer itself or, for `scalar += pointer`, the scalar that is
 * the offset. `offset` must not be an object that the destination owns.
 */
export function adjustPointer(env: Env, i: number, ptr: ReadonlyReg, offset: ReadonlyReg): number {
  const { frame } = env.state;
  const regno = env.insns.dst(i);
  const opcode = env.insns.opcode(i);
  const operation = opcode & op.OP_MASK;
  const known = isConst(offset);
  if (isContradictory(offset, known)) {
    markUnknown(frame.ownReg(regno)); // a path never taken
    return 0;
  }
  if ((opcode & op.CLASS_MASK) !== op.ALU64) {
    // The low half of a pointer means nothing, but a difference may be taken of it.
    if (operation === op.SUB && env.allowPtrLeaks) {
      markUnknown(frame.ownReg(regno));
      return 0;
    }
    return refuse(env, ARITHMETIC.pointerArithmetic32, regno);
  }
  const { type } = ptr;
  const err = checkPointerType(env, i, type, offset, known);
  if (err !== 0) return err;
  const isOwn = frame.regs[regno]! === ptr;
  // `scalar += pointer`: the scalar's register becomes the pointer, wholly, its past included.
  if (!isOwn) inheritReg(frame, regno, frame, env.insns.src(i));
  if (!checkSaneOffset(env, offset, type) || !checkSaneOffset(env, ptr, type)) return -EINVAL;
  const mask = isMasked(env, i) ? openMask(env, i, ptr, offset, isOwn) : null;
  if (mask === REFUSED) return -EACCES;
  const dst = frame.ownReg(regno);
  unbound32(dst);
  const moved = movePointer(env, i, operation, dst, !isOwn, offset, known);
  if (moved !== 0) return moved;
  if (!checkSaneOffset(env, dst, type)) return -EINVAL;
  syncBounds(dst);
  if (!env.bypassSpecV1 && checkMovedPointer(env, i, dst) !== 0) return -EACCES;
  return mask === null || closeMask(env, i, dst, mask) ? 0 : -EACCES;
}

function isContradictory(r: ReadonlyReg, known: boolean): boolean {
  if (known && (r.sminHi !== r.smaxHi || r.sminLo !== r.smaxLo || r.uminHi !== r.umaxHi || r.uminLo !== r.umaxLo))
    return true;
  return ltS(r.smaxHi, r.smaxLo, r.sminHi, r.sminLo) || ltU(r.umaxHi, r.umaxLo, r.uminHi, r.uminLo);
}

/** Which pointers may be moved at all. */
function checkPointerType(env: Env, i: number, type: number, offset: ReadonlyReg, known: boolean): number {
  const dst = env.insns.dst(i);
  if ((type & t.PTR_MAYBE_NULL) !== 0) {
    return refuse(env, ARITHMETIC.arithmeticOnNullable, dst, type);
  }
  const addsZero = known && (offset.sminHi | offset.sminLo) === 0 && (env.insns.opcode(i) & op.OP_MASK) === op.ADD;
  switch (t.baseType(type)) {
    case t.PTR_TO_CTX:
    case t.PTR_TO_MAP_VALUE:
    case t.PTR_TO_MAP_KEY:
    case t.PTR_TO_STACK:
    case t.PTR_TO_PACKET_META:
    case t.PTR_TO_PACKET:
    case t.PTR_TO_TP_BUFFER:
    case t.PTR_TO_BTF_ID:
    case t.PTR_TO_MEM:
    case t.PTR_TO_BUF:
    case t.PTR_TO_FUNC:
    case t.CONST_PTR_TO_DYNPTR:
      return 0;
    case t.PTR_TO_FLOW_KEYS:
      if (known) return 0;
      break;
    case t.CONST_PTR_TO_MAP:
      if (addsZero) return 0;
      break;
    default:
      break;
  }
  return refuse(env, ARITHMETIC.arithmeticOnFixedPointer, dst, type);
}

/** Offsets stay far from overflow (BPF_MAX_VAR_OFF): known, fixed and least one. */
function checkSaneOffset(env: Env, r: ReadonlyReg, type: number): boolean {
  if (isConst(r) && !isSane(r.valueHi, r.valueLo)) refuse(env, ARITHMETIC.movedTooFar, type, r.valueHi, r.valueLo);
  else if (r.off >= MAX_VAR_OFF || r.off <= -MAX_VAR_OFF) refuse(env, ARITHMETIC.offsetTooLarge, type, r.off);
  else if (r.sminHi === I32_MIN && r.sminLo === 0) refuse(env, ARITHMETIC.movedUnbounded, type);
  else if (!isSane(r.sminHi, r.sminLo)) refuse(env, ARITHMETIC.leastTooLow, type, r.sminHi, r.sminLo);
  else return true;
  return false;
}
function isSane(hi: number, lo: number): boolean {
  return hi === lo >> 31 && lo < MAX_VAR_OFF && lo > -MAX_VAR_OFF;
}

function movePointer(
  env: Env,
  i: number,
  operation: number,
  dst: Reg,
  fromScalar: boolean,
  offset: ReadonlyReg,
  known: boolean,
): number {
  const regno = env.insns.dst(i);
  switch (operation) {
    case op.ADD:
      addOffset(env, dst, offset, known);
      return 0;
    case op.SUB:
      if (fromScalar) {
        return refuse(env, ARITHMETIC.scalarMinusPointer, regno);
      }
      if (dst.type === t.PTR_TO_STACK) {
        return refuse(env, ARITHMETIC.stackPointerSubtraction, regno);
      }
      subOffset(env, dst, offset, known);
      return 0;
    case op.AND:
    case op.OR:
    case op.XOR:
      return refuse(env, ARITHMETIC.bitwiseOnPointer, regno, operation);
    default:
      return refuse(env, ARITHMETIC.operatorOnPointer, regno, operation);
  }
}

function addOffset(env: Env, dst: Reg, offset: ReadonlyReg, known: boolean): void {
  if (known) {
    dst.off += offset.sminLo; // both within ±2^29
    return;
  }
  addBoundsS(dst, dst, offset);
  addBoundsU(dst, dst, offset);
  tnumAdd(dst, dst, offset);
  if (isPacketType(dst.type)) newPacketBase(env, dst, true);
}

function subOffset(env: Env, dst: Reg, offset: ReadonlyReg, known: boolean): void {
  if (known) {
    dst.off -= offset.sminLo;
    return;
  }
  subBoundsS(dst, dst, offset);
  subBoundsU(dst, dst, offset);
  tnumSub(dst, dst, offset);
  // What lies behind a pointer moved back for certain is still readable.
  if (isPacketType(dst.type)) newPacketBase(env, dst, offset.sminHi < 0);
}

/** A packet pointer moved by an unknown distance is a base of its own; its range is kept unless it went forward. */
function newPacketBase(env: Env, dst: Reg, forgetRange: boolean): void {
  dst.id = ++env.idGen;
  if (!forgetRange) return;
  const { off } = dst;
  clearPointee(dst);
  dst.off = off;
}
