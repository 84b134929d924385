/**
 * What a processor may do under speculation, for programs of processes without CAP_PERFMON (since Linux 4.20 and 5.8, as
 * of 6.12).
 *
 * Jumps that go one way only are also walked the other way, as speculation might, with operands of any value. Pointers
 * may be moved by a register within their object alone, and the rewrite masks the distance (fixups/masked-arithmetic.ts):
 * one that does not fit becomes 0. The mask is fixed in the code, so every path must need the same one; and the path of a
 * distance cut to 0 is walked, too.
 */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { pushStack } from '../branch.js';
import { isConst, markUnknown } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import { MASK_CONSTANT, MASK_DST, MASK_NEGATIVE, MASK_NOTHING, MASK_SRC } from '../facts.js';
import type { ReadonlyReg } from '../state.js';
import { checkMapAccess } from '../memory/map-access.js';

/** Puts off the way that a jump does not go, where its operands could be anything. False: too many paths. */
export function simulateBranch(env: Env, i: number, target: number): boolean {
  const branch = pushStack(env, target, i, true);
  if (branch === null) return false;
  markUnknown(branch.frame.ownReg(env.insns.dst(i)));
  if ((env.insns.opcode(i) & op.X) !== 0) markUnknown(branch.frame.ownReg(env.insns.src(i)));
  return true;
}

/** Additions and subtractions of registers are masked; immediates are no more than what they are. */
export function isMasked(env: Env, i: number): boolean {
  const opcode = env.insns.opcode(i);
  const operation = opcode & op.OP_MASK;
  return !env.bypassSpecV1 && (opcode & op.X) !== 0 && (operation === op.ADD || operation === op.SUB);
}

/** The mask of a move under way; null where there is none to fix: under speculation paths are walked, no more. */
export interface OpenMask {
  readonly mask: number;
  /** How far the pointer could move before it is moved. */
  readonly limit: number;
  readonly toLeft: boolean;
}

/** The move is refused, and the refusal noted. */
export const REFUSED = 'refused';

function isAddition(env: Env, i: number): boolean {
  return (env.insns.opcode(i) & op.OP_MASK) === op.ADD;
}

/** Before `ptr` moves by `offset`; `isOwn`: the pointer stands in the destination, else in the source. */
export function openMask(
  env: Env,
  i: number,
  ptr: ReadonlyReg,
  offset: ReadonlyReg,
  isOwn: boolean,
): OpenMask | typeof REFUSED | null {
  const { insns } = env;
  const constant = isConst(offset);
  let open: OpenMask | null = null;
  if (!env.state.speculative) {
    const negative = offset.sminHi < 0;
    if (!constant && negative !== offset.smaxHi < 0) {
      refuse(env, ARITHMETIC.mixedSigns, insns.src(i));
      return REFUSED;
    }
    const toLeft = isAddition(env, i) === negative;
    const limit = pointerLimit(env, i, ptr, toLeft);
    if (limit === REFUSED) return REFUSED;
    const mask = (isOwn ? MASK_SRC : MASK_DST) | (negative ? MASK_NEGATIVE : 0) | (constant ? MASK_CONSTANT : 0);
    open = { mask, limit, toLeft };
    // Paths that differ in the distance alone must not be taken for one another.
    if (!constant) env.exploreAluLimits = true;
  }
  if (!constant && pushStack(env, i + 1, i, true) === null) {
    amend(env, ARITHMETIC.notPushed, insns.dst(i));
    return REFUSED;
  }
  return open;
}

/** How far the pointer may move in that direction. */
function pointerLimit(env: Env, i: number, ptr: ReadonlyReg, toLeft: boolean): number | typeof REFUSED {
  const dst = env.insns.dst(i);
  let limit: number;
  let max: number;
  switch (ptr.type) {
    case t.PTR_TO_STACK:
      // The frame pointer itself lies behind the stack: a start for moves to the left.
      max = op.MAX_STACK + (toLeft ? 1 : 0);
      limit = -(ptr.valueLo + ptr.off) >>> 0;
      break;
    case t.PTR_TO_MAP_VALUE:
      max = ptr.map!.spec.valueSize;
      limit = ((toLeft ? ptr.sminLo : ptr.umaxLo) + ptr.off) >>> 0;
      break;
    default:
      refuse(env, ARITHMETIC.unmaskablePointer, dst);
      return REFUSED;
  }
  if (limit < max) return limit;
  refuse(env, ARITHMETIC.beyondPointerBounds, dst, isAddition(env, i));
  return REFUSED;
}

/** After the move: the distance it may have gone is what the mask lets through. False: refused. */
export function closeMask(env: Env, i: number, dst: ReadonlyReg, open: OpenMask): boolean {
  const limit = pointerLimit(env, i, dst, open.toLeft);
  return limit !== REFUSED && fixMask(env, i, open.mask, Math.abs((open.limit - limit) | 0));
}

/** An ADD or SUB of two scalars, which stays as it is: no other path may need a mask there. False: refused. */
export function maskNothing(env: Env, i: number): boolean {
  return !isMasked(env, i) || fixMask(env, i, MASK_NOTHING, 0);
}

function fixMask(env: Env, i: number, mask: number, limit: number): boolean {
  const facts = env.facts[i]!;
  if (facts.mask !== 0 && (facts.mask !== mask || facts.maskLimit !== limit)) {
    refuse(env, ARITHMETIC.masksDiffer, env.insns.dst(i), isAddition(env, i));
    return false;
  }
  facts.mask = mask;
  facts.maskLimit = limit;
  return true;
}

/** A moved pointer stays inside of its object, even where nobody looks behind it. */
export function checkMovedPointer(env: Env, i: number, dst: ReadonlyReg): number {
  const regno = env.insns.dst(i);
  if (dst.type === t.PTR_TO_MAP_VALUE) {
    if (checkMapAccess(env, regno, dst.off, 1, false, true) === 0) return 0;
    amend(env, ARITHMETIC.mapPointerLeavesValue, regno);
    return -EACCES;
  }
  if (dst.type !== t.PTR_TO_STACK) return 0;
  const off = (dst.off + dst.valueLo) | 0;
  if (!isConst(dst)) {
    return refuse(env, ARITHMETIC.stackPointerVaries, regno, dst, off);
  }
  if (off < 0 && off >= -op.MAX_STACK) return 0;
  return refuse(env, ARITHMETIC.stackPointerLeavesStack, regno, off);
}
