/** Jumps, calls and the stack; barriers; what does nothing. */
import type { CodeBuffer } from '../code-buffer.js';
import { putRex } from './operands.js';

/** Conditions: the low half of a conditional jump's opcode. */
export const BELOW = 0x2;
export const ABOVE_EQUAL = 0x3;
export const EQUAL = 0x4;
export const NOT_EQUAL = 0x5;
export const BELOW_EQUAL = 0x6;
export const ABOVE = 0x7;
export const LESS = 0xc;
export const GREATER_EQUAL = 0xd;
export const LESS_EQUAL = 0xe;
export const GREATER = 0xf;

/** Bytes of the forms of jumps. */
export const SHORT_JUMP_BYTES = 2;
export const LONG_JUMP_BYTES = 5;
export const LONG_CONDITIONAL_BYTES = 6;

/** `distance` counts from the jump's end: a signed byte in the short forms. */
export function shortJump(code: CodeBuffer, distance: number): void {
  code.put2(0xeb, distance);
}
export function shortJumpIf(code: CodeBuffer, condition: number, distance: number): void {
  code.put2(0x70 | condition, distance);
}
export function longJump(code: CodeBuffer, distance: number): void {
  code.put(0xe9);
  code.put32(distance);
}
export function longJumpIf(code: CodeBuffer, condition: number, distance: number): void {
  code.put2(0x0f, 0x80 | condition);
  code.put32(distance);
}
export function call(code: CodeBuffer, distance: number): void {
  code.put(0xe8);
  code.put32(distance);
}
/** To where a register (RAX to RDI) points. */
export function jumpRegister(code: CodeBuffer, rn: number): void {
  code.put2(0xff, 0xe0 | rn);
}

export function push(code: CodeBuffer, rs: number): void {
  putRex(code, false, 0, rs);
  code.put(0x50 | (rs & 7));
}
export function pop(code: CodeBuffer, rd: number): void {
  putRex(code, false, 0, rd);
  code.put(0x58 | (rd & 7));
}
/** Takes the frame down: RSP = RBP, pop RBP. */
export function leave(code: CodeBuffer): void {
  code.put(0xc9);
}
export function returnNear(code: CodeBuffer): void {
  code.put(0xc3);
}
export function breakpoint(code: CodeBuffer): void {
  code.put(0xcc);
}

/** Where indirect branches may land (control-flow enforcement): ENDBR64. */
export function landingPad(code: CodeBuffer): void {
  code.put2(0xf3, 0x0f);
  code.put2(0x1e, 0xfa);
}
/** Waits until all loads before it are done: LFENCE. */
export function loadFence(code: CodeBuffer): void {
  code.put3(0x0f, 0xae, 0xe8);
}

/** What the manuals recommend to do nothing, by length. */
const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
];

/** One instruction of 0 to 5 bytes that does nothing. */
export function nop(code: CodeBuffer, length: number): void {
  for (const byte of NOPS[length]!) code.put(byte);
}
