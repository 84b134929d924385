/**
 * Data processing. Every encoder answers the 32-bit instruction as an int32; `wide` chooses X registers over W. Registers
 * come in the order of the assembler's text: destination first.
 */
import type { AddSubImmediate, LogicalImmediate } from './immediates.js';
import { ZR } from './registers.js';

const SF = 1 << 31;

function sized(wide: boolean, base: number): number {
  return wide ? base | SF : base;
}

// Add and subtract (immediate); register 31 is SP, but the zero register as destination of ADDS and SUBS.
export function addImmediate(wide: boolean, rd: number, rn: number, imm: AddSubImmediate): number {
  return sized(wide, 0x11000000) | (imm << 10) | (rn << 5) | rd;
}
export function subImmediate(wide: boolean, rd: number, rn: number, imm: AddSubImmediate): number {
  return sized(wide, 0x51000000) | (imm << 10) | (rn << 5) | rd;
}
export function cmpImmediate(wide: boolean, rn: number, imm: AddSubImmediate): number {
  return sized(wide, 0x71000000) | (imm << 10) | (rn << 5) | ZR;
}
export function cmnImmediate(wide: boolean, rn: number, imm: AddSubImmediate): number {
  return sized(wide, 0x31000000) | (imm << 10) | (rn << 5) | ZR;
}
/** MOV as ADD #0, the form that takes SP on either side; the kernel uses it throughout. */
export function mov(wide: boolean, rd: number, rn: number): number {
  return sized(wide, 0x11000000) | (rn << 5) | rd;
}

// Add and subtract (shifted register, unshifted).
export function add(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x0b000000) | (rm << 16) | (rn << 5) | rd;
}
export function sub(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x4b000000) | (rm << 16) | (rn << 5) | rd;
}
export function cmp(wide: boolean, rn: number, rm: number): number {
  return sized(wide, 0x6b000000) | (rm << 16) | (rn << 5) | ZR;
}
export function neg(wide: boolean, rd: number, rm: number): number {
  return sub(wide, rd, ZR, rm);
}

// Logical (immediate).
export function andImmediate(wide: boolean, rd: number, rn: number, imm: LogicalImmediate): number {
  return sized(wide, 0x12000000) | (imm << 10) | (rn << 5) | rd;
}
export function orrImmediate(wide: boolean, rd: number, rn: number, imm: LogicalImmediate): number {
  return sized(wide, 0x32000000) | (imm << 10) | (rn << 5) | rd;
}
export function eorImmediate(wide: boolean, rd: number, rn: number, imm: LogicalImmediate): number {
  return sized(wide, 0x52000000) | (imm << 10) | (rn << 5) | rd;
}
export function tstImmediate(wide: boolean, rn: number, imm: LogicalImmediate): number {
  return sized(wide, 0x72000000) | (imm << 10) | (rn << 5) | ZR;
}

// Logical (shifted register, unshifted).
export function and(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x0a000000) | (rm << 16) | (rn << 5) | rd;
}
export function orr(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x2a000000) | (rm << 16) | (rn << 5) | rd;
}
export function eor(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x4a000000) | (rm << 16) | (rn << 5) | rd;
}
export function tst(wide: boolean, rn: number, rm: number): number {
  return sized(wide, 0x6a000000) | (rm << 16) | (rn << 5) | ZR;
}
/** MVN: ORN from the zero register. */
export function mvn(wide: boolean, rd: number, rm: number): number {
  return sized(wide, 0x2a200000) | (rm << 16) | (ZR << 5) | rd;
}

// Multiply and divide.
/** rd = ra - rn * rm */
export function msub(wide: boolean, rd: number, rn: number, rm: number, ra: number): number {
  return sized(wide, 0x1b008000) | (rm << 16) | (ra << 10) | (rn << 5) | rd;
}
export function mul(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1b000000) | (rm << 16) | (ZR << 10) | (rn << 5) | rd;
}
export function udiv(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1ac00800) | (rm << 16) | (rn << 5) | rd;
}
export function sdiv(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1ac00c00) | (rm << 16) | (rn << 5) | rd;
}

// Shifts by a register.
export function lslv(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1ac02000) | (rm << 16) | (rn << 5) | rd;
}
export function lsrv(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1ac02400) | (rm << 16) | (rn << 5) | rd;
}
export function asrv(wide: boolean, rd: number, rn: number, rm: number): number {
  return sized(wide, 0x1ac02800) | (rm << 16) | (rn << 5) | rd;
}

// Byte order.
export function rev16(wide: boolean, rd: number, rn: number): number {
  return sized(wide, 0x5ac00400) | (rn << 5) | rd;
}
/** Reverses the bytes of a W register. */
export function rev32(rd: number, rn: number): number {
  return 0x5ac00800 | (rn << 5) | rd;
}
/** Reverses the bytes of an X register. */
export function rev64(rd: number, rn: number): number {
  return sized(true, 0x5ac00c00) | (rn << 5) | rd;
}
