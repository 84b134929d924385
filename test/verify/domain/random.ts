/** Seeded random 64-bit values that like edges, and registers that are known to hold a given value. */
import { syncBounds, unbound } from '../../../src/compiler/verify/domain/bounds.js';
import { SCALAR_VALUE } from '../../../src/compiler/targets/types.js';
import { Reg } from '../../../src/compiler/verify/state.js';

export const MASK = (1n << 64n) - 1n;
export const MASK32 = 0xffffffffn;

export const hi = (v: bigint): number => Number(BigInt.asIntN(32, v >> 32n));
export const lo = (v: bigint): number => Number(BigInt.asIntN(32, v));
export const u64 = (h: number, l: number): bigint => (BigInt(h >>> 0) << 32n) | BigInt(l >>> 0);
export const s64 = (h: number, l: number): bigint => BigInt.asIntN(64, u64(h, l));

/** mulberry32. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  };
}

const EDGES = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n];

export function value(next: () => number): bigint {
  const raw = (BigInt(next()) << 32n) | BigInt(next());
  switch (next() % 6) {
    case 0:
      return raw;
    case 1:
      return raw & 0xffn;
    case 2:
      return raw >> BigInt(next() % 64);
    case 3:
      return BigInt.asUintN(64, -(raw >> BigInt(next() % 64)));
    case 4:
      return BigInt.asUintN(64, EDGES[next() % EDGES.length]! + BigInt(next() % 5) - 2n);
    default:
      return BigInt.asUintN(64, BigInt.asIntN(32, raw));
  }
}

/** A distance that does not leave [0, room]. */
function upTo(next: () => number, room: bigint): bigint {
  const far = value(next) >> BigInt(next() % 64);
  return far > room ? room : far;
}

const S64_MIN = -(1n << 63n);
const S64_MAX = (1n << 63n) - 1n;

/** A register that may hold `v`: random known bits and ranges around it, not yet synced. */
export function regAround(next: () => number, v: bigint): Reg {
  const r = new Reg();
  r.type = SCALAR_VALUE;
  unbound(r);
  const mask = next() % 3 === 0 ? MASK : next() % 3 === 0 ? 0n : value(next);
  r.maskHi = hi(mask);
  r.maskLo = lo(mask);
  r.valueHi = hi(v & ~mask & MASK);
  r.valueLo = lo(v & ~mask & MASK);
  if (next() % 2 === 0) {
    const min = v - upTo(next, v);
    const max = v + upTo(next, MASK - v);
    [r.uminHi, r.uminLo, r.umaxHi, r.umaxLo] = [hi(min), lo(min), hi(max), lo(max)];
  }
  if (next() % 2 === 0) {
    const s = BigInt.asIntN(64, v);
    const min = s - upTo(next, s - S64_MIN);
    const max = s + upTo(next, S64_MAX - s);
    [r.sminHi, r.sminLo, r.smaxHi, r.smaxLo] = [hi(min), lo(min), hi(max), lo(max)];
  }
  if (next() % 2 === 0) {
    const w = v & MASK32;
    r.u32min = lo(w - upTo(next, w));
    r.u32max = lo(w + upTo(next, MASK32 - w));
  }
  if (next() % 2 === 0) {
    const w = BigInt.asIntN(32, v);
    r.s32min = lo(w - upTo(next, w + 0x80000000n));
    r.s32max = lo(w + upTo(next, 0x7fffffffn - w));
  }
  return r;
}

export function synced(next: () => number, v: bigint): Reg {
  const r = regAround(next, v);
  syncBounds(r);
  return r;
}

/** Whether the register may hold `v`; the description that excludes it otherwise. */
export function excludes(r: Reg, v: bigint): string | null {
  const s = BigInt.asIntN(64, v);
  const w = v & MASK32;
  const sw = BigInt.asIntN(32, v);
  if (((v ^ u64(r.valueHi, r.valueLo)) & ~u64(r.maskHi, r.maskLo) & MASK) !== 0n) return 'bits';
  if (v < u64(r.uminHi, r.uminLo) || v > u64(r.umaxHi, r.umaxLo)) return 'u64';
  if (s < s64(r.sminHi, r.sminLo) || s > s64(r.smaxHi, r.smaxLo)) return 's64';
  if (w < BigInt(r.u32min >>> 0) || w > BigInt(r.u32max >>> 0)) return 'u32';
  if (sw < BigInt(r.s32min) || sw > BigInt(r.s32max)) return 's32';
  return null;
}
