/** Arithmetic: classes ALU (32 bits, the upper half of the result zero) and ALU64. */
import * as isa from '../../../isa/opcodes.js';
import * as a from '../encode/arithmetic.js';
import { move, zeroExtend16 } from '../encode/move.js';
import { swapBytes, swapBytes16 } from '../encode/shift.js';
import { MACHINE_REGISTER } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadSignedNumber, loadUnsignedNumber } from './constants.js';
import { lowerDivision } from './division.js';
import { lowerMove } from './move.js';
import { lowerShift } from './shift.js';

/** The machine's operation by BPF's (opcode bits 4–7), -1 where the forms are others. */
const OPERATION: readonly number[] = [a.ADD, a.SUB, -1, -1, a.OR, a.AND, -1, -1, -1, -1, a.XOR, -1, -1, -1];

/** Lowers slot `i`; false for an opcode that is no arithmetic. */
export function lowerAlu(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const byRegister = (opcode & isa.X) !== 0;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  const imm = instructions.imm(i);
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
    case isa.SUB:
    case isa.OR:
    case isa.AND:
    case isa.XOR: {
      const operation = OPERATION[opcode >> 4]!;
      if (byRegister) a.arithmetic(s.code, operation, wide, rd, rs);
      else a.arithmeticNumber(s.code, operation, wide, rd, imm);
      return true;
    }
    case isa.MUL:
      if (byRegister) a.multiply(s.code, wide, rd, rs);
      else a.multiplyNumber(s.code, wide, rd, imm);
      return true;
    case isa.DIV:
    case isa.MOD:
      lowerDivision(s, i, opcode);
      return true;
    case isa.LSH:
    case isa.RSH:
    case isa.ARSH:
      lowerShift(s, i, opcode);
      return true;
    case isa.NEG:
      if (byRegister) return false;
      a.negate(s.code, wide, rd);
      return true;
    case isa.MOV:
      if (byRegister) return lowerMove(s, i, opcode);
      if (wide) loadSignedNumber(s, rd, imm);
      else loadUnsignedNumber(s, rd, imm);
      return true;
    case isa.END:
      return lowerByteOrder(s, opcode, rd, imm);
    default:
      return false;
  }
}

/** Byte order: to little-endian (truncation only), to big-endian, and unconditional swaps (class ALU64, cpu v4). */
function lowerByteOrder(s: FunctionState, opcode: number, rd: number, bits: number): boolean {
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const toBig = (opcode & isa.X) !== 0;
  if (wide && toBig) return false;
  if (wide || toBig) {
    if (bits === 16) {
      swapBytes16(s.code, rd);
      zeroExtend16(s.code, rd);
    } else swapBytes(s.code, bits === 64, rd);
  } else if (bits === 16) zeroExtend16(s.code, rd);
  else if (bits === 32) move(s.code, false, rd, rd);
  return true;
}
