/** Byte order: s390x is big-endian, so that "to big-endian" only cuts, and "to little-endian" swaps as bswap (cpu v4) does. */
import * as isa from '../../../isa/opcodes.js';
import { rre, rs } from '../encode/formats.js';
import { LLGHR, LRVGR, LRVR, SRL } from '../encode/opcodes.js';
import { MACHINE_REGISTER, NONE } from '../registers.js';
import type { FunctionState } from '../state.js';
import { extendResult } from './zero-extension.js';

/** Lowers slot `i`; false where the class and direction make no instruction. */
export function swapBytes(s: FunctionState, i: number, opcode: number): boolean {
  const { code } = s;
  const rd = MACHINE_REGISTER[s.fn.instructions.dst(i)]!;
  const bits = s.fn.instructions.imm(i);
  const toBig = (opcode & isa.X) !== 0;
  if (toBig && (opcode & isa.CLASS_MASK) === isa.ALU64) return false;
  switch (bits) {
    case 16:
      if (!toBig) {
        rre(code, LRVR, rd, rd);
        rs(code, SRL, rd, NONE, 16);
      }
      rre(code, LLGHR, rd, rd);
      return true;
    case 32:
      if (!toBig) rre(code, LRVR, rd, rd);
      extendResult(s, rd);
      return true;
    case 64:
      if (!toBig) rre(code, LRVGR, rd, rd);
      return true;
    default:
      return false;
  }
}
