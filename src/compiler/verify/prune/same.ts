/** Field-by-field comparisons of registers. Cheap and likely differences come first. */
import type { ReadonlyReg } from '../state.js';

/** Type, fixed offset and what a pointer points to: all that stands before the value in a register. */
export function sameKind(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return (
    a.type === b.type &&
    a.off === b.off &&
    a.range === b.range &&
    a.map === b.map &&
    a.mapUid === b.mapUid &&
    a.btf === b.btf &&
    a.btfId === b.btfId &&
    a.memSize === b.memSize &&
    a.dynptrId === b.dynptrId &&
    a.dynptrType === b.dynptrType &&
    a.dynptrFirst === b.dynptrFirst &&
    a.iterState === b.iterState &&
    a.iterDepth === b.iterDepth &&
    a.subprog === b.subprog
  );
}

/** Known bits and all bounds. */
export function sameBounds(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return (
    a.valueLo === b.valueLo &&
    a.valueHi === b.valueHi &&
    a.maskLo === b.maskLo &&
    a.maskHi === b.maskHi &&
    a.sminLo === b.sminLo &&
    a.sminHi === b.sminHi &&
    a.smaxLo === b.smaxLo &&
    a.smaxHi === b.smaxHi &&
    a.uminLo === b.uminLo &&
    a.uminHi === b.uminHi &&
    a.umaxLo === b.umaxLo &&
    a.umaxHi === b.umaxHi &&
    a.s32min === b.s32min &&
    a.s32max === b.s32max &&
    a.u32min === b.u32min &&
    a.u32max === b.u32max
  );
}

function unsignedAtMost(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 <= bLo >>> 0 : aHi >>> 0 < bHi >>> 0;
}

function signedAtMost(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi === bHi ? aLo >>> 0 <= bLo >>> 0 : aHi < bHi;
}

/** All bounds of `cur` lie within those of `old`. */
export function rangeWithin(old: ReadonlyReg, cur: ReadonlyReg): boolean {
  return (
    unsignedAtMost(old.uminHi, old.uminLo, cur.uminHi, cur.uminLo) &&
    unsignedAtMost(cur.umaxHi, cur.umaxLo, old.umaxHi, old.umaxLo) &&
    signedAtMost(old.sminHi, old.sminLo, cur.sminHi, cur.sminLo) &&
    signedAtMost(cur.smaxHi, cur.smaxLo, old.smaxHi, old.smaxLo) &&
    old.u32min >>> 0 <= cur.u32min >>> 0 &&
    old.u32max >>> 0 >= cur.u32max >>> 0 &&
    old.s32min <= cur.s32min &&
    old.s32max >= cur.s32max
  );
}

/** Every bit known of `old` is known of `cur`, and the same (tnum_in). */
export function tnumWithin(old: ReadonlyReg, cur: ReadonlyReg): boolean {
  if ((cur.maskHi & ~old.maskHi) !== 0 || (cur.maskLo & ~old.maskLo) !== 0) return false;
  return old.valueHi === (cur.valueHi & ~old.maskHi) && old.valueLo === (cur.valueLo & ~old.maskLo);
}
