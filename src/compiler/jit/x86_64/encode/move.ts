/** Moves between registers, and constants into them. */
import type { CodeBuffer } from '../code-buffer.js';
import { putRex, registers, rexOf } from './operands.js';

/** 32-bit moves zero the upper half. */
export function move(code: CodeBuffer, wide: boolean, rd: number, rs: number): void {
  putRex(code, wide, rs, rd);
  code.put2(0x89, registers(rs, rd));
}

/** The low 16 bits, zero-extended, within one register. */
export function zeroExtend16(code: CodeBuffer, rd: number): void {
  putRex(code, false, rd, rd);
  code.put3(0x0f, 0xb7, registers(rd, rd));
}

/** The low byte, sign-extended; always with a REX prefix, which some registers need to have a low byte. */
export function signExtend8(code: CodeBuffer, wide: boolean, rd: number, rs: number): void {
  code.put(rexOf(wide, rd, 0, rs));
  code.put3(0x0f, 0xbe, registers(rd, rs));
}

export function signExtend16(code: CodeBuffer, wide: boolean, rd: number, rs: number): void {
  putRex(code, wide, rd, rs);
  code.put3(0x0f, 0xbf, registers(rd, rs));
}

/** The low 32 bits, sign-extended to 64. */
export function signExtend32(code: CodeBuffer, rd: number, rs: number): void {
  code.put3(rexOf(true, rd, 0, rs), 0x63, registers(rd, rs));
}

/** 64 bits, where the last comparison found equality. */
export function moveIfEqual(code: CodeBuffer, rd: number, rs: number): void {
  code.put(rexOf(true, rd, 0, rs));
  code.put3(0x0f, 0x44, registers(rd, rs));
}

/** A 32-bit number, zero-extended: 5 bytes, 6 for R8 to R15. */
export function loadUnsigned(code: CodeBuffer, rd: number, value: number): void {
  putRex(code, false, 0, rd);
  code.put(0xb8 | (rd & 7));
  code.put32(value);
}

/** A 32-bit number, sign-extended to 64: 7 bytes. */
export function loadSigned(code: CodeBuffer, rd: number, value: number): void {
  code.put3(rexOf(true, 0, 0, rd), 0xc7, registers(0, rd));
  code.put32(value);
}

/** 64 bits: 10 bytes. */
export function loadWide(code: CodeBuffer, rd: number, hi: number, lo: number): void {
  code.put2(rexOf(true, 0, 0, rd), 0xb8 | (rd & 7));
  code.put32(lo);
  code.put32(hi);
}

/** rd += the 64 bits at gs:[address]: how the kernel reaches per-CPU memory. */
export function addPerCpu(code: CodeBuffer, rd: number, address: number): void {
  code.put3(0x65, rexOf(true, rd, 0, 0), 0x03);
  code.put2(0x04 | ((rd & 7) << 3), 0x25);
  code.put32(address);
}
