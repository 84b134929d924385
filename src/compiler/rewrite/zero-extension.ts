/**
 * Zero extension by hand, where the JIT's machine does not give it (since Linux 5.3).
 *
 * 32-bit results must leave the upper half of a register zero. arm64's instructions do so by themselves, and its JIT asks
 * for none (bpf_jit_needs_zext is false); what shows is the one exception that holds for every machine (since 5.12): a
 * 32-bit compare-and-exchange, which may leave r0 unwritten, is followed by a `w0 = w0` of its own kind (immediate 1)
 * where the program reads all 64 bits.
 */
import * as isa from '../isa/opcodes.js';
import type { Draft } from './draft.js';
import type { Patches } from './splice.js';
import { Sequence } from './sequence.js';

export function addZeroExtensions(draft: Draft): Patches {
  const patches: Patches = new Map();
  const { insns, facts } = draft;
  for (let i = 0; i < insns.length; i++) {
    if (!facts[i]!.zeroExtend || !isCompareExchange(insns.opcode(i), insns.imm(i))) continue;
    patches.set(i, new Sequence().copy(draft, i).emit(isa.ALU | isa.MOV | isa.X, isa.R0, isa.R0, 0, 1));
  }
  return patches;
}

function isCompareExchange(opcode: number, imm: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  const isAtomic = mode === isa.ATOMIC || mode === isa.PROBE_ATOMIC;
  return (opcode & isa.CLASS_MASK) === isa.STX && isAtomic && imm === isa.CMPXCHG;
}
