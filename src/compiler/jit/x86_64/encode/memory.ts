/**
 * Loads and stores: at [base + offset], and at [base + index + offset]. Sizes are logarithms of bytes: 0 byte, 1 word, 2 double word, 3
 * quad word. `base` is neither RSP nor R12, `index` not RSP.
 */
import type { CodeBuffer } from '../code-buffer.js';
import { putIndexedMemory, putMemory, putRex, rexOf } from './operands.js';
import { RSP } from './registers.js';

/** Zero-extends to 64 bits. */
export function load(code: CodeBuffer, sizeLog2: number, rd: number, base: number, offset: number): void {
  if (sizeLog2 < 2) code.put3(rexOf(true, rd, 0, base), 0x0f, 0xb6 | sizeLog2);
  else {
    putRex(code, sizeLog2 === 3, rd, base);
    code.put(0x8b);
  }
  putMemory(code, rd, base, offset);
}

/** Sign-extends to 64 bits; not for quad words. */
export function loadSigned(code: CodeBuffer, sizeLog2: number, rd: number, base: number, offset: number): void {
  const rex = rexOf(true, rd, 0, base);
  if (sizeLog2 < 2) code.put3(rex, 0x0f, 0xbe | sizeLog2);
  else code.put2(rex, 0x63);
  putMemory(code, rd, base, offset);
}

export function store(code: CodeBuffer, sizeLog2: number, rs: number, base: number, offset: number): void {
  if (sizeLog2 === 1) code.put(0x66);
  // Without a prefix, numbers 4 to 7 mean AH to BH where a byte is meant.
  if (sizeLog2 === 0 && rs >= RSP) code.put(rexOf(false, rs, 0, base));
  else putRex(code, sizeLog2 === 3, rs, base);
  code.put(sizeLog2 === 0 ? 0x88 : 0x89);
  putMemory(code, rs, base, offset);
}

/** A quad word is stored from 32 bits, sign-extended. */
export function storeNumber(code: CodeBuffer, sizeLog2: number, base: number, offset: number, value: number): void {
  if (sizeLog2 === 1) code.put(0x66);
  putRex(code, sizeLog2 === 3, 0, base);
  code.put(sizeLog2 === 0 ? 0xc6 : 0xc7);
  putMemory(code, 0, base, offset);
  putNumber(code, sizeLog2, value);
}

/** `index` in R8 to R15, so that a REX prefix is always there. */
export function loadIndexed(
  code: CodeBuffer,
  sizeLog2: number,
  rd: number,
  base: number,
  index: number,
  offset: number,
): void {
  const rex = rexOf(sizeLog2 === 3, rd, index, base);
  if (sizeLog2 < 2) code.put3(rex, 0x0f, 0xb6 | sizeLog2);
  else code.put2(rex, 0x8b);
  putIndexedMemory(code, rd, base, index, offset);
}

export function storeIndexed(
  code: CodeBuffer,
  sizeLog2: number,
  rs: number,
  base: number,
  index: number,
  offset: number,
): void {
  if (sizeLog2 === 1) code.put(0x66);
  code.put2(rexOf(sizeLog2 === 3, rs, index, base), sizeLog2 === 0 ? 0x88 : 0x89);
  putIndexedMemory(code, rs, base, index, offset);
}

export function storeNumberIndexed(
  code: CodeBuffer,
  sizeLog2: number,
  base: number,
  index: number,
  offset: number,
  value: number,
): void {
  if (sizeLog2 === 1) code.put(0x66);
  code.put2(rexOf(sizeLog2 === 3, 0, index, base), sizeLog2 === 0 ? 0xc6 : 0xc7);
  putIndexedMemory(code, 0, base, index, offset);
  putNumber(code, sizeLog2, value);
}

function putNumber(code: CodeBuffer, sizeLog2: number, value: number): void {
  if (sizeLog2 === 0) code.put(value);
  else if (sizeLog2 === 1) code.put2(value, value >> 8);
  else code.put32(value);
}

/** A quad word from [base + offset], the offset in 32 bits however small it is. */
export function loadFar(code: CodeBuffer, rd: number, base: number, offset: number): void {
  code.put3(rexOf(true, rd, 0, base), 0x8b, 0x80 | ((rd & 7) << 3) | (base & 7));
  code.put32(offset);
}

/** A quad word from [base + 8 * index + offset], the offset in 32 bits. */
export function loadElement(code: CodeBuffer, rd: number, base: number, index: number, offset: number): void {
  code.put2(rexOf(true, rd, index, base), 0x8b);
  code.put2(0x84 | ((rd & 7) << 3), 0xc0 | ((index & 7) << 3) | (base & 7));
  code.put32(offset);
}

/** Compares the double word at [base + offset] with a register. */
export function compareWith(code: CodeBuffer, rm: number, base: number, offset: number): void {
  putRex(code, false, rm, base);
  code.put(0x39);
  putMemory(code, rm, base, offset);
}

/** Compares the quad word at [base] with a signed byte; `base` is not R13, nor what memory operands never have. */
export function compareWordWithNumber(code: CodeBuffer, base: number, value: number): void {
  code.put3(rexOf(true, 0, 0, base), 0x83, 0x38 | (base & 7));
  code.put(value);
}

/** Adds a signed byte to the quad word at [base], as above. */
export function addToWord(code: CodeBuffer, base: number, value: number): void {
  code.put3(rexOf(true, 0, 0, base), 0x83, base & 7);
  code.put(value);
}
