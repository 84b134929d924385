/** Branches: on the condition code, on a comparison, on a count, to subroutines; and instructions that run others. */
import { compare, compareLogical, type Operation, type Width } from './operations.js';
import type { Operands } from './operands.js';
import type { Cpu, Instruction, Table } from './table.js';

const MASK64 = (1n << 64n) - 1n;

/** Compares without touching the condition code; whether the relation is one of the mask's. */
function relates(cpu: Cpu, f: Operation, a: bigint, b: bigint, width: Width, mask: number): boolean {
  const before = cpu.cc;
  f(cpu, a, b, width);
  const holds = cpu.holds(mask);
  cpu.cc = before;
  return holds;
}

/** Two registers, or a register and an immediate, and a near target (RIE) or one in a register (RRS, RIS). */
const registers =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) => {
    if (relates(cpu, f, cpu.r[o.a]!, cpu.r[o.b]!, w, o.m)) cpu.jump(o.near);
  };
const immediate =
  (f: Operation, w: Width, isSigned: boolean): Instruction =>
  (cpu, o) => {
    if (relates(cpu, f, cpu.r[o.a]!, BigInt(isSigned ? o.i8 : o.u8), w, o.b)) cpu.jump(o.near);
  };
const registersTo =
  (f: Operation, w: Width): Instruction =>
  (cpu, o) => {
    if (relates(cpu, f, cpu.r[o.a]!, cpu.r[o.b]!, w, o.m)) cpu.jump(cpu.address(o.n0, 0, o.d1));
  };
const immediateTo =
  (f: Operation, w: Width, isSigned: boolean): Instruction =>
  (cpu, o) => {
    if (relates(cpu, f, cpu.r[o.a]!, BigInt(isSigned ? o.i8 : o.u8), w, o.b)) cpu.jump(cpu.address(o.n0, 0, o.d1));
  };

/** Counts a register down; branches unless it is zero then. */
function count(cpu: Cpu, register: number, width: Width, target: bigint): void {
  const left = BigInt.asUintN(width, cpu.r[register]! - 1n);
  cpu.set(register, left, width);
  if (left !== 0n) cpu.jump(target);
}

function callTo(cpu: Cpu, o: Operands, target: bigint | null): void {
  cpu.r[o.a] = o.next;
  if (target !== null) cpu.jump(target);
}

/** Runs the instruction at an address with the low byte of a register in its second byte. */
function executeAt(cpu: Cpu, o: Operands, address: bigint): void {
  const bits = o.a === 0 ? 0 : Number(cpu.r[o.a]! & 0xffn);
  cpu.execute(cpu.fetch(address).executed(bits, o.next));
}

/** A trap that is taken is a kernel's bug: such functions have none. */
const trap =
  (isTaken: (cpu: Cpu, o: Operands) => boolean): Instruction =>
  (cpu, o) => {
    if (isTaken(cpu, o)) throw new Error(`the kernel's function traps: ${o.text}`);
  };

export const BRANCHES: Table = [
  [0x07, (cpu, o) => o.b !== 0 && cpu.holds(o.a) && cpu.jump(cpu.r[o.b]!)],
  [0x47, (cpu, o) => cpu.holds(o.a) && cpu.jump(cpu.address(o.n0, o.b, o.d1))],
  [0xa74, (cpu, o) => cpu.holds(o.a) && cpu.jump(o.near)],
  [0xc04, (cpu, o) => cpu.holds(o.a) && cpu.jump(o.far)],
  [0x0d, (cpu, o) => callTo(cpu, o, o.b === 0 ? null : cpu.r[o.b]!)],
  [0xa75, (cpu, o) => callTo(cpu, o, o.near)],
  [0xc05, (cpu, o) => callTo(cpu, o, o.far)],
  [0xa76, (cpu, o) => count(cpu, o.a, 32, o.near)],
  [0xa77, (cpu, o) => count(cpu, o.a, 64, o.near)],
  [0x44, (cpu, o) => executeAt(cpu, o, cpu.address(o.n0, o.b, o.d1))],
  [0xc60, (cpu, o) => executeAt(cpu, o, o.far)],

  [0xec76, registers(compare, 32)],
  [0xec64, registers(compare, 64)],
  [0xec77, registers(compareLogical, 32)],
  [0xec65, registers(compareLogical, 64)],
  [0xec7e, immediate(compare, 32, true)],
  [0xec7c, immediate(compare, 64, true)],
  [0xec7f, immediate(compareLogical, 32, false)],
  [0xec7d, immediate(compareLogical, 64, false)],
  [0xecf6, registersTo(compare, 32)],
  [0xece4, registersTo(compare, 64)],
  [0xecf7, registersTo(compareLogical, 32)],
  [0xece5, registersTo(compareLogical, 64)],
  [0xecfe, immediateTo(compare, 32, true)],
  [0xecfc, immediateTo(compare, 64, true)],
  [0xecff, immediateTo(compareLogical, 32, false)],
  [0xecfd, immediateTo(compareLogical, 64, false)],

  [0xec70, trap((cpu, o) => relates(cpu, compare, cpu.r[o.a]!, BigInt(o.i16), 64, o.m))],
  [0xec71, trap((cpu, o) => relates(cpu, compareLogical, cpu.r[o.a]!, BigInt(o.u16), 64, o.m))],
  [0xec72, trap((cpu, o) => relates(cpu, compare, cpu.r[o.a]!, BigInt(o.i16), 32, o.m))],
  [0xec73, trap((cpu, o) => relates(cpu, compareLogical, cpu.r[o.a]!, BigInt(o.u16), 32, o.m))],

  // Loads, stores and moves on a condition.
  [0xb9f2, (cpu, o) => cpu.holds(o.n0) && cpu.set(o.n2, cpu.r[o.n3]!, 32)],
  [0xb9e2, (cpu, o) => cpu.holds(o.n0) && cpu.set(o.n2, cpu.r[o.n3]!, 64)],
  [0xec42, (cpu, o) => cpu.holds(o.b) && cpu.set(o.a, BigInt(o.i16) & MASK64, 32)],
  [0xec46, (cpu, o) => cpu.holds(o.b) && cpu.set(o.a, BigInt(o.i16) & MASK64, 64)],
  [0xebf2, (cpu, o) => cpu.holds(o.b) && cpu.set(o.a, cpu.load(cpu.address(o.n0, 0, o.long), 4), 32)],
  [0xebe2, (cpu, o) => cpu.holds(o.b) && cpu.set(o.a, cpu.load(cpu.address(o.n0, 0, o.long), 8), 64)],
  [0xebf3, (cpu, o) => cpu.holds(o.b) && cpu.store(cpu.address(o.n0, 0, o.long), 4, cpu.r[o.a]!)],
  [0xebe3, (cpu, o) => cpu.holds(o.b) && cpu.store(cpu.address(o.n0, 0, o.long), 8, cpu.r[o.a]!)],
];
