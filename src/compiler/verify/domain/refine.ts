/** What a comparison that holds says of its operands' ranges and bits. */
import { JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSGE, JSGT, JSLE, JSLT, X } from '../../isa/opcodes.js';
import type { Reg } from '../state.js';
import { narrowS, narrowS32, narrowU, narrowU32, unbound } from './bounds.js';
import { isScalarConst } from './scalar.js';
import { tnumCopy, tnumIntersect } from './tnum.js';
import { addHi, addLo, I32_MAX, I32_MIN, isPowerOfTwo, subHi, subLo } from './u64.js';

/**
 * Narrows both by `a op b`, of 64 bits or the low 32. `op` may be JSET | X: no bit of b is set in a. The caller syncs.
 * Neither is told twice: where r1 is narrowed first, r2 learns from the narrowed range, as in Linux 6.12.
 */
export function refine(a: Reg, b: Reg, op: number, is32: boolean): void {
  switch (op) {
    case JEQ:
      if (is32) refineEqual32(a, b);
      else refineEqual64(a, b);
      break;
    case JNE:
      withConstant(a, b, is32, excludeEdge);
      break;
    case JSET:
      withConstant(a, b, is32, requireBit);
      break;
    case JSET | X:
      withConstant(a, b, is32, clearBits);
      break;
    case JLE:
      lessU(a, b, 0, is32);
      break;
    case JLT:
      lessU(a, b, 1, is32);
      break;
    case JSLE:
      lessS(a, b, 0, is32);
      break;
    case JSLT:
      lessS(a, b, 1, is32);
      break;
    case JGE:
      lessU(b, a, 0, is32);
      break;
    case JGT:
      lessU(b, a, 1, is32);
      break;
    case JSGE:
      lessS(b, a, 0, is32);
      break;
    case JSGT:
      lessS(b, a, 1, is32);
      break;
    default:
      break;
  }
}

function refineEqual32(a: Reg, b: Reg): void {
  narrowU32(a, b.u32min, b.u32max);
  narrowS32(a, b.s32min, b.s32max);
  b.u32min = a.u32min;
  b.u32max = a.u32max;
  b.s32min = a.s32min;
  b.s32max = a.s32max;
  a.valueLo |= b.valueLo;
  a.maskLo &= b.maskLo;
  a.valueLo &= ~a.maskLo;
  b.valueLo = a.valueLo;
  b.maskLo = a.maskLo;
}

function refineEqual64(a: Reg, b: Reg): void {
  narrowU(a, b.uminHi, b.uminLo, b.umaxHi, b.umaxLo);
  narrowS(a, b.sminHi, b.sminLo, b.smaxHi, b.smaxLo);
  narrowU(b, a.uminHi, a.uminLo, a.umaxHi, a.umaxLo);
  narrowS(b, a.sminHi, a.sminLo, a.smaxHi, a.smaxLo);
  tnumIntersect(a, a, b);
  tnumCopy(b, a);
}

type WithConstant = (r: Reg, hi: number, lo: number, is32: boolean) => void;

/** Applies to the operand that stands against a constant, if either is one. */
function withConstant(a: Reg, b: Reg, is32: boolean, apply: WithConstant): void {
  const constant = isScalarConst(b, is32) ? b : a;
  if (!isScalarConst(constant, is32)) return;
  apply(constant === b ? a : b, is32 ? 0 : constant.valueHi, constant.valueLo, is32);
}

/** A range that ends at the excluded value ends one before it. */
function excludeEdge(r: Reg, hi: number, lo: number, is32: boolean): void {
  if (is32) {
    if (r.u32min === lo) r.u32min = (r.u32min + 1) | 0;
    if (r.u32max === lo) r.u32max = (r.u32max - 1) | 0;
    if (r.s32min === lo) r.s32min = (r.s32min + 1) | 0;
    if (r.s32max === lo) r.s32max = (r.s32max - 1) | 0;
    return;
  }
  const nextHi = addHi(hi, lo, 0, 1);
  const nextLo = addLo(lo, 1);
  const lastHi = subHi(hi, lo, 0, 1);
  const lastLo = subLo(lo, 1);
  if (r.uminHi === hi && r.uminLo === lo) {
    r.uminHi = nextHi;
    r.uminLo = nextLo;
  }
  if (r.umaxHi === hi && r.umaxLo === lo) {
    r.umaxHi = lastHi;
    r.umaxLo = lastLo;
  }
  if (r.sminHi === hi && r.sminLo === lo) {
    r.sminHi = nextHi;
    r.sminLo = nextLo;
  }
  if (r.smaxHi === hi && r.smaxLo === lo) {
    r.smaxHi = lastHi;
    r.smaxLo = lastLo;
  }
}

/** `r & bits` is not zero: only of a single bit one learns which. */
function requireBit(r: Reg, hi: number, lo: number, is32: boolean): void {
  if (!isPowerOfTwo(hi, lo)) return;
  if (!is32) {
    r.valueHi |= hi;
    r.maskHi &= ~hi;
  }
  r.valueLo |= lo;
  r.maskLo &= ~lo;
}

/** `r & bits` is zero. Ranges go first: on a path never taken they might contradict the bits. */
function clearBits(r: Reg, hi: number, lo: number, is32: boolean): void {
  unbound(r);
  if (!is32) {
    r.valueHi &= ~hi;
    r.maskHi &= ~hi;
  }
  r.valueLo &= ~lo;
  r.maskLo &= ~lo;
}

/** Unsigned a + gap ≤ b, gap 0 or 1. */
function lessU(a: Reg, b: Reg, gap: number, is32: boolean): void {
  if (is32) {
    narrowU32(a, 0, (b.u32max - gap) | 0);
    narrowU32(b, (a.u32min + gap) | 0, -1);
    return;
  }
  narrowU(a, 0, 0, subHi(b.umaxHi, b.umaxLo, 0, gap), subLo(b.umaxLo, gap));
  narrowU(b, addHi(a.uminHi, a.uminLo, 0, gap), addLo(a.uminLo, gap), -1, -1);
}

/** Signed a + gap ≤ b. */
function lessS(a: Reg, b: Reg, gap: number, is32: boolean): void {
  if (is32) {
    narrowS32(a, I32_MIN, (b.s32max - gap) | 0);
    narrowS32(b, (a.s32min + gap) | 0, I32_MAX);
    return;
  }
  narrowS(a, I32_MIN, 0, subHi(b.smaxHi, b.smaxLo, 0, gap), subLo(b.smaxLo, gap));
  narrowS(b, addHi(a.sminHi, a.sminLo, 0, gap), addLo(a.sminLo, gap), I32_MAX, -1);
}
