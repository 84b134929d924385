/** Calls in the code of kernel modules: what gcc and clang make of a call with a constant first argument. */
import type { ByteReader } from '../../bytes/reader.js';

/** R_390_PC32DBL and R_390_PLT32DBL: the distance in a brasl, two bytes into it. */
export const CALL_RELOCATIONS = [19, 20];
const FIELD = 2;

/**
 * The constant in %r2 at the call whose distance lies at `offset`. Instructions have three lengths, so that they are read
 * from the section's start on; a branch between, or another instruction that names %r2 first, hides the constant.
 */
export function firstArgument(code: ByteReader, offset: number): number | null {
  const call = offset - FIELD;
  let at = 0;
  let argument: number | null = null;
  while (at < call) {
    const head = code.u16(at);
    if (isLoadOfConstant(head)) argument = (code.u16(at + 2) << 16) >> 16;
    else if (branches(head) || namesFirst(code, at, head)) argument = null;
    at += instructionBytes(head);
  }
  return at === call ? argument : null;
}

/** Two bytes, four or six: the first two bits tell. */
function instructionBytes(head: number): number {
  return head < 0x4000 ? 2 : head < 0xc000 ? 4 : 6;
}

/** lhi %r2,constant and lghi %r2,constant */
function isLoadOfConstant(head: number): boolean {
  return head === 0xa728 || head === 0xa729;
}

/** basr, bcr (but for its nops); bc, brc, bras, brct; brcl, brasl; compare-and-branch instructions. */
function branches(head: number): boolean {
  const opcode = head >> 8;
  const extended = head & 0xf;
  if (opcode === 0x07) return (head & 0xf0) !== 0;
  if (opcode === 0xa7) return extended >= 4 && extended <= 7;
  if (opcode === 0xc0) return extended === 4 || extended === 5;
  return opcode === 0x0d || opcode === 0x47 || opcode === 0xec;
}

/** Whether an instruction's first register is %r2: in its second byte, or in its fourth where two bytes are the opcode. */
function namesFirst(code: ByteReader, at: number, head: number): boolean {
  const isLongOpcode = head >> 8 === 0xb9 || head >> 8 === 0xb2;
  const byte = isLongOpcode ? code.u16(at + 2) & 0xff : head & 0xff;
  return byte >> 4 === 2;
}
