/**
 * Arithmetic on arena pointers is done in 32 bits (since Linux 6.9).
 *
 * A pointer into an arena is the low half of a user address; the JIT expects the upper half to be zero. The verifier
 * marks the 64-bit operations on such pointers, and they become 32-bit ones. Later fix-ups see the result.
 */
import * as isa from '../../isa/opcodes.js';
import type { Fixup } from './fixup.js';

export const narrowArenaArithmetic: Fixup = ({ draft }, i) => {
  if (draft.facts[i]!.needsCast) {
    const opcode = draft.insns.opcode(i);
    draft.insns.setOpcode(i, isa.ALU | (opcode & (isa.OP_MASK | isa.X)));
  }
  return null;
};
