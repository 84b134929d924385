/**
 * Every encoder with operands at the edges of its forms, and the instruction that it is to make, as capstone and (behind pseudo prefixes in
 * braces, which choose a form) GNU as write it. `assemble.ts` has GNU as write what they must come out as.
 */
import type { CodeBuffer } from '../../../src/compiler/jit/x86_64/code-buffer.js';
import * as a from '../../../src/compiler/jit/x86_64/encode/arithmetic.js';
import * as at from '../../../src/compiler/jit/x86_64/encode/atomic.js';
import { countCall } from '../../../src/compiler/jit/x86_64/encode/call-depth.js';
import * as c from '../../../src/compiler/jit/x86_64/encode/control.js';
import * as mem from '../../../src/compiler/jit/x86_64/encode/memory.js';
import * as m from '../../../src/compiler/jit/x86_64/encode/move.js';
import {
  R11,
  R12,
  RAX,
  RBP,
  RCX,
  RDX,
  REGISTER_NAMES,
  RSI,
} from '../../../src/compiler/jit/x86_64/encode/registers.js';
import * as sh from '../../../src/compiler/jit/x86_64/encode/shift.js';

export type EncodingCase = readonly [text: string, encode: (code: CodeBuffer) => void];

/** One register of each kind: the accumulator, low ones, one without a low byte of its own, high ones. */
const SOME = [0, 1, 3, 5, 7, 8, 13, 15] as const;
const PAIRS: readonly (readonly [number, number])[] = [
  ...([
    [0, 7],
    [7, 0],
    [3, 3],
    [5, 6],
    [8, 0],
    [0, 8],
    [13, 15],
    [10, 11],
    [2, 14],
    [6, 5],
  ] as const),
];
const BASES = [0, 5, 8, 13] as const;
const OFFSETS = [0, 127, -128, 128, -0x8000] as const;
const NUMBERS = [0, 1, 127, -128, 128, -129, 0x7fffffff, -0x80000000] as const;

/** A register's name at 0 to 3: 8 to 64 bits. */
function name(register: number, sizeLog2: number): string {
  const wide = REGISTER_NAMES[register]!;
  if (sizeLog2 === 3) return wide;
  if (register >= 8) return wide + 'bwd'[sizeLog2]!;
  if (sizeLog2 === 2) return `e${wide.slice(1)}`;
  if (sizeLog2 === 1) return wide.slice(1);
  return register < 4 ? `${wide[1]!}l` : `${wide.slice(1)}l`;
}
const full = (register: number, wide: boolean): string => name(register, wide ? 3 : 2);

/** A number as capstone writes it: hexadecimal above 9, `digits` for those that it shows unsigned. */
function hex(value: number, digits = 0): string {
  if (value < 0 && digits > 0) return `0x${BigInt.asUintN(4 * digits, BigInt(value)).toString(16)}`;
  const magnitude = Math.abs(value);
  return (value < 0 ? '-' : '') + (magnitude > 9 ? `0x${magnitude.toString(16)}` : String(magnitude));
}

/** [base + index + offset], behind the prefix that keeps an offset of 0 or a small one in its form. */
function address(base: number, offset: number, index = -1): string {
  const registers = name(base, 3) + (index < 0 ? '' : ` + ${name(index, 3)}`);
  if (offset === 0) return `[${registers}]`;
  return `[${registers} ${offset < 0 ? '-' : '+'} ${hex(Math.abs(offset))}]`;
}
const form = (offset: number): string => (offset >= -128 && offset <= 127 ? '{disp8} ' : '{disp32} ');
const POINTERS = ['byte ptr', 'word ptr', 'dword ptr', 'qword ptr'] as const;

const OPERATIONS = [
  [a.ADD, 'add'],
  [a.OR, 'or'],
  [a.AND, 'and'],
  [a.SUB, 'sub'],
  [a.XOR, 'xor'],
  [a.CMP, 'cmp'],
] as const;

function* arithmetic(): Generator<EncodingCase> {
  for (const wide of [false, true]) {
    const digits = wide ? 16 : 8;
    for (const [operation, mnemonic] of OPERATIONS) {
      for (const [rd, rs] of PAIRS) {
        yield [
          `${mnemonic} ${full(rd, wide)}, ${full(rs, wide)}`,
          (code) => a.arithmetic(code, operation, wide, rd, rs),
        ];
      }
      for (const rd of [0, 5, 13]) {
        for (const value of NUMBERS) {
          const text = `${mnemonic} ${full(rd, wide)}, ${hex(value, digits)}`;
          yield [text, (code) => a.arithmeticNumber(code, operation, wide, rd, value)];
        }
      }
    }
    for (const rd of [1, 4, 9]) {
      yield [`sub ${full(rd, wide)}, 0x200`, (code) => a.arithmeticLongNumber(code, a.SUB, wide, rd, 0x200)];
      yield [`cmp ${full(rd, wide)}, 0x200`, (code) => a.compareNumber(code, wide, rd, 0x200)];
      yield [`cmp ${full(rd, wide)}, -7`, (code) => a.compareNumber(code, wide, rd, -7)];
    }
    yield [`or ${full(RAX, wide)}, 0x7700`, (code) => a.accumulatorNumber(code, a.OR, wide, 0x7700)];
    for (const [rd, rs] of PAIRS) {
      yield [`test ${full(rd, wide)}, ${full(rs, wide)}`, (code) => a.test(code, wide, rd, rs)];
      yield [`imul ${full(rd, wide)}, ${full(rs, wide)}`, (code) => a.multiply(code, wide, rd, rs)];
    }
    for (const rd of [1, 7, 15]) {
      yield [`test ${full(rd, wide)}, 0x10000`, (code) => a.testNumber(code, wide, rd, 0x10000)];
      yield [`neg ${full(rd, wide)}`, (code) => a.negate(code, wide, rd)];
      yield [`div ${full(rd, wide)}`, (code) => a.divide(code, wide, rd)];
      yield [`idiv ${full(rd, wide)}`, (code) => a.divideSigned(code, wide, rd)];
      for (const value of NUMBERS) {
        const text = `imul ${full(rd, wide)}, ${full(rd, wide)}, ${hex(value, digits)}`;
        yield [text, (code) => a.multiplyNumber(code, wide, rd, value)];
      }
    }
    yield [wide ? 'cqo' : 'cdq', (code) => a.extendSignToRdx(code, wide)];
  }
}

const SHIFTS = [
  [sh.SHL, 'shl'],
  [sh.SHR, 'shr'],
  [sh.SAR, 'sar'],
  [sh.ROL, 'rol'],
  [sh.ROR, 'ror'],
] as const;

function* shifts(): Generator<EncodingCase> {
  for (const wide of [false, true]) {
    for (const [operation, mnemonic] of SHIFTS) {
      for (const rd of [0, 5, 14]) {
        yield [`${mnemonic} ${full(rd, wide)}, cl`, (code) => sh.shiftByCl(code, operation, wide, rd)];
        yield [`${mnemonic} ${full(rd, wide)}, 1`, (code) => sh.shiftNumber(code, operation, wide, rd, 1)];
        yield [`${mnemonic} ${full(rd, wide)}, 0x1f`, (code) => sh.shiftNumber(code, operation, wide, rd, 31)];
      }
    }
    for (const [operation, mnemonic] of SHIFTS.slice(0, 3)) {
      for (const [rd, rs] of PAIRS) {
        const text = `${mnemonic}x ${full(rd, wide)}, ${full(rd, wide)}, ${full(rs, wide)}`;
        yield [text, (code) => sh.shiftBy(code, operation, wide, rd, rs)];
      }
    }
    for (const rd of SOME) yield [`bswap ${full(rd, wide)}`, (code) => sh.swapBytes(code, wide, rd)];
  }
  for (const rd of SOME) yield [`ror ${name(rd, 1)}, 8`, (code) => sh.swapBytes16(code, rd)];
}

function* moves(): Generator<EncodingCase> {
  for (const [rd, rs] of PAIRS) {
    yield [`movsxd ${name(rd, 3)}, ${name(rs, 2)}`, (code) => m.signExtend32(code, rd, rs)];
    yield [`cmove ${name(rd, 3)}, ${name(rs, 3)}`, (code) => m.moveIfEqual(code, rd, rs)];
    for (const wide of [false, true]) {
      yield [`mov ${full(rd, wide)}, ${full(rs, wide)}`, (code) => m.move(code, wide, rd, rs)];
      yield [`{rex} movsx ${full(rd, wide)}, ${name(rs, 0)}`, (code) => m.signExtend8(code, wide, rd, rs)];
      yield [`movsx ${full(rd, wide)}, ${name(rs, 1)}`, (code) => m.signExtend16(code, wide, rd, rs)];
    }
  }
  for (const rd of SOME) {
    yield [`movzx ${name(rd, 2)}, ${name(rd, 1)}`, (code) => m.zeroExtend16(code, rd)];
    for (const value of NUMBERS) {
      yield [`mov ${name(rd, 2)}, ${hex(value, 8)}`, (code) => m.loadUnsigned(code, rd, value)];
      yield [`mov ${name(rd, 3)}, ${hex(value, 16)}`, (code) => m.loadSigned(code, rd, value)];
    }
    yield [`movabs ${name(rd, 3)}, 0x123456789abcdef0`, (code) => m.loadWide(code, rd, 0x12345678, 0x9abcdef0 | 0)];
    yield [`add ${name(rd, 3)}, qword ptr gs:[0x19a18]`, (code) => m.addPerCpu(code, rd, 0x19a18)];
  }
}

function* accesses(): Generator<EncodingCase> {
  for (const base of BASES) {
    for (const offset of OFFSETS) {
      const rd = (base + 6) & 15;
      const [plain, indexed] = [address(base, offset), address(base, offset, R12)];
      for (let size = 0; size < 4; size++) {
        const pointer = POINTERS[size]!;
        const [prefix, register] = [form(offset), name(rd, size)];
        const load = size < 2 ? 'movzx' : 'mov';
        const target = name(rd, size < 2 ? 3 : size);
        yield [`${prefix}${load} ${target}, ${pointer} ${plain}`, (code) => mem.load(code, size, rd, base, offset)];
        yield [`${prefix}mov ${pointer} ${plain}, ${register}`, (code) => mem.store(code, size, rd, base, offset)];
        const arena = name(rd, size < 2 ? 2 : size);
        yield [
          `${prefix}${load} ${arena}, ${pointer} ${indexed}`,
          (code) => mem.loadIndexed(code, size, rd, base, R12, offset),
        ];
        yield [
          `${prefix}mov ${pointer} ${indexed}, ${register}`,
          (code) => mem.storeIndexed(code, size, rd, base, R12, offset),
        ];
        const value = [0x12, 0x1234, 0x12345678, -2][size]!;
        yield [
          `${prefix}mov ${pointer} ${plain}, ${hex(value, 16)}`,
          (code) => mem.storeNumber(code, size, base, offset, value),
        ];
        yield [
          `${prefix}mov ${pointer} ${indexed}, ${hex(value, 16)}`,
          (code) => mem.storeNumberIndexed(code, size, base, R12, offset, value),
        ];
        if (size === 3) continue;
        const signed = `${prefix}${size === 2 ? 'movsxd' : 'movsx'} ${name(rd, 3)}, ${pointer} ${plain}`;
        yield [signed, (code) => mem.loadSigned(code, size, rd, base, offset)];
      }
    }
  }
  yield ['{disp32} mov rax, qword ptr [rbp - 0x10]', (code) => mem.loadFar(code, RAX, RBP, -16)];
  yield ['mov rcx, qword ptr [rsi + rdx*8 + 0x108]', (code) => mem.loadElement(code, RCX, RSI, RDX, 0x108)];
  yield ['cmp dword ptr [rsi + 0x24], edx', (code) => mem.compareWith(code, RDX, RSI, 0x24)];
  yield ['cmp qword ptr [rax], 0x21', (code) => mem.compareWordWithNumber(code, RAX, 0x21)];
  yield ['add qword ptr [rax], 1', (code) => mem.addToWord(code, RAX, 1)];
}

function* atomics(): Generator<EncodingCase> {
  const opcodes = [
    ...OPERATIONS.slice(0, 5).map(([operation, mnemonic]) => [a.opcodeOf(operation), mnemonic] as const),
    [at.XADD, 'xadd'],
    [at.XCHG, 'xchg'],
    [at.CMPXCHG, 'cmpxchg'],
  ] as const;
  for (const [opcode, mnemonic] of opcodes) {
    for (const wide of [false, true]) {
      for (const [base, offset, rs] of [
        [0, 0, R11],
        [7, -8, 1],
        [13, 0x200, 8],
      ] as const) {
        const prefix = `${form(offset)}lock ${mnemonic} ${POINTERS[wide ? 3 : 2]}`;
        yield [
          `${prefix} ${address(base, offset)}, ${full(rs, wide)}`,
          (code) => at.atomic(code, opcode, wide, rs, base, offset),
        ];
        yield [
          `${prefix} ${address(base, offset, R12)}, ${full(rs, wide)}`,
          (code) => at.atomicIndexed(code, opcode, wide, rs, base, R12, offset),
        ];
      }
    }
  }
}

const CONDITIONS = [
  [c.BELOW, 'jb'],
  [c.ABOVE_EQUAL, 'jae'],
  [c.EQUAL, 'je'],
  [c.NOT_EQUAL, 'jne'],
  [c.BELOW_EQUAL, 'jbe'],
  [c.ABOVE, 'ja'],
  [c.LESS, 'jl'],
  [c.GREATER_EQUAL, 'jge'],
  [c.LESS_EQUAL, 'jle'],
  [c.GREATER, 'jg'],
] as const;

function* control(): Generator<EncodingCase> {
  // Targets are counted from the instruction's start, as they are written, and distances from its end.
  for (const [condition, mnemonic] of CONDITIONS) {
    yield [`${mnemonic} 0x7f`, (code) => c.shortJumpIf(code, condition, 0x7d)];
    yield [`{disp32} ${mnemonic} 0x7f`, (code) => c.longJumpIf(code, condition, 0x79)];
  }
  yield ['jmp 0x7f', (code) => c.shortJump(code, 0x7d)];
  yield ['{disp32} jmp 0x7f', (code) => c.longJump(code, 0x7a)];
  yield ['call 0x12345', (code) => c.call(code, 0x12340)];
  for (const rn of [0, 1, 7]) yield [`jmp ${name(rn, 3)}`, (code) => c.jumpRegister(code, rn)];
  for (const register of SOME) {
    yield [`push ${name(register, 3)}`, (code) => c.push(code, register)];
    yield [`pop ${name(register, 3)}`, (code) => c.pop(code, register)];
  }
  yield ['leave', c.leave];
  yield ['ret', c.returnNear];
  yield ['int3', c.breakpoint];
  yield ['endbr64', c.landingPad];
  yield ['lfence', c.loadFence];
  yield ['nop', (code) => c.nop(code, 1)];
  yield ['nop dword ptr [rax]', (code) => c.nop(code, 3)];
  yield ['{disp8} nop dword ptr [rax]', (code) => c.nop(code, 4)];
  yield ['{disp8} nop dword ptr [rax + rax]', (code) => c.nop(code, 5)];
  yield ['sar qword ptr gs:[rip + 0x40000], 5', (code) => countCall(code, 0x40000)];
}

export const CASES: readonly EncodingCase[] = [
  ...arithmetic(),
  ...shifts(),
  ...moves(),
  ...accesses(),
  ...atomics(),
  ...control(),
];
