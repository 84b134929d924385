/**
 * Keeps loads through kernel pointers from reaching user memory (since Linux 6.12).
 *
 * A stale or hostile pointer may hold a user address, which the exception table would not stop where the page is mapped.
 * On machines whose kernel and user addresses do not overlap, a load below the limit reads zero:
 *
 *     ax = src;  ax += off;  ax >>= 32;  if ax <= limit >> 32 goto zero;  dst = *(src + off);  goto done;  zero: dst = 0
 */
import * as isa from '../../isa/opcodes.js';
import { Sequence } from '../sequence.js';
import type { Fixup } from './fixup.js';

export const guardUserAddress: Fixup = ({ draft, profile }, i) => {
  const { insns } = draft;
  const opcode = insns.opcode(i);
  const mode = opcode & isa.MODE_MASK;
  if ((opcode & isa.CLASS_MASK) !== isa.LDX || (mode !== isa.PROBE_MEM && mode !== isa.PROBE_MEMSX)) return null;
  const [limitHi, limitLo] = profile.userLimit;
  if (limitHi === 0 && limitLo === 0) return 'done';
  const s = new Sequence().mov64(isa.AX, insns.src(i));
  if (insns.off(i) !== 0) s.alu64Imm(isa.ADD, isa.AX, insns.off(i));
  return s
    .alu64Imm(isa.RSH, isa.AX, 32)
    .jumpImm(isa.JLE, isa.AX, limitHi, 2)
    .copy(draft, i)
    .ja(1)
    .mov64Imm(insns.dst(i), 0);
};
