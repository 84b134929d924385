/** Constants into registers, in the shortest form that holds them. */
import { arithmetic, XOR } from '../encode/arithmetic.js';
import { loadSigned, loadUnsigned, loadWide } from '../encode/move.js';
import type { SymbolRef } from '../../program.js';
import type { FunctionState } from '../state.js';

/** A 32-bit number, zero-extended. */
export function loadUnsignedNumber(s: FunctionState, rd: number, value: number): void {
  if (value === 0) arithmetic(s.code, XOR, false, rd, rd);
  else loadUnsigned(s.code, rd, value);
}

/** A 32-bit number, sign-extended to 64. */
export function loadSignedNumber(s: FunctionState, rd: number, value: number): void {
  if (value < 0) loadSigned(s.code, rd, value);
  else loadUnsignedNumber(s, rd, value);
}

/** A 64-bit number. */
export function loadWideNumber(s: FunctionState, rd: number, hi: number, lo: number): void {
  if (hi === 0) loadUnsignedNumber(s, rd, lo);
  else if (hi === lo >> 31) loadSignedNumber(s, rd, lo);
  else loadWide(s.code, rd, hi, lo);
}

/**
 * An address that only a linker knows: 64 bits. A function of the program's own lies among the kernel's modules, in the upper 2 GiB, and its
 * address is that of 32 bits, sign-extended.
 */
export function loadSymbol(s: FunctionState, rd: number, symbol: SymbolRef): void {
  const addend = 'addend' in symbol ? symbol.addend : 0;
  if (symbol.kind === 'function') {
    loadSigned(s.code, rd, 0);
    s.relocate(s.code.length - 4, 'R_X86_64_32S', symbol, addend);
  } else {
    loadWide(s.code, rd, 0, 0);
    s.relocate(s.code.length - 8, 'R_X86_64_64', symbol, addend);
  }
}
