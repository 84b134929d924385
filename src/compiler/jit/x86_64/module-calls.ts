/** Calls in the code of kernel modules: what gcc and clang make of a call with a constant first argument. */
import type { ByteReader } from '../../bytes/reader.js';

/** R_X86_64_PC32 and R_X86_64_PLT32, which stand at a call's distance. */
export const CALL_RELOCATIONS: readonly number[] = [2, 4];
/** Instructions before a call in which its first argument is looked for. */
const LOOK_BACK = 4;

/**
 * The constant in EDI at a call whose distance is at `offset`, looked for backwards as far as all instructions are ones that load arguments:
 * any other bytes could be read in more than one way from their end.
 */
export function firstArgument(code: ByteReader, offset: number): number | null {
  let end = offset - 1; // the call's opcode
  for (let k = 0; k < LOOK_BACK; k++) {
    if (end >= 5 && code.u8(end - 5) === 0xbf) return code.u32(end - 4); // mov edi, constant
    if (end >= 2 && code.u16(end - 2) === 0xff31) return 0; // xor edi, edi
    const length = argumentLoad(code, end);
    if (length === 0) return null;
    end -= length;
  }
  return null;
}

/** Bytes of the instruction that ends at `end`, if it loads the second or third argument; else 0. */
function argumentLoad(code: ByteReader, end: number): number {
  if (end >= 7) {
    const opcode = code.u16(end - 7);
    const operand = code.u8(end - 5);
    if (opcode === 0xc748 && (operand === 0xc6 || operand === 0xc2)) return 7; // mov rsi or rdx, address
    if (opcode === 0x8d48 && (operand === 0x35 || operand === 0x15)) return 7; // lea rsi or rdx, [rip + distance]
  }
  if (end >= 5 && (code.u8(end - 5) === 0xbe || code.u8(end - 5) === 0xba)) return 5; // mov esi or edx, constant
  return 0;
}
