import t from 'tap';
import * as n from '../../../src/compiler/verify/domain/tnum.js';
import type { Tnum } from '../../../src/compiler/verify/domain/tnum.js';
import { generator, hi, lo, MASK, u64, value } from './random.js';

type Binary = (out: Tnum, a: Tnum, b: Tnum) => void;
const make = (v: bigint, mask: bigint): Tnum => n.makeTnum(hi(v & ~mask), lo(v & ~mask), hi(mask), lo(mask));
const contains = (x: Tnum, v: bigint): boolean =>
  ((v ^ u64(x.valueHi, x.valueLo)) & ~u64(x.maskHi, x.maskLo) & MASK) === 0n;
const text = (x: Tnum): string => `${u64(x.valueHi, x.valueLo).toString(16)}/${u64(x.maskHi, x.maskLo).toString(16)}`;

const BINARY: readonly [string, Binary, (a: bigint, b: bigint) => bigint][] = [
  ['add', n.tnumAdd, (a, b) => a + b],
  ['sub', n.tnumSub, (a, b) => a - b],
  ['and', n.tnumAnd, (a, b) => a & b],
  ['or', n.tnumOr, (a, b) => a | b],
  ['xor', n.tnumXor, (a, b) => a ^ b],
  ['mul', n.tnumMul, (a, b) => a * b],
];

/** All tracked numbers of four bits. */
function* small(): Generator<readonly [bigint, bigint]> {
  for (let mask = 0n; mask < 16n; mask++) for (let v = 0n; v < 16n; v++) if ((v & mask) === 0n) yield [v, mask];
}
function members(v: bigint, mask: bigint): bigint[] {
  const all: bigint[] = [];
  for (let i = 0n; i < 16n; i++) if ((i & ~mask) === 0n) all.push(v | i);
  return all;
}

t.test('every pair of four-bit numbers: results hold all sums, differences, products …', async (t) => {
  const out = n.makeTnum();
  for (const [name, apply, exact] of BINARY) {
    for (const [av, am] of small()) {
      for (const [bv, bm] of small()) {
        apply(out, make(av, am), make(bv, bm));
        for (const a of members(av, am))
          for (const b of members(bv, bm))
            if (!contains(out, BigInt.asUintN(64, exact(a, b)))) t.fail(`${name} ${a} ${b} not in ${text(out)}`);
        if ((out.valueHi & out.maskHi) !== 0 || (out.valueLo & out.maskLo) !== 0) t.fail(`${name}: malformed`);
      }
    }
  }
  t.pass();
});

t.test('wide numbers, aliased operands included', async (t) => {
  const next = generator(2);
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = [value(next), value(next)];
    const x = make(a, value(next));
    const y = make(b, value(next));
    for (const [name, apply, exact] of BINARY) {
      const want = BigInt.asUintN(64, exact(a, b));
      const fresh = n.makeTnum();
      apply(fresh, x, y);
      if (!contains(fresh, want)) t.fail(`${name} ${a} ${b} not in ${text(fresh)}`);
      const aliased = { ...x };
      apply(aliased, aliased, y);
      if (text(aliased) !== text(fresh)) t.fail(`${name}: ${text(aliased)} in place, ${text(fresh)} apart`);
    }
    const min = a < b ? a : b;
    const max = a < b ? b : a;
    const range = n.makeTnum();
    n.tnumRange(range, hi(min), lo(min), hi(max), lo(max));
    if (!contains(range, min) || !contains(range, max)) t.fail(`range ${min} ${max}`);
    const expected = { ...x };
    n.tnumIntersect(expected, expected, range);
    const direct = { ...x };
    n.tnumIntersectRange(direct, hi(min), lo(min), hi(max), lo(max));
    if (text(expected) !== text(direct)) t.fail(`intersection ${text(direct)} for ${text(expected)}`);
  }
  t.pass();
});

t.test('shifts and casts', async (t) => {
  const next = generator(3);
  const out = n.makeTnum();
  for (let i = 0; i < 20_000; i++) {
    const a = value(next);
    const x = make(a, value(next));
    const count = next() % 64;
    n.tnumLsh(out, x, count);
    if (!contains(out, BigInt.asUintN(64, a << BigInt(count)))) t.fail(`lsh ${a} ${count}`);
    n.tnumRsh(out, x, count);
    if (!contains(out, a >> BigInt(count))) t.fail(`rsh ${a} ${count}`);
    n.tnumArsh64(out, x, count);
    if (!contains(out, BigInt.asUintN(64, BigInt.asIntN(64, a) >> BigInt(count)))) t.fail(`arsh ${a} ${count}`);
    n.tnumArsh32(out, x, count & 31);
    const low = BigInt.asIntN(32, a) >> BigInt(count & 31);
    if (!contains(out, BigInt.asUintN(32, low))) t.fail(`arsh32 ${a} ${count}`);
    for (const size of [1, 2, 4, 8]) {
      n.tnumCast(out, x, size);
      if (!contains(out, BigInt.asUintN(size * 8, a))) t.fail(`cast ${a} ${size}`);
    }
  }
  t.pass();
});

t.test('text as in the kernel log', async (t) => {
  t.equal(n.tnumText(n.makeTnum(0, 0, 0, 0xff)), '(0x0; 0xff)');
  t.equal(n.tnumText(n.makeTnum(0, 65535, 0, 0)), '65535');
  t.equal(n.tnumText(n.makeTnum(0, 65536, 0, 0)), '0x10000');
  t.equal(n.tnumText(n.makeTnum(-1, -8, 0, 0)), '0xfffffffffffffff8');
  t.equal(n.tnumText(n.makeTnum()), '(0x0; 0xffffffffffffffff)');
});
