/** Two-operand arithmetic on what registers hold: scalars here, pointers in pointer-arithmetic.ts. */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import { PTR_TO_ARENA, SCALAR_VALUE } from '../../targets/types.js';
import { pushStack } from '../branch.js';
import { addScalar, mulScalar, subScalar } from '../domain/arithmetic.js';
import { andScalar, orScalar, xorScalar } from '../domain/bitwise.js';
import { syncBounds } from '../domain/bounds.js';
import { zeroExtend32 } from '../domain/extend.js';
import { clearScalarId, isConst, isScalarConst, markKnown, markKnown32, markUnknown } from '../domain/scalar.js';
import * as shift from '../domain/shift.js';
import { currentRegs, immediateOperand, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { E2BIG, EACCES } from '../errno.js';
import { markChainPrecision } from '../prune/precision.js';
import { ADD_CONST } from '../state.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { inheritReg } from '../calls/subprograms/callee-state.js';
import { adjustPointer } from './pointer-arithmetic.js';
import { maskNothing } from './speculation.js';

/** Applies instruction `i`, all operations but MOV, NEG and END, to its destination. */
export function adjustReg(env: Env, i: number): number {
  const { insns } = env;
  const { frame } = env.state;
  const opcode = insns.opcode(i);
  const dst = frame.regs[insns.dst(i)]!;
  const fromReg = (opcode & op.X) !== 0;
  const src = fromReg ? frame.regs[insns.src(i)]! : immediateOperand(env, insns.imm(i));
  if (dst.type === PTR_TO_ARENA || src.type === PTR_TO_ARENA) {
    adjustArenaPointer(env, i);
    return 0;
  }
  if (src.type !== SCALAR_VALUE) {
    if (dst.type !== SCALAR_VALUE) return combinePointers(env, i);
    // scalar += pointer
    const err = markChainPrecision(env, insns.dst(i));
    return err !== 0 ? err : adjustPointer(env, i, src, frame.shareReg(insns.dst(i)));
  }
  if (fromReg && dst.type !== SCALAR_VALUE) {
    // A pointer's offset must be exact.
    const err = markChainPrecision(env, insns.src(i));
    if (err !== 0) return err;
  }
  if (dst.type !== SCALAR_VALUE) return adjustPointer(env, i, dst, src);
  // The operand stays what it is, also where it is the destination.
  return adjustScalar(env, i, src === dst ? frame.shareReg(insns.src(i)) : src);
}

/** Arena pointers are 32 bits wide and take any arithmetic; 64-bit operations become 32-bit ones. */
function adjustArenaPointer(env: Env, i: number): void {
  const { frame } = env.state;
  const dst = env.insns.dst(i);
  if (frame.regs[dst]!.type !== PTR_TO_ARENA) inheritReg(frame, dst, frame, env.insns.src(i));
  frame.ownReg(dst).subregDef = env.insnIdx + 1;
  if ((env.insns.opcode(i) & op.CLASS_MASK) === op.ALU64) env.facts[i]!.needsCast = true;
}

function combinePointers(env: Env, i: number): number {
  const operation = env.insns.opcode(i) & op.OP_MASK;
  if (operation === op.SUB && env.allowPtrLeaks) {
    markUnknown(ownReg(env, env.insns.dst(i)));
    return 0;
  }
  return refuse(env, ARITHMETIC.pointersCombined, env.insns.dst(i), operation);
}

/**
 * After `r += constant`, r stays tied to the registers it equalled, at that distance; after anything else it is on its
 * own. A second constant would not fit: the distance is kept once, and must not make sums overflow.
 */
function relink(env: Env, i: number, dst: Reg, src: ReadonlyReg): void {
  const opcode = env.insns.opcode(i);
  const sameReg = (opcode & op.X) !== 0 && env.insns.src(i) === env.insns.dst(i);
  const adds = (opcode & (op.OP_MASK | op.CLASS_MASK)) === (op.ADD | op.ALU64);
  const near = isScalarConst(src, false) && src.valueHi === 0 && src.valueLo >= 0;
  if (!env.capable || !adds || dst.id === 0 || sameReg || !near || (dst.id & ADD_CONST) !== 0) clearScalarId(dst);
  else {
    dst.id |= ADD_CONST;
    dst.off = src.valueLo;
  }
}

/** dst op= src, both scalars; `src` is not the register that the destination's value is written to. */
function adjustScalar(env: Env, i: number, src: ReadonlyReg): number {
  const opcode = env.insns.opcode(i);
  const operation = opcode & op.OP_MASK;
  const is32 = (opcode & op.CLASS_MASK) !== op.ALU64;
  if (!isTracked(operation, src, is32)) {
    const dst = ownReg(env, env.insns.dst(i));
    markUnknown(dst);
    relink(env, i, dst, src);
    return 0;
  }
  if ((operation === op.ADD || operation === op.SUB) && !maskNothing(env, i)) return -EACCES;
  if ((operation === op.AND || operation === op.OR) && isConst(src)) {
    const err = forkBySign(env, i);
    if (err !== 0) return err;
  }
  const dst = ownReg(env, env.insns.dst(i));
  transfer(operation, is32, dst, src);
  if (is32) zeroExtend32(dst);
  syncBounds(dst);
  relink(env, i, dst, src);
  return 0;
}

/** Shifts are followed by a known count within the width only, divisions not at all. */
function isTracked(operation: number, src: ReadonlyReg, is32: boolean): boolean {
  switch (operation) {
    case op.ADD:
    case op.SUB:
    case op.MUL:
    case op.AND:
    case op.OR:
    case op.XOR:
      return true;
    case op.LSH:
    case op.RSH:
    case op.ARSH:
      return isShiftCount(src, is32);
    default:
      return false;
  }
}
function isShiftCount(src: ReadonlyReg, is32: boolean): boolean {
  const settled = is32
    ? src.maskLo === 0 && src.s32min === src.s32max && src.u32min === src.u32max
    : isConst(src) &&
      src.sminHi === src.smaxHi &&
      src.sminLo === src.smaxLo &&
      src.uminHi === src.umaxHi &&
      src.uminLo === src.umaxLo;
  return settled && src.umaxHi === 0 && src.umaxLo >>> 0 < (is32 ? 32 : 64);
}

function transfer(operation: number, is32: boolean, dst: Reg, src: ReadonlyReg): void {
  const count = is32 ? src.u32min : src.uminLo;
  switch (operation) {
    case op.ADD:
      addScalar(dst, src);
      break;
    case op.SUB:
      subScalar(dst, src);
      break;
    case op.MUL:
      mulScalar(dst, src);
      break;
    case op.AND:
      andScalar(dst, src);
      break;
    case op.OR:
      orScalar(dst, src);
      break;
    case op.XOR:
      xorScalar(dst, src);
      break;
    case op.LSH:
      if (is32) shift.lshScalar32(dst, count);
      else shift.lshScalar64(dst, count);
      break;
    case op.RSH:
      if (is32) shift.rshScalar32(dst, count);
      else shift.rshScalar64(dst, count);
      break;
    default:
      if (is32) shift.arshScalar32(dst, count);
      else shift.arshScalar64(dst, count);
  }
}

/**
 * A mask that compilers make of a condition is 0 or -1: `r s>>= 63; r &= K` is followed as two paths, so that r's two
 * values stay known (6.12.x; the path of 0 is put off and repeats the instruction).
 */
function forkBySign(env: Env, i: number): number {
  const regno = env.insns.dst(i);
  const both = currentRegs(env)[regno]!;
  const is64 = (both.sminHi & both.sminLo) === -1 && (both.smaxHi | both.smaxLo) === 0;
  if (!is64 && !(both.s32min === -1 && both.s32max === 0)) return 0;
  const branch = pushStack(env, env.insnIdx, env.insnIdx, false);
  if (branch === null) return -E2BIG;
  const zero = branch.frame.ownReg(regno);
  const ones = ownReg(env, regno);
  if (is64) {
    markKnown(zero, 0, 0);
    markKnown(ones, -1, -1);
  } else {
    markKnown32(zero, 0);
    markKnown32(ones, -1);
  }
  return 0;
}
