/** What a register becomes when nothing, or everything, is known of it. */
import { WALK } from '../refusals/walk.js';
import { refuse } from '../refusals/refuse.js';
import { NOT_INIT, SCALAR_VALUE } from '../../targets/types.js';
import type { Env } from '../env.js';
import { ADD_CONST, Reg } from '../state.js';
import type { ReadonlyReg } from '../state.js';
import { boundsText, boundsViolation, setS, setU, syncBounds, unbound } from './bounds.js';
import { tnumConst, tnumIsConst, tnumUnknown } from './tnum.js';
import { fls } from './u64.js';

export { syncBounds };

/** Forgets what a pointer points to: fixed offset, and everything that depends on its kind. */
export function clearPointee(r: Reg): void {
  r.off = 0;
  r.range = 0;
  r.map = null;
  r.mapUid = 0;
  r.btf = null;
  r.btfId = 0;
  r.memSize = 0;
  r.dynptrId = 0;
  r.dynptrType = 0;
  r.dynptrFirst = false;
  r.iterState = 0;
  r.iterDepth = 0;
  r.subprog = 0;
}

/** The value (pointers: the variable part of the offset) is known; the type stays, the pointee and ids go. */
export function markKnown(r: Reg, hi: number, lo: number): void {
  clearPointee(r);
  r.id = 0;
  r.refObjId = 0;
  setKnown(r, hi, lo);
}

/** Sets known bits and all ranges to one value; nothing else changes. */
export function setKnown(r: Reg, hi: number, lo: number): void {
  tnumConst(r, hi, lo);
  setS(r, hi, lo, hi, lo);
  setU(r, hi, lo, hi, lo);
  setKnown32Bounds(r, lo);
}
function setKnown32Bounds(r: Reg, value: number): void {
  r.s32min = value;
  r.s32max = value;
  r.u32min = value;
  r.u32max = value;
}

/** The low half is known; 64-bit ranges stay as they are. */
export function markKnown32(r: Reg, value: number): void {
  r.valueLo = value;
  r.maskLo = 0;
  setKnown32Bounds(r, value);
}

/** A pointer's variable offset becomes zero. */
export function markKnownZero(r: Reg): void {
  markKnown(r, 0, 0);
}

/** The scalar zero. */
export function markConstZero(r: Reg): void {
  markKnown(r, 0, 0);
  r.type = SCALAR_VALUE;
}

/** A scalar of which nothing is known. */
export function markUnknown(r: Reg): void {
  clearPointee(r);
  r.type = SCALAR_VALUE;
  r.id = 0;
  r.refObjId = 0;
  r.frame = 0;
  tnumUnknown(r);
  unbound(r);
}

/** Nothing that may be read. */
export function markNotInit(r: Reg): void {
  markUnknown(r);
  r.type = NOT_INIT;
}

/** A register that may not be read. Shared: it stands wherever nothing is known. */
export const NOT_INIT_REG: ReadonlyReg = notInitReg();

function notInitReg(): Reg {
  const reg = new Reg();
  markNotInit(reg);
  return reg;
}

/** All bits are known. */
export function isConst(r: ReadonlyReg): boolean {
  return tnumIsConst(r);
}
/** A scalar of known value (or, with `is32`, known low half). */
export function isScalarConst(r: ReadonlyReg, is32: boolean): boolean {
  return r.type === SCALAR_VALUE && (is32 ? r.maskLo === 0 : tnumIsConst(r));
}
/** The scalar constant zero, which also is the null pointer. */
export function isNull(r: ReadonlyReg): boolean {
  return r.type === SCALAR_VALUE && (r.maskHi | r.maskLo | r.valueHi | r.valueLo) === 0;
}

/** Bits that the largest value needs. */
export function valueWidth(r: ReadonlyReg): number {
  return fls(r.umaxHi, r.umaxLo);
}

/** The scalar is no longer tied to others. */
export function clearScalarId(r: Reg): void {
  r.id = 0;
  r.off = 0;
}

/** Whether a copy of the register is to be tied to it by an id that it has not yet. Constants need none. */
export function needsScalarId(r: ReadonlyReg): boolean {
  return r.type === SCALAR_VALUE && ((r.id & ADD_CONST) !== 0 || (r.id === 0 && !tnumIsConst(r)));
}

/** Ties a scalar that is about to be copied to its copy, by a common id. */
export function assignScalarId(env: Env, r: Reg): void {
  // A copy of `base + constant` cannot be tied to the base too.
  if ((r.id & ADD_CONST) !== 0) clearScalarId(r);
  if (r.id === 0 && !tnumIsConst(r)) r.id = ++env.idGen;
}

/**
 * Ranges that contradict each other mean a path that is never taken, or a bug: the register's ranges are given up, or,
 * under BPF_F_TEST_REG_INVARIANTS, the program is refused. `context` names the operation in the log.
 */
export function checkBounds(env: Env, r: Reg, context: string): number {
  const violation = boundsViolation(r);
  if (violation === null) return 0;
  env.log.note(() => `REG INVARIANTS VIOLATION (${context}): ${violation} ${boundsText(r)}\n`);
  if (env.testRegInvariants) return refuse(env, WALK.boundsViolation, context);
  unbound(r);
  return 0;
}
