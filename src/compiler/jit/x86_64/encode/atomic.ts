/** Atomic operations on memory, all with a LOCK prefix; 32 or (`wide`) 64 bits. */
import type { CodeBuffer } from '../code-buffer.js';
import { putIndexedMemory, putMemory, putRex, rexOf } from './operands.js';

const LOCK = 0xf0;

/** Opcodes of what is not plain arithmetic; above 0xff: behind an 0F byte. */
export const XADD = 0x0fc1;
export const XCHG = 0x87;
/** Compares RAX with memory; RAX becomes what was there. */
export const CMPXCHG = 0x0fb1;

/** `opcode` (one of the above, or arithmetic's) on [base + offset] with rs. */
export function atomic(
  code: CodeBuffer,
  opcode: number,
  wide: boolean,
  rs: number,
  base: number,
  offset: number,
): void {
  code.put(LOCK);
  putRex(code, wide, rs, base);
  putOpcode(code, opcode);
  putMemory(code, rs, base, offset);
}

/** On [base + index + offset], `index` in R8 to R15. */
export function atomicIndexed(
  code: CodeBuffer,
  opcode: number,
  wide: boolean,
  rs: number,
  base: number,
  index: number,
  offset: number,
): void {
  code.put2(LOCK, rexOf(wide, rs, index, base));
  putOpcode(code, opcode);
  putIndexedMemory(code, rs, base, index, offset);
}

function putOpcode(code: CodeBuffer, opcode: number): void {
  if (opcode > 0xff) code.put(opcode >> 8);
  code.put(opcode);
}
