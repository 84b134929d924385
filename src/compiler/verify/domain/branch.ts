/** Conditional jumps: whether both ways are open, and what each way tells of the operands. */
import { JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSGE, JSGT, JSLE, JSLT, X } from '../../isa/opcodes.js';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, SCALAR_VALUE } from '../../targets/types.js';
import { regNotNull } from '../arithmetic/nullness.js';
import type { Env } from '../env.js';
import type { ReadonlyReg, Reg } from '../state.js';
import { syncBounds } from './bounds.js';
import { refine } from './refine.js';
import { checkBounds, isScalarConst } from './scalar.js';
import { tnumIsConst, tnumOverlap, tnumSubregOverlap } from './tnum.js';
import { leS, leU, ltS, ltU } from './u64.js';

/** Packet::range of a pointer known to lie at, or behind, the end of the packet (enum in verifier.c, 6.12). */
export const AT_PKT_END = -1;
export const BEYOND_PKT_END = -2;

export const TAKEN = 1;
export const NOT_TAKEN = 0;
export const EITHER = -1;

/** The comparison with its operands swapped: a < b is b > a. */
export function flipped(op: number): number {
  switch (op) {
    case JGE:
      return JLE;
    case JGT:
      return JLT;
    case JLE:
      return JGE;
    case JLT:
      return JGT;
    case JSGE:
      return JSLE;
    case JSGT:
      return JSLT;
    case JSLE:
      return JSGE;
    case JSLT:
      return JSGT;
    default:
      return op; // JEQ, JNE, JSET are symmetric
  }
}

/** The comparison that holds where `op` does not. JSET has none of its own: JSET | X stands for it. */
function negated(op: number): number {
  switch (op) {
    case JEQ:
      return JNE;
    case JNE:
      return JEQ;
    case JSET:
      return JSET | X;
    case JGE:
      return JLT;
    case JGT:
      return JLE;
    case JLE:
      return JGT;
    case JLT:
      return JGE;
    case JSGE:
      return JSLT;
    case JSGT:
      return JSLE;
    case JSLE:
      return JSGT;
    default:
      return JSGE; // JSLT
  }
}

export function isPacketPointer(r: ReadonlyReg): boolean {
  return r.type === PTR_TO_PACKET || r.type === PTR_TO_PACKET_META;
}
export function isPacketPointerOrEnd(r: ReadonlyReg): boolean {
  return isPacketPointer(r) || r.type === PTR_TO_PACKET_END;
}

/**
 * Whether `if r1 op r2` is taken: 1 always, 0 never, -1 as may be. `op` is the jump's operation (JEQ, …); r2 is a
 * known scalar for jumps that compare with an immediate.
 */
export function branchTaken(r1: ReadonlyReg, r2: ReadonlyReg, op: number, is32: boolean): 1 | 0 | -1 {
  if (r1.type === SCALAR_VALUE && r2.type === SCALAR_VALUE) return scalarBranchTaken(r1, r2, op, is32);
  if (!is32 && isPacketPointerOrEnd(r1) && isPacketPointerOrEnd(r2)) return packetBranchTaken(r1, r2, op);
  // The low half of a valid pointer may well be zero.
  if (is32) return EITHER;
  const pointer = isScalarConst(r2, false) ? r1 : r2;
  const constant = pointer === r1 ? r2 : r1;
  if (!isScalarConst(constant, false) || !regNotNull(pointer)) return EITHER;
  if ((constant.valueHi | constant.valueLo) !== 0) return EITHER;
  if (op === JEQ) return NOT_TAKEN;
  return op === JNE ? TAKEN : EITHER;
}

/** A packet pointer already compared with the end. */
function packetBranchTaken(r1: ReadonlyReg, r2: ReadonlyReg, op: number): 1 | 0 | -1 {
  let packet = r1;
  if (r2.type !== PTR_TO_PACKET_END) {
    if (r1.type !== PTR_TO_PACKET_END) return EITHER;
    packet = r2;
    op = flipped(op);
  }
  if (packet.range >= 0) return EITHER;
  if ((op === JLE || op === JGT) && packet.range === BEYOND_PKT_END) return op === JGT ? TAKEN : NOT_TAKEN;
  if ((op === JLT || op === JGE) && (packet.range === BEYOND_PKT_END || packet.range === AT_PKT_END))
    return op === JGE ? TAKEN : NOT_TAKEN;
  return EITHER;
}

function scalarBranchTaken(r1: ReadonlyReg, r2: ReadonlyReg, op: number, is32: boolean): 1 | 0 | -1 {
  switch (op) {
    case JEQ:
      return equal(r1, r2, is32);
    case JNE: {
      const same = equal(r1, r2, is32);
      return same === EITHER ? EITHER : same === TAKEN ? NOT_TAKEN : TAKEN;
    }
    case JSET:
      return anyBitSet(r1, r2, is32);
    case JLT:
    case JLE:
    case JGT:
    case JGE:
      return is32 ? orderedU32(r1, r2, op) : orderedU64(r1, r2, op);
    default:
      return is32 ? orderedS32(r1, r2, op) : orderedS64(r1, r2, op);
  }
}

function apart32(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return (
    a.u32min >>> 0 > b.u32max >>> 0 || a.u32max >>> 0 < b.u32min >>> 0 || a.s32min > b.s32max || a.s32max < b.s32min
  );
}
function apart64(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return (
    ltU(b.umaxHi, b.umaxLo, a.uminHi, a.uminLo) ||
    ltU(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo) ||
    ltS(b.smaxHi, b.smaxLo, a.sminHi, a.sminLo) ||
    ltS(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo)
  );
}

/** Known bits decide where both are constants; else bits that differ, or ranges that do not meet, say "never". */
function equal(a: ReadonlyReg, b: ReadonlyReg, is32: boolean): 1 | 0 | -1 {
  if (is32) {
    if ((a.maskLo | b.maskLo) === 0) return a.valueLo === b.valueLo ? TAKEN : NOT_TAKEN;
    return !tnumSubregOverlap(a, b) || apart32(a, b) ? NOT_TAKEN : EITHER;
  }
  if (tnumIsConst(a) && tnumIsConst(b)) return a.valueHi === b.valueHi && a.valueLo === b.valueLo ? TAKEN : NOT_TAKEN;
  return !tnumOverlap(a, b) || apart64(a, b) || apart32(a, b) ? NOT_TAKEN : EITHER;
}

function anyBitSet(a: ReadonlyReg, b: ReadonlyReg, is32: boolean): 1 | 0 | -1 {
  const constant = isScalarConst(b, is32) ? b : a;
  if (!isScalarConst(constant, is32)) return EITHER;
  const other = constant === b ? a : b;
  const hi = is32 ? 0 : constant.valueHi;
  const lo = constant.valueLo;
  if (((other.valueHi & hi) | (other.valueLo & lo)) !== 0) return TAKEN;
  const possible = ((other.valueHi | other.maskHi) & hi) | ((other.valueLo | other.maskLo) & lo);
  return possible === 0 ? NOT_TAKEN : EITHER;
}

function orderedU64(a: ReadonlyReg, b: ReadonlyReg, op: number): 1 | 0 | -1 {
  switch (op) {
    case JGT:
      if (ltU(b.umaxHi, b.umaxLo, a.uminHi, a.uminLo)) return TAKEN;
      return leU(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo) ? NOT_TAKEN : EITHER;
    case JLT:
      if (ltU(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo)) return TAKEN;
      return leU(b.umaxHi, b.umaxLo, a.uminHi, a.uminLo) ? NOT_TAKEN : EITHER;
    case JGE:
      if (leU(b.umaxHi, b.umaxLo, a.uminHi, a.uminLo)) return TAKEN;
      return ltU(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo) ? NOT_TAKEN : EITHER;
    default:
      if (leU(a.umaxHi, a.umaxLo, b.uminHi, b.uminLo)) return TAKEN;
      return ltU(b.umaxHi, b.umaxLo, a.uminHi, a.uminLo) ? NOT_TAKEN : EITHER;
  }
}

function orderedS64(a: ReadonlyReg, b: ReadonlyReg, op: number): 1 | 0 | -1 {
  switch (op) {
    case JSGT:
      if (ltS(b.smaxHi, b.smaxLo, a.sminHi, a.sminLo)) return TAKEN;
      return leS(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo) ? NOT_TAKEN : EITHER;
    case JSLT:
      if (ltS(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo)) return TAKEN;
      return leS(b.smaxHi, b.smaxLo, a.sminHi, a.sminLo) ? NOT_TAKEN : EITHER;
    case JSGE:
      if (leS(b.smaxHi, b.smaxLo, a.sminHi, a.sminLo)) return TAKEN;
      return ltS(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo) ? NOT_TAKEN : EITHER;
    default:
      if (leS(a.smaxHi, a.smaxLo, b.sminHi, b.sminLo)) return TAKEN;
      return ltS(b.smaxHi, b.smaxLo, a.sminHi, a.sminLo) ? NOT_TAKEN : EITHER;
  }
}

function orderedU32(a: ReadonlyReg, b: ReadonlyReg, op: number): 1 | 0 | -1 {
  return ordered(a.u32min >>> 0, a.u32max >>> 0, b.u32min >>> 0, b.u32max >>> 0, op);
}
function orderedS32(a: ReadonlyReg, b: ReadonlyReg, op: number): 1 | 0 | -1 {
  return ordered(a.s32min, a.s32max, b.s32min, b.s32max, op);
}
function ordered(amin: number, amax: number, bmin: number, bmax: number, op: number): 1 | 0 | -1 {
  switch (op) {
    case JGT:
    case JSGT:
      if (amin > bmax) return TAKEN;
      return amax <= bmin ? NOT_TAKEN : EITHER;
    case JLT:
    case JSLT:
      if (amax < bmin) return TAKEN;
      return amin >= bmax ? NOT_TAKEN : EITHER;
    case JGE:
    case JSGE:
      if (amin >= bmax) return TAKEN;
      return amax < bmin ? NOT_TAKEN : EITHER;
    default:
      if (amax <= bmin) return TAKEN;
      return amin > bmax ? NOT_TAKEN : EITHER;
  }
}

/**
 * Narrows both operands of `if r1 op r2` on both ways. The two pairs must be four different registers. Nothing is
 * learnt of pointers. Answers 0, or -EFAULT (checkBounds).
 */
export function refineBranch(
  env: Env,
  true1: Reg,
  true2: Reg,
  false1: Reg,
  false2: Reg,
  op: number,
  is32: boolean,
): number {
  if (false1.type !== SCALAR_VALUE || false2.type !== SCALAR_VALUE) return 0;
  refine(false1, false2, negated(op), is32);
  syncBounds(false1);
  syncBounds(false2);
  refine(true1, true2, op, is32);
  syncBounds(true1);
  syncBounds(true2);
  return (
    checkBounds(env, true1, 'true_reg1') ||
    checkBounds(env, true2, 'true_reg2') ||
    checkBounds(env, false1, 'false_reg1') ||
    checkBounds(env, false2, 'false_reg2')
  );
}
