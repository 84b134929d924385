/** Shifts, rotations with selected bits, wide products, quotients, and counts of bits. */
import { signCode, type Width } from './operations.js';
import type { Operands } from './operands.js';
import type { Cpu, Instruction, Table } from './table.js';

const MASK64 = (1n << 64n) - 1n;
const MASK32 = (1n << 32n) - 1n;

type Shift = (cpu: Cpu, value: bigint, by: bigint, width: Width) => bigint;
const U = (value: bigint, width: number): bigint => BigInt.asUintN(width, value);
const S = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);

const left: Shift = (_cpu, value, by) => value << by;
const right: Shift = (_cpu, value, by, w) => U(value, w) >> by;
const rotate: Shift = (_cpu, value, by, w) =>
  (U(value, w) << (by % BigInt(w))) | (U(value, w) >> (BigInt(w) - (by % BigInt(w))));
const rightSigned: Shift = (cpu, value, by, w) => {
  const result = S(value, w) >> by;
  cpu.cc = signCode(result);
  return result;
};
/** The sign stays; a bit that is lost unlike it is an overflow. */
const leftSigned: Shift = (cpu, value, by, w) => {
  const exact = S(value, w) << by;
  const sign = S(value, w) < 0n ? 1n << BigInt(w - 1) : 0n;
  const result = S(sign | U(exact, w - 1), w);
  cpu.cc = result === exact ? signCode(result) : 3;
  return result;
};

const amount = (cpu: Cpu, base: number, displacement: number): bigint => cpu.address(base, 0, displacement) & 63n;
const inPlace =
  (f: Shift): Instruction =>
  (cpu, o) =>
    cpu.set(o.a, f(cpu, cpu.r[o.a]!, amount(cpu, o.n0, o.d1), 32), 32);
const into =
  (f: Shift, w: Width): Instruction =>
  (cpu, o) =>
    cpu.set(o.a, f(cpu, cpu.r[o.b]!, amount(cpu, o.n0, o.long), w), w);

/** Bits `first` to `last` of 64, counted from the highest, around the end where `first` is the greater. */
function bitMask(first: number, last: number): bigint {
  const from = MASK64 >> BigInt(first);
  const to = (MASK64 << BigInt(63 - last)) & MASK64;
  return first <= last ? from & to : from | to;
}

function rotated(cpu: Cpu, o: Operands): bigint {
  return rotate(cpu, cpu.r[o.b]!, BigInt(o.u8 & 63), 64) & MASK64;
}

/** Rotates, then inserts the selected bits, among zeros where the immediate's highest bit says so. */
const insertSelected =
  (setsCode: boolean): Instruction =>
  (cpu, o) => {
    const mask = bitMask(o.high & 63, o.low & 63);
    const rest = (o.low & 0x80) !== 0 ? 0n : cpu.r[o.a]! & ~mask;
    cpu.r[o.a] = ((rotated(cpu, o) & mask) | rest) & MASK64;
    if (setsCode) cpu.cc = signCode(S(cpu.r[o.a]!, 64));
  };

/** The same for one half of the register, whose bits are counted from `base`. */
const insertHalf =
  (base: number, half: bigint): Instruction =>
  (cpu, o) => {
    const mask = bitMask(base + (o.high & 31), base + (o.low & 31)) & half;
    const rest = (o.low & 0x80) !== 0 ? cpu.r[o.a]! & ~half : cpu.r[o.a]! & ~mask;
    cpu.r[o.a] = ((rotated(cpu, o) & mask) | rest) & MASK64;
  };

/** Combines the selected bits; only tests them where the immediate says so. */
const combineSelected =
  (f: (a: bigint, b: bigint) => bigint): Instruction =>
  (cpu, o) => {
    const mask = bitMask(o.high & 63, o.low & 63);
    const result = f(cpu.r[o.a]!, rotated(cpu, o)) & mask;
    cpu.cc = result === 0n ? 0 : 1;
    if ((o.high & 0x80) === 0) cpu.r[o.a] = (cpu.r[o.a]! & ~mask & MASK64) | result;
  };

/** The pair of registers from an even one on. */
function setPair(cpu: Cpu, even: number, high: bigint, low: bigint, width: Width): void {
  cpu.set(even, high, width);
  cpu.set(even + 1, low, width);
}
function multiplyWide(cpu: Cpu, even: number, b: bigint, width: Width): void {
  const product = U(cpu.r[even + 1]!, width) * U(b, width);
  setPair(cpu, even, product >> BigInt(width), product, width);
}
function divideUnsigned(cpu: Cpu, even: number, b: bigint, width: Width): void {
  const dividend = (U(cpu.r[even]!, width) << BigInt(width)) | U(cpu.r[even + 1]!, width);
  setPair(cpu, even, dividend % U(b, width), dividend / U(b, width), width);
}
function divideSigned(cpu: Cpu, even: number, b: bigint): void {
  const dividend = S(cpu.r[even + 1]!, 64);
  setPair(cpu, even, dividend % b, dividend / b, 64);
}
const memory = (cpu: Cpu, o: Operands, size: number): bigint => cpu.load(cpu.address(o.n0, o.b, o.long), size);

/** The number of the leftmost one, and the register without it. */
function findLeftmostOne(cpu: Cpu, even: number, value: bigint): void {
  const zeros = value === 0n ? 64 : 64 - value.toString(2).length;
  const rest = value === 0n ? 0n : value & ~(1n << BigInt(63 - zeros));
  setPair(cpu, even, BigInt(zeros), rest, 64);
  cpu.cc = value === 0n ? 0 : 2;
}

export const SHIFTS: Table = [
  [0x89, inPlace(left)], [0x88, inPlace(right)], [0x8a, inPlace(rightSigned)], [0x8b, inPlace(leftSigned)],
  [0xebdf, into(left, 32)], [0xebde, into(right, 32)], [0xebdc, into(rightSigned, 32)], [0xebdd, into(leftSigned, 32)],
  [0xeb0d, into(left, 64)], [0xeb0c, into(right, 64)], [0xeb0a, into(rightSigned, 64)], [0xeb0b, into(leftSigned, 64)],
  [0xeb1c, into(rotate, 64)], [0xeb1d, into(rotate, 32)],
  [0xec55, insertSelected(true)], [0xec59, insertSelected(false)],
  [0xec51, insertHalf(32, MASK32)], [0xec5d, insertHalf(0, MASK32 << 32n)],
  [0xec54, combineSelected((a, b) => a & b)], [0xec56, combineSelected((a, b) => a | b)],
  [0xec57, combineSelected((a, b) => a ^ b)],
  [0xb986, (cpu, o) => multiplyWide(cpu, o.n2, cpu.r[o.n3]!, 64)],
  [0xb996, (cpu, o) => multiplyWide(cpu, o.n2, cpu.r[o.n3]!, 32)],
  [0xe386, (cpu, o) => multiplyWide(cpu, o.a, memory(cpu, o, 8), 64)],
  [0xe396, (cpu, o) => multiplyWide(cpu, o.a, memory(cpu, o, 4), 32)],
  [0xb987, (cpu, o) => divideUnsigned(cpu, o.n2, cpu.r[o.n3]!, 64)],
  [0xb997, (cpu, o) => divideUnsigned(cpu, o.n2, cpu.r[o.n3]!, 32)],
  [0xe387, (cpu, o) => divideUnsigned(cpu, o.a, memory(cpu, o, 8), 64)],
  [0xe397, (cpu, o) => divideUnsigned(cpu, o.a, memory(cpu, o, 4), 32)],
  [0xb90d, (cpu, o) => divideSigned(cpu, o.n2, S(cpu.r[o.n3]!, 64))],
  [0xb91d, (cpu, o) => divideSigned(cpu, o.n2, S(cpu.r[o.n3]!, 32))],
  [0xe30d, (cpu, o) => divideSigned(cpu, o.a, S(memory(cpu, o, 8), 64))],
  [0xe31d, (cpu, o) => divideSigned(cpu, o.a, S(memory(cpu, o, 4), 32))],
  [0xb983, (cpu, o) => findLeftmostOne(cpu, o.n2, cpu.r[o.n3]!)],
]; // prettier-ignore
