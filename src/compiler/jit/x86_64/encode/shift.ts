/** Shifts, rotations and byte swaps. `wide`: 64 bits, else 32. */
import type { CodeBuffer } from '../code-buffer.js';
import { putRex, registers } from './operands.js';

/** Which one it is, in ModRM.reg. */
export const ROL = 0;
export const ROR = 1;
export const SHL = 4;
export const SHR = 5;
export const SAR = 7;

/** By a number from 0 to 63, of which 1 has a form of its own. */
export function shiftNumber(code: CodeBuffer, operation: number, wide: boolean, rd: number, count: number): void {
  putRex(code, wide, 0, rd);
  if (count === 1) code.put2(0xd1, registers(operation, rd));
  else code.put3(0xc1, registers(operation, rd), count);
}

/** By CL. */
export function shiftByCl(code: CodeBuffer, operation: number, wide: boolean, rd: number): void {
  putRex(code, wide, 0, rd);
  code.put2(0xd3, registers(operation, rd));
}

/** BMI2's SHLX, SHRX and SARX, which take the count from any register and leave the flags: rd = rd shifted by rs. */
export function shiftBy(code: CodeBuffer, operation: number, wide: boolean, rd: number, rs: number): void {
  const high = rd & 8;
  // VEX: R and B inverted, no index, map 0F38.
  code.put2(0xc4, (high === 0 ? 0xe0 : 0x40) | 0x02);
  // W, the count's register inverted, and the operation as a legacy prefix (1: 66, 2: F3, 3: F2).
  code.put3((wide ? 0x80 : 0) | ((~rs & 0xf) << 3) | vexPrefix(operation), 0xf7, registers(rd, rd));
}

function vexPrefix(operation: number): number {
  if (operation === SHL) return 1;
  return operation === SAR ? 2 : 3;
}

/** Swaps the two low bytes of a register: a rotation of 16 bits by 8. */
export function swapBytes16(code: CodeBuffer, rd: number): void {
  code.put(0x66);
  putRex(code, false, 0, rd);
  code.put3(0xc1, registers(ROR, rd), 8);
}

/** Reverses the bytes of 32 or 64 bits. */
export function swapBytes(code: CodeBuffer, wide: boolean, rd: number): void {
  putRex(code, wide, 0, rd);
  code.put2(0x0f, 0xc8 | (rd & 7));
}
