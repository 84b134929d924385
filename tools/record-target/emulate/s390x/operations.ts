/** Operations of two integers with their condition codes, for 32 and 64 bits. */
import type { Cpu } from './table.js';

export type Width = 32 | 64;
/** The result, or null where the operation only compares. Operands may be negative or too wide: they are cut here. */
export type Operation = (cpu: Cpu, a: bigint, b: bigint, width: Width) => bigint | null;

/** 0, 1, 2 for zero, less, greater. */
export function signCode(value: bigint): number {
  return value === 0n ? 0 : value < 0n ? 1 : 2;
}

function signed(cpu: Cpu, exact: bigint, width: Width): bigint {
  const value = BigInt.asIntN(width, exact);
  cpu.cc = value === exact ? signCode(value) : 3;
  return value;
}

/** Carry in the code's upper bit, "not zero" in its lower. */
function logical(cpu: Cpu, wide: bigint, width: Width): bigint {
  const value = BigInt.asUintN(width, wide);
  cpu.cc = (wide >> BigInt(width) === 0n ? 0 : 2) | (value === 0n ? 0 : 1);
  return value;
}

function bits(cpu: Cpu, value: bigint): bigint {
  cpu.cc = value === 0n ? 0 : 1;
  return value;
}

const S = (value: bigint, width: Width): bigint => BigInt.asIntN(width, value);
const U = (value: bigint, width: Width): bigint => BigInt.asUintN(width, value);
const carry = (cpu: Cpu): bigint => BigInt(cpu.cc >> 1);

export const add: Operation = (cpu, a, b, w) => signed(cpu, S(a, w) + S(b, w), w);
export const subtract: Operation = (cpu, a, b, w) => signed(cpu, S(a, w) - S(b, w), w);
export const addLogical: Operation = (cpu, a, b, w) => logical(cpu, U(a, w) + U(b, w), w);
export const subtractLogical: Operation = (cpu, a, b, w) => logical(cpu, U(a, w) + U(~b, w) + 1n, w);
export const addWithCarry: Operation = (cpu, a, b, w) => logical(cpu, U(a, w) + U(b, w) + carry(cpu), w);
export const subtractWithBorrow: Operation = (cpu, a, b, w) => logical(cpu, U(a, w) + U(~b, w) + carry(cpu), w);
export const and: Operation = (cpu, a, b, w) => bits(cpu, U(a & b, w));
export const or: Operation = (cpu, a, b, w) => bits(cpu, U(a | b, w));
export const xor: Operation = (cpu, a, b, w) => bits(cpu, U(a ^ b, w));
export const multiply: Operation = (_cpu, a, b) => a * b;
export const move: Operation = (_cpu, _a, b) => b;
export const moveAndTest: Operation = (cpu, _a, b, w) => {
  cpu.cc = signCode(S(b, w));
  return b;
};
export const compare: Operation = (cpu, a, b, w) => {
  cpu.cc = signCode(S(a, w) - S(b, w));
  return null;
};
export const compareLogical: Operation = (cpu, a, b, w) => {
  cpu.cc = signCode(U(a, w) - U(b, w));
  return null;
};
export const negate: Operation = (cpu, _a, b, w) => signed(cpu, -S(b, w), w);
export const positive: Operation = (cpu, _a, b, w) => signed(cpu, S(b, w) < 0n ? -S(b, w) : S(b, w), w);
export const negative: Operation = (cpu, _a, b, w) => signed(cpu, S(b, w) > 0n ? -S(b, w) : S(b, w), w);

/** Codes of bits under a mask (TM): all zero, mixed with the leftmost zero or one, all one. */
export function testUnderMask(value: bigint, mask: bigint): number {
  const selected = value & mask;
  if (selected === 0n) return 0;
  if (selected === mask) return 3;
  const leftmost = 1n << BigInt(mask.toString(2).length - 1);
  return (selected & leftmost) === 0n ? 1 : 2;
}
