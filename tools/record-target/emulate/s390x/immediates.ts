/** Immediates of a half or a quarter of a register: insert, load, and, or, exclusive or, test. */
import { testUnderMask } from './operations.js';
import type { Cpu, Instruction, Table } from './table.js';

const MASK64 = (1n << 64n) - 1n;

/** Lowest bits of the quarters, highest first, as the opcodes count them. */
const QUARTERS = [48n, 32n, 16n, 0n];

const insert = (at: bigint, bits: bigint, value: bigint, cpu: Cpu, register: number): void => {
  const mask = ((1n << bits) - 1n) << at;
  cpu.r[register] = (cpu.r[register]! & ~mask & MASK64) | (value << at);
};

/** The code tells of the part alone; the rest of the register stays. */
const combine = (
  at: bigint,
  bits: bigint,
  f: (a: bigint, b: bigint) => bigint,
  value: bigint,
  cpu: Cpu,
  r: number,
): void => {
  const part = (cpu.r[r]! >> at) & ((1n << bits) - 1n);
  const result = f(part, value);
  insert(at, bits, result, cpu, r);
  cpu.cc = result === 0n ? 0 : 1;
};

const and = (a: bigint, b: bigint): bigint => a & b;
const or = (a: bigint, b: bigint): bigint => a | b;
const xor = (a: bigint, b: bigint): bigint => a ^ b;

/** 16-bit immediates: four opcodes, one a quarter. */
const quarters = (first: number, run: (at: bigint) => Instruction): Table =>
  QUARTERS.map((at, i) => [first + i, run(at)] as const);
/** Quarters as the test instructions count them: low half first. */
const TESTED = [16n, 0n, 48n, 32n];

const wide = (value: number): bigint => BigInt(value >>> 0);

export const IMMEDIATES: Table = [
  ...quarters(0xa50, (at) => (cpu, o) => insert(at, 16n, BigInt(o.u16), cpu, o.a)),
  ...quarters(0xa54, (at) => (cpu, o) => combine(at, 16n, and, BigInt(o.u16), cpu, o.a)),
  ...quarters(0xa58, (at) => (cpu, o) => combine(at, 16n, or, BigInt(o.u16), cpu, o.a)),
  ...quarters(0xa5c, (at) => (cpu, o) => (cpu.r[o.a] = BigInt(o.u16) << at)),
  ...TESTED.map(
    (at, i) => [0xa70 + i, (cpu, o) => (cpu.cc = testUnderMask(cpu.r[o.a]!, BigInt(o.u16) << at))] as Table[number],
  ),
  [0xc08, (cpu, o) => insert(32n, 32n, wide(o.i32), cpu, o.a)],
  [0xc09, (cpu, o) => insert(0n, 32n, wide(o.i32), cpu, o.a)],
  [0xc0a, (cpu, o) => combine(32n, 32n, and, wide(o.i32), cpu, o.a)],
  [0xc0b, (cpu, o) => combine(0n, 32n, and, wide(o.i32), cpu, o.a)],
  [0xc0c, (cpu, o) => combine(32n, 32n, or, wide(o.i32), cpu, o.a)],
  [0xc0d, (cpu, o) => combine(0n, 32n, or, wide(o.i32), cpu, o.a)],
  [0xc06, (cpu, o) => combine(32n, 32n, xor, wide(o.i32), cpu, o.a)],
  [0xc07, (cpu, o) => combine(0n, 32n, xor, wide(o.i32), cpu, o.a)],
  [0xc0e, (cpu, o) => (cpu.r[o.a] = wide(o.i32) << 32n)],
  [0xc0f, (cpu, o) => (cpu.r[o.a] = wide(o.i32))],
];
