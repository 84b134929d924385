/** Programs whose memory accesses may fault. */
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';

/** What the verifier makes of accesses through kernel pointers, or (`arena`) of those to an arena. */
export function probed(insns: Instructions, arena: boolean): Instructions {
  for (let i = 0; i < insns.length; i++) {
    const opcode = insns.opcode(i);
    const cls = opcode & isa.CLASS_MASK;
    const rest = opcode & ~isa.MODE_MASK;
    const mode = opcode & isa.MODE_MASK;
    if (arena && mode === isa.ATOMIC && cls === isa.STX) insns.setOpcode(i, rest | isa.PROBE_ATOMIC);
    else if (arena && mode === isa.MEM && cls >= isa.LDX && cls <= isa.STX) insns.setOpcode(i, rest | isa.PROBE_MEM32);
    else if (cls === isa.LDX && mode === isa.MEM) insns.setOpcode(i, rest | isa.PROBE_MEM);
    else if (cls === isa.LDX && mode === isa.MEMSX) insns.setOpcode(i, rest | isa.PROBE_MEMSX);
  }
  return insns;
}
