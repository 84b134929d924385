/** Arithmetic on registers. `wide`: 64 bits, else 32, which zero the upper half. */
import type { CodeBuffer } from '../code-buffer.js';
import { isByte, putRex, registers } from './operands.js';
import { RAX } from './registers.js';

/** Operations that share their forms, by the number that says which one. */
export const ADD = 0;
export const OR = 1;
export const AND = 4;
export const SUB = 5;
export const XOR = 6;
export const CMP = 7;

/** The opcode of `operation rm, reg`. */
export function opcodeOf(operation: number): number {
  return operation * 8 + 1;
}

export function arithmetic(code: CodeBuffer, operation: number, wide: boolean, rd: number, rs: number): void {
  putRex(code, wide, rs, rd);
  code.put2(opcodeOf(operation), registers(rs, rd));
}

/** With a 32-bit number, sign-extended where `wide`; RAX has a form of its own for numbers above a byte. */
export function arithmeticNumber(code: CodeBuffer, operation: number, wide: boolean, rd: number, value: number): void {
  if (!isByte(value)) {
    if (rd === RAX) accumulatorNumber(code, operation, wide, value);
    else arithmeticLongNumber(code, operation, wide, rd, value);
    return;
  }
  putRex(code, wide, 0, rd);
  code.put3(0x83, registers(operation, rd), value);
}

/** RAX's own form, which takes 32 bits whatever the number. */
export function accumulatorNumber(code: CodeBuffer, operation: number, wide: boolean, value: number): void {
  putRex(code, wide, 0, RAX);
  code.put(operation * 8 + 5);
  code.put32(value);
}

/** The form of any register that takes 32 bits whatever the number. */
export function arithmeticLongNumber(
  code: CodeBuffer,
  operation: number,
  wide: boolean,
  rd: number,
  value: number,
): void {
  putRex(code, wide, 0, rd);
  code.put2(0x81, registers(operation, rd));
  code.put32(value);
}

/** Compares; never in RAX's own form. */
export function compareNumber(code: CodeBuffer, wide: boolean, rn: number, value: number): void {
  if (!isByte(value)) arithmeticLongNumber(code, CMP, wide, rn, value);
  else {
    putRex(code, wide, 0, rn);
    code.put3(0x83, registers(CMP, rn), value);
  }
}

export function test(code: CodeBuffer, wide: boolean, rn: number, rm: number): void {
  putRex(code, wide, rm, rn);
  code.put2(0x85, registers(rm, rn));
}

export function testNumber(code: CodeBuffer, wide: boolean, rn: number, value: number): void {
  putRex(code, wide, 0, rn);
  code.put2(0xf7, registers(0, rn));
  code.put32(value);
}

export function multiply(code: CodeBuffer, wide: boolean, rd: number, rs: number): void {
  putRex(code, wide, rd, rs);
  code.put3(0x0f, 0xaf, registers(rd, rs));
}

export function multiplyNumber(code: CodeBuffer, wide: boolean, rd: number, value: number): void {
  putRex(code, wide, rd, rd);
  if (isByte(value)) code.put3(0x6b, registers(rd, rd), value);
  else {
    code.put2(0x69, registers(rd, rd));
    code.put32(value);
  }
}

export function negate(code: CodeBuffer, wide: boolean, rd: number): void {
  putRex(code, wide, 0, rd);
  code.put2(0xf7, registers(3, rd));
}

/** RAX = RDX:RAX / rn, RDX = the remainder. */
export function divide(code: CodeBuffer, wide: boolean, rn: number): void {
  putRex(code, wide, 0, rn);
  code.put2(0xf7, registers(6, rn));
}

export function divideSigned(code: CodeBuffer, wide: boolean, rn: number): void {
  putRex(code, wide, 0, rn);
  code.put2(0xf7, registers(7, rn));
}

/** RDX = the sign of RAX in every bit: CDQ, CQO. */
export function extendSignToRdx(code: CodeBuffer, wide: boolean): void {
  if (wide) code.put(0x48);
  code.put(0x99);
}
