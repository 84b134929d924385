/** Arithmetic: classes ALU (32 bits, the upper half of the result zero) and ALU64. */
import * as isa from '../../../isa/opcodes.js';
import * as a from '../encode/arithmetic.js';
import { asr, lsl, lsr, zeroExtend } from '../encode/bitfield.js';
import { maybeAddSubImmediate, maybeLogicalImmediate } from '../encode/immediates.js';
import { MACHINE_REGISTER, TMP1, TMP2 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadNumber } from './constants.js';
import { lowerMove } from './move.js';

/** Lowers slot `i`; false for an opcode that is no arithmetic. */
export function lowerAlu(s: FunctionState, i: number, opcode: number): boolean {
  const operation = opcode & isa.OP_MASK;
  if (operation === isa.END) return swapBytes(s, i, opcode);
  if (operation === isa.MOV && (opcode & isa.X) !== 0) return lowerMove(s, i, opcode);
  return (opcode & isa.X) !== 0 ? withRegister(s, i, opcode) : withImmediate(s, i, opcode);
}

function withRegister(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const rm = MACHINE_REGISTER[instructions.src(i)]!;
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      s.put(a.add(wide, rd, rd, rm));
      return true;
    case isa.SUB:
      s.put(a.sub(wide, rd, rd, rm));
      return true;
    case isa.AND:
      s.put(a.and(wide, rd, rd, rm));
      return true;
    case isa.OR:
      s.put(a.orr(wide, rd, rd, rm));
      return true;
    case isa.XOR:
      s.put(a.eor(wide, rd, rd, rm));
      return true;
    case isa.MUL:
      s.put(a.mul(wide, rd, rd, rm));
      return true;
    case isa.DIV:
      s.put(quotient(wide, instructions.off(i) !== 0, rd, rd, rm));
      return true;
    case isa.MOD:
      remainder(s, wide, instructions.off(i) !== 0, rd, rm);
      return true;
    case isa.LSH:
      s.put(a.lslv(wide, rd, rd, rm));
      return true;
    case isa.RSH:
      s.put(a.lsrv(wide, rd, rd, rm));
      return true;
    case isa.ARSH:
      s.put(a.asrv(wide, rd, rd, rm));
      return true;
    default:
      return false;
  }
}

function withImmediate(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const imm = instructions.imm(i);
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      addNumber(s, wide, rd, imm);
      return true;
    case isa.SUB:
      subtractNumber(s, wide, rd, imm);
      return true;
    case isa.AND:
    case isa.OR:
    case isa.XOR:
      logicalNumber(s, wide, opcode & isa.OP_MASK, rd, imm);
      return true;
    case isa.MUL:
      loadNumber(s, wide, TMP1, imm);
      s.put(a.mul(wide, rd, rd, TMP1));
      return true;
    case isa.DIV:
      loadNumber(s, wide, TMP1, imm);
      s.put(quotient(wide, instructions.off(i) !== 0, rd, rd, TMP1));
      return true;
    case isa.MOD:
      loadNumber(s, wide, TMP2, imm);
      remainder(s, wide, instructions.off(i) !== 0, rd, TMP2);
      return true;
    case isa.LSH:
      s.put(lsl(wide, rd, rd, imm));
      return true;
    case isa.RSH:
      s.put(lsr(wide, rd, rd, imm));
      return true;
    case isa.ARSH:
      s.put(asr(wide, rd, rd, imm));
      return true;
    case isa.NEG:
      s.put(a.neg(wide, rd, rd));
      return true;
    case isa.MOV:
      loadNumber(s, wide, rd, imm);
      return true;
    default:
      return false;
  }
}

function quotient(wide: boolean, signed: boolean, rd: number, rn: number, rm: number): number {
  return signed ? a.sdiv(wide, rd, rn, rm) : a.udiv(wide, rd, rn, rm);
}

/** rd %= rm, as rd - rd / rm * rm. */
function remainder(s: FunctionState, wide: boolean, signed: boolean, rd: number, rm: number): void {
  s.put(quotient(wide, signed, TMP1, rd, rm));
  s.put(a.msub(wide, rd, TMP1, rm, rd));
}

function addNumber(s: FunctionState, wide: boolean, rd: number, value: number): void {
  const plus = maybeAddSubImmediate(value);
  const minus = maybeAddSubImmediate(-value | 0);
  if (plus !== null) s.put(a.addImmediate(wide, rd, rd, plus));
  else if (minus !== null) s.put(a.subImmediate(wide, rd, rd, minus));
  else {
    loadNumber(s, wide, TMP1, value);
    s.put(a.add(wide, rd, rd, TMP1));
  }
}

function subtractNumber(s: FunctionState, wide: boolean, rd: number, value: number): void {
  const plus = maybeAddSubImmediate(value);
  const minus = maybeAddSubImmediate(-value | 0);
  if (plus !== null) s.put(a.subImmediate(wide, rd, rd, plus));
  else if (minus !== null) s.put(a.addImmediate(wide, rd, rd, minus));
  else {
    loadNumber(s, wide, TMP1, value);
    s.put(a.sub(wide, rd, rd, TMP1));
  }
}

function logicalNumber(s: FunctionState, wide: boolean, operation: number, rd: number, value: number): void {
  const mask = maybeLogicalImmediate(wide, value >> 31, value);
  if (mask === null) loadNumber(s, wide, TMP1, value);
  switch (operation) {
    case isa.AND:
      s.put(mask === null ? a.and(wide, rd, rd, TMP1) : a.andImmediate(wide, rd, rd, mask));
      return;
    case isa.OR:
      s.put(mask === null ? a.orr(wide, rd, rd, TMP1) : a.orrImmediate(wide, rd, rd, mask));
      return;
    default:
      s.put(mask === null ? a.eor(wide, rd, rd, TMP1) : a.eorImmediate(wide, rd, rd, mask));
  }
}

/** Byte order: to little-endian (truncation only), to big-endian, and unconditional swaps (class ALU64, cpu v4). */
function swapBytes(s: FunctionState, i: number, opcode: number): boolean {
  const rd = MACHINE_REGISTER[s.fn.instructions.dst(i)]!;
  const bits = s.fn.instructions.imm(i);
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  if (!wide && (opcode & isa.X) === 0) {
    if (bits < 64) s.put(zeroExtend(false, rd, rd, bits));
    return true;
  }
  if (bits === 16) {
    s.put(a.rev16(wide, rd, rd));
    s.put(zeroExtend(wide, rd, rd, 16));
  } else if (bits === 32) s.put(a.rev32(rd, rd));
  else s.put(a.rev64(rd, rd));
  return true;
}
