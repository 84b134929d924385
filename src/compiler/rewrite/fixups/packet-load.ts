/**
 * LD_ABS and LD_IND, classic BPF's packet loads, become calls (gen_ld_abs, since Linux 4.18).
 *
 * The offset goes to r2, the packet (always in r6) to r1; the helper loads and swaps. A negative result ends the program
 * with 0, as classic BPF does.
 */
import * as isa from '../../isa/opcodes.js';
import { Sequence } from '../sequence.js';
import type { Fixup } from './fixup.js';

export const expandPacketLoad: Fixup = ({ draft }, i) => {
  const { insns } = draft;
  const opcode = insns.opcode(i);
  const mode = opcode & isa.MODE_MASK;
  if ((opcode & isa.CLASS_MASK) !== isa.LD || (mode !== isa.ABS && mode !== isa.IND)) return null;
  const s = new Sequence();
  if (mode === isa.ABS) s.mov64Imm(isa.R2, insns.imm(i));
  else {
    s.mov64(isa.R2, insns.src(i));
    if (insns.imm(i) !== 0) s.alu64Imm(isa.ADD, isa.R2, insns.imm(i));
  }
  return s
    .mov64(isa.R1, isa.R6)
    .callKernel(`bpf_skb_load_helper_${isa.accessBytes(opcode) * 8}_no_cache`)
    .jumpImm(isa.JSGE, isa.R0, 0, 2)
    .alu32(isa.XOR, isa.R0, isa.R0)
    .exit();
};
