/** Memory: addresses, stores, several registers, bytes under masks, memory to memory, and what one processor does at once. */
import * as op from './operations.js';
import type { Operation, Width } from './operations.js';
import type { Operands } from './operands.js';
import type { Cpu, Instruction, Table } from './table.js';

/** Addresses by format: RX, RXY; RS and SI, RSY and SIY (no index). */
const rx = (cpu: Cpu, o: Operands): bigint => cpu.address(o.n0, o.b, o.d1);
const rxy = (cpu: Cpu, o: Operands): bigint => cpu.address(o.n0, o.b, o.long);
const rs = (cpu: Cpu, o: Operands): bigint => cpu.address(o.n0, 0, o.d1);
const rsy = (cpu: Cpu, o: Operands): bigint => cpu.address(o.n0, 0, o.long);
type Place = typeof rx;
const near: Place = (_cpu, o) => o.far;

const store =
  (size: number, place: Place): Instruction =>
  (cpu, o) =>
    cpu.store(place(cpu, o), size, cpu.r[o.a]!);
const storeImmediate =
  (size: number): Instruction =>
  (cpu, o) =>
    cpu.store(rs(cpu, o), size, BigInt(o.last16));

/** Reversed bytes of `size`. */
function reversed(value: bigint, size: number): bigint {
  let result = 0n;
  for (let i = 0; i < size; i++) result |= ((value >> BigInt(8 * i)) & 0xffn) << BigInt(8 * (size - 1 - i));
  return result;
}

/** Every register from `a` to `b`, around the end, with its offset. */
function forRange(o: Operands, size: number, visit: (register: number, offset: bigint) => void): void {
  for (let register = o.a, at = 0n; ; register = (register + 1) & 15, at += BigInt(size)) {
    visit(register, at);
    if (register === o.b) return;
  }
}
const loadMultiple =
  (size: number, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    forRange(o, size, (register, at) => cpu.set(register, cpu.load(address + at, size), size * 8));
  };
const storeMultiple =
  (size: number, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    forRange(o, size, (register, at) => cpu.store(address + at, size, cpu.r[register]!));
  };

/** Lowest bits of the bytes that a mask of four selects, highest first, above `base`. */
const selected = (mask: number, base: number): number[] =>
  [3, 2, 1, 0].filter((i) => (mask >> i) & 1).map((i) => base + 8 * i);
const insertUnderMask =
  (base: number, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    let inserted = 0n;
    const bytes = selected(o.b, base);
    bytes.forEach((bit, i) => {
      const byte = cpu.load(address + BigInt(i), 1);
      inserted = (inserted << 8n) | byte;
      cpu.set(o.a, (cpu.r[o.a]! & ~(0xffn << BigInt(bit))) | (byte << BigInt(bit)), 64);
    });
    cpu.cc = inserted === 0n ? 0 : inserted >> BigInt(8 * bytes.length - 1) === 1n ? 1 : 2;
  };
const storeUnderMask =
  (base: number, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    selected(o.b, base).forEach((bit, i) => cpu.store(address + BigInt(i), 1, cpu.r[o.a]! >> BigInt(bit)));
  };
const compareUnderMask =
  (base: number, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    let [ours, theirs] = [0n, 0n];
    selected(o.b, base).forEach((bit, i) => {
      ours = (ours << 8n) | ((cpu.r[o.a]! >> BigInt(bit)) & 0xffn);
      theirs = (theirs << 8n) | cpu.load(address + BigInt(i), 1);
    });
    cpu.cc = op.signCode(ours - theirs);
  };

/** A byte in memory with an immediate (SI, SIY). */
const byteWith =
  (f: Operation, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    const result = f(cpu, cpu.load(address, 1), BigInt(o.byte), 32);
    if (result !== null) cpu.store(address, 1, result);
  };
const testByte =
  (place: Place): Instruction =>
  (cpu, o) => {
    const code = op.testUnderMask(cpu.load(place(cpu, o), 1), BigInt(o.byte));
    cpu.cc = code === 2 ? 1 : code; // a byte's mixed bits have one code
  };
/** An integer in memory with 16 bits of the instruction (SIL). */
const compareMemory =
  (f: Operation, size: number, w: Width, isSigned: boolean): Instruction =>
  (cpu, o) => {
    f(cpu, cpu.memoryOperand(rs(cpu, o), size, isSigned), BigInt(isSigned ? o.last16 : o.lastU16), w);
  };
const addToMemory =
  (f: Operation, size: 4 | 8): Instruction =>
  (cpu, o) => {
    const address = rsy(cpu, o);
    const value = BigInt((o.byte << 24) >> 24);
    cpu.store(address, size, f(cpu, cpu.load(address, size), value, (8 * size) as Width) ?? 0n);
  };

/** Memory to memory, byte by byte from the left (SS); the length is the second byte and 1. */
const bytes =
  (f: (a: bigint, b: bigint) => bigint): Instruction =>
  (cpu, o) => {
    const [to, from] = [cpu.address(o.n0, 0, o.d1), cpu.address(o.m, 0, o.d2)];
    let any = 0n;
    for (let i = 0n; i <= BigInt(o.byte); i++) {
      const result = f(cpu.load(to + i, 1), cpu.load(from + i, 1));
      any |= result;
      cpu.store(to + i, 1, result);
    }
    cpu.cc = any === 0n ? 0 : 1;
  };
const moveBytes: Instruction = (cpu, o) => {
  const before = cpu.cc;
  bytes((_a, b) => b)(cpu, o);
  cpu.cc = before;
};
const compareBytes: Instruction = (cpu, o) => {
  const [one, other] = [cpu.address(o.n0, 0, o.d1), cpu.address(o.m, 0, o.d2)];
  cpu.cc = 0;
  for (let i = 0n; i <= BigInt(o.byte) && cpu.cc === 0; i++) {
    cpu.cc = op.signCode(cpu.load(one + i, 1) - cpu.load(other + i, 1));
  }
};

/** Loads the old value, and stores what becomes of it. */
const fetchAnd =
  (f: Operation, size: 4 | 8): Instruction =>
  (cpu, o) => {
    const address = rsy(cpu, o);
    const old = cpu.load(address, size);
    cpu.store(address, size, f(cpu, old, cpu.r[o.b]!, (8 * size) as Width) ?? 0n);
    cpu.set(o.a, old, 8 * size);
  };
const compareAndSwap =
  (size: 4 | 8, place: Place): Instruction =>
  (cpu, o) => {
    const address = place(cpu, o);
    const old = cpu.load(address, size);
    const isSame = old === BigInt.asUintN(8 * size, cpu.r[o.a]!);
    if (isSame) cpu.store(address, size, cpu.r[o.b]!);
    else cpu.set(o.a, old, 8 * size);
    cpu.cc = isSame ? 0 : 1;
  };

const insertByte =
  (place: Place): Instruction =>
  (cpu, o) =>
    cpu.set(o.a, (cpu.r[o.a]! & ~0xffn) | cpu.load(place(cpu, o), 1), 64);
const loadReversed =
  (size: number, w: Width): Instruction =>
  (cpu, o) => {
    const kept = size === 2 ? cpu.r[o.a]! & 0xffff_0000n : 0n;
    cpu.set(o.a, kept | reversed(cpu.load(rxy(cpu, o), size), size), w);
  };
const nothing: Instruction = () => undefined;

export const ACCESSES: Table = [
  [0x41, (cpu, o) => cpu.set(o.a, rx(cpu, o), 64)], [0xe371, (cpu, o) => cpu.set(o.a, rxy(cpu, o), 64)],
  [0xc00, (cpu, o) => cpu.set(o.a, o.far, 64)],
  [0x50, store(4, rx)], [0xe350, store(4, rxy)], [0x40, store(2, rx)], [0xe370, store(2, rxy)], [0x42, store(1, rx)],
  [0xe372, store(1, rxy)], [0xe324, store(8, rxy)], [0xc4b, store(8, near)], [0xc4f, store(4, near)],
  [0xc47, store(2, near)], [0xe544, storeImmediate(2)], [0xe548, storeImmediate(8)], [0xe54c, storeImmediate(4)],
  [0x98, loadMultiple(4, rs)], [0xeb98, loadMultiple(4, rsy)], [0xeb04, loadMultiple(8, rsy)],
  [0x90, storeMultiple(4, rs)], [0xeb90, storeMultiple(4, rsy)], [0xeb24, storeMultiple(8, rsy)],
  [0xbf, insertUnderMask(0, rs)], [0xeb81, insertUnderMask(0, rsy)], [0xeb80, insertUnderMask(32, rsy)],
  [0xbe, storeUnderMask(0, rs)], [0xeb2d, storeUnderMask(0, rsy)], [0xeb2c, storeUnderMask(32, rsy)],
  [0xbd, compareUnderMask(0, rs)], [0xeb21, compareUnderMask(0, rsy)], [0xeb20, compareUnderMask(32, rsy)],
  [0x43, insertByte(rx)], [0xe373, insertByte(rxy)],
  [0x92, byteWith(op.move, rs)], [0xeb52, byteWith(op.move, rsy)], [0x94, byteWith(op.and, rs)],
  [0xeb54, byteWith(op.and, rsy)], [0x96, byteWith(op.or, rs)], [0xeb56, byteWith(op.or, rsy)],
  [0x97, byteWith(op.xor, rs)], [0xeb57, byteWith(op.xor, rsy)], [0x95, byteWith(op.compareLogical, rs)],
  [0xeb55, byteWith(op.compareLogical, rsy)], [0x91, testByte(rs)], [0xeb51, testByte(rsy)],
  [0xe554, compareMemory(op.compare, 2, 32, true)], [0xe55c, compareMemory(op.compare, 4, 32, true)],
  [0xe558, compareMemory(op.compare, 8, 64, true)], [0xe555, compareMemory(op.compareLogical, 2, 32, false)],
  [0xe55d, compareMemory(op.compareLogical, 4, 32, false)], [0xe559, compareMemory(op.compareLogical, 8, 64, false)],
  [0xeb6a, addToMemory(op.add, 4)], [0xeb7a, addToMemory(op.add, 8)], [0xeb6e, addToMemory(op.addLogical, 4)],
  [0xeb7e, addToMemory(op.addLogical, 8)],
  [0xd2, moveBytes], [0xd4, bytes((a, b) => a & b)], [0xd6, bytes((a, b) => a | b)], [0xd7, bytes((a, b) => a ^ b)],
  [0xd5, compareBytes],
  [0xebf8, fetchAnd(op.add, 4)], [0xebe8, fetchAnd(op.add, 8)], [0xebfa, fetchAnd(op.addLogical, 4)],
  [0xebea, fetchAnd(op.addLogical, 8)], [0xebf4, fetchAnd(op.and, 4)], [0xebe4, fetchAnd(op.and, 8)],
  [0xebf6, fetchAnd(op.or, 4)], [0xebe6, fetchAnd(op.or, 8)], [0xebf7, fetchAnd(op.xor, 4)],
  [0xebe7, fetchAnd(op.xor, 8)],
  [0xba, compareAndSwap(4, rs)], [0xeb14, compareAndSwap(4, rsy)], [0xeb30, compareAndSwap(8, rsy)],
  [0xe31e, loadReversed(4, 32)], [0xe30f, loadReversed(8, 64)], [0xe31f, loadReversed(2, 32)],
  [0xe33e, (cpu, o) => cpu.store(rxy(cpu, o), 4, reversed(cpu.r[o.a]!, 4))],
  [0xe32f, (cpu, o) => cpu.store(rxy(cpu, o), 8, reversed(cpu.r[o.a]!, 8))],
  [0xe33f, (cpu, o) => cpu.store(rxy(cpu, o), 2, reversed(cpu.r[o.a]!, 2))],
  [0xb91f, (cpu, o) => cpu.set(o.n2, reversed(cpu.r[o.n3]!, 4), 32)],
  [0xb90f, (cpu, o) => cpu.set(o.n2, reversed(cpu.r[o.n3]!, 8), 64)],
  // The condition code in bits 2 and 3 of a register's lower half; nothing of the program mask.
  [0xb222, (cpu, o) => cpu.set(o.n2, (cpu.r[o.n2]! & ~(0xffn << 24n)) | (BigInt(cpu.cc) << 28n), 64)],
  [0xe336, nothing], [0xc62, nothing], // prefetches
]; // prettier-ignore
