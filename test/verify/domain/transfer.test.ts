import t from 'tap';
import { JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSGE, JSGT, JSLE, JSLT, X } from '../../../src/compiler/isa/opcodes.js';
import { addScalar, mulScalar, subScalar } from '../../../src/compiler/verify/domain/arithmetic.js';
import { andScalar, orScalar, xorScalar } from '../../../src/compiler/verify/domain/bitwise.js';
import { syncBounds } from '../../../src/compiler/verify/domain/bounds.js';
import { branchTaken } from '../../../src/compiler/verify/domain/branch.js';
import { signExtend32, signExtend64, truncate, zeroExtend32 } from '../../../src/compiler/verify/domain/extend.js';
import { refine } from '../../../src/compiler/verify/domain/refine.js';
import * as shift from '../../../src/compiler/verify/domain/shift.js';
import type { Reg } from '../../../src/compiler/verify/state.js';
import { excludes, generator, MASK32, regAround, synced, value } from './random.js';

const ROUNDS = 40_000;

t.test('syncing never loses the value', async (t) => {
  const next = generator(4);
  for (let i = 0; i < ROUNDS; i++) {
    const v = value(next);
    const r = regAround(next, v);
    syncBounds(r);
    const lost = excludes(r, v);
    if (lost !== null) t.fail(`${lost} of ${v.toString(16)} in round ${i}`);
  }
  t.pass();
});

type Transfer = (dst: Reg, src: Reg) => void;
const BINARY: readonly [string, Transfer, (a: bigint, b: bigint) => bigint][] = [
  ['add', addScalar, (a, b) => a + b],
  ['sub', subScalar, (a, b) => a - b],
  ['mul', mulScalar, (a, b) => a * b],
  ['and', andScalar, (a, b) => a & b],
  ['or', orScalar, (a, b) => a | b],
  ['xor', xorScalar, (a, b) => a ^ b],
];

t.test('arithmetic holds the exact result, 64-bit and 32-bit', async (t) => {
  const next = generator(5);
  for (let i = 0; i < ROUNDS; i++) {
    const [a, b] = [value(next), value(next)];
    const [name, apply, exact] = BINARY[next() % BINARY.length]!;
    const dst = synced(next, a);
    apply(dst, synced(next, b));
    const is32 = next() % 2 === 0;
    if (is32) zeroExtend32(dst);
    syncBounds(dst);
    const lost = excludes(dst, BigInt.asUintN(is32 ? 32 : 64, exact(a, b)));
    if (lost !== null) t.fail(`${name}${is32 ? 32 : 64} loses ${lost}: ${a.toString(16)} ${b.toString(16)}`);
  }
  t.pass();
});

t.test('shifts, truncation and extension', async (t) => {
  const next = generator(6);
  const s = (v: bigint, bits: number): bigint => BigInt.asIntN(bits, v);
  const cases: readonly [string, (r: Reg, n: number) => void, (v: bigint, n: number) => bigint, boolean][] = [
    ['lsh64', shift.lshScalar64, (v, n) => v << BigInt(n), false],
    ['rsh64', shift.rshScalar64, (v, n) => v >> BigInt(n), false],
    ['arsh64', shift.arshScalar64, (v, n) => s(v, 64) >> BigInt(n), false],
    ['lsh32', shift.lshScalar32, (v, n) => v << BigInt(n), true],
    ['rsh32', shift.rshScalar32, (v, n) => (v & MASK32) >> BigInt(n), true],
    ['arsh32', shift.arshScalar32, (v, n) => s(v, 32) >> BigInt(n), true],
    ['truncate', (r, n) => truncate(r, 1 << (n % 3)), (v, n) => BigInt.asUintN(8 << (n % 3), v), false],
    ['sext64', (r, n) => signExtend64(r, 1 << (n % 3)), (v, n) => s(v, 8 << (n % 3)), false],
    ['sext32', (r, n) => signExtend32(r, 1 << (n % 2)), (v, n) => s(v, 8 << (n % 2)), true],
  ];
  for (let i = 0; i < ROUNDS; i++) {
    const v = value(next);
    const [name, apply, exact, is32] = cases[next() % cases.length]!;
    const n = next() % (is32 ? 32 : 64);
    const r = synced(next, v);
    apply(r, n);
    if (is32) zeroExtend32(r);
    syncBounds(r);
    const lost = excludes(r, BigInt.asUintN(is32 ? 32 : 64, exact(v, n)));
    if (lost !== null) t.fail(`${name} by ${n} loses ${lost} of ${v.toString(16)}`);
  }
  t.pass();
});

const JUMPS: readonly [number, (a: bigint, b: bigint, bits: number) => boolean][] = [
  [JEQ, (a, b) => a === b],
  [JNE, (a, b) => a !== b],
  [JGT, (a, b) => a > b],
  [JGE, (a, b) => a >= b],
  [JLT, (a, b) => a < b],
  [JLE, (a, b) => a <= b],
  [JSGT, (a, b, n) => BigInt.asIntN(n, a) > BigInt.asIntN(n, b)],
  [JSGE, (a, b, n) => BigInt.asIntN(n, a) >= BigInt.asIntN(n, b)],
  [JSLT, (a, b, n) => BigInt.asIntN(n, a) < BigInt.asIntN(n, b)],
  [JSLE, (a, b, n) => BigInt.asIntN(n, a) <= BigInt.asIntN(n, b)],
  [JSET, (a, b) => (a & b) !== 0n],
];
const NEGATED: Readonly<Record<number, number>> = {
  [JEQ]: JNE,
  [JNE]: JEQ,
  [JGT]: JLE,
  [JGE]: JLT,
  [JLT]: JGE,
  [JLE]: JGT,
  [JSGT]: JSLE,
  [JSGE]: JSLT,
  [JSLT]: JSGE,
  [JSLE]: JSGT,
  [JSET]: JSET | X,
};

t.test('jumps are predicted rightly, and refinement keeps the values that went this way', async (t) => {
  const next = generator(7);
  let predicted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const is32 = next() % 2 === 0;
    const bits = is32 ? 32 : 64;
    const a = value(next);
    const b = next() % 3 === 0 ? a : value(next);
    const [op, holds] = JUMPS[next() % JUMPS.length]!;
    const [x, y] = [synced(next, a), synced(next, b)];
    const taken = holds(BigInt.asUintN(bits, a), BigInt.asUintN(bits, b), bits);
    const said = branchTaken(x, y, op, is32);
    if (said !== -1) {
      predicted++;
      if ((said === 1) !== taken) t.fail(`jump ${op.toString(16)} ${bits}: ${a.toString(16)} ${b.toString(16)}`);
      continue;
    }
    refine(x, y, taken ? op : NEGATED[op]!, is32);
    syncBounds(x);
    syncBounds(y);
    const lost = excludes(x, a) ?? excludes(y, b);
    if (lost !== null) t.fail(`refining ${op.toString(16)} ${bits} loses ${lost}: ${a.toString(16)} ${b.toString(16)}`);
  }
  t.ok(predicted > ROUNDS / 20, 'enough jumps are predicted');
});
