/**
 * Marks the accesses that may fault, for the JIT to give them an entry in the exception table.
 *
 * - Loads through kernel pointers that may be stale (PTR_TO_BTF_ID, untrusted allocated objects) become PROBE_MEM, and
 *   PROBE_MEMSX where they extend the sign: a fault reads as zero (since Linux 5.5).
 * - Accesses to an arena become PROBE_MEM32 and PROBE_ATOMIC: the register holds the low half of a user address, which
 *   the JIT adds to the arena's kernel address; a fault reads zero and writes nothing (since 6.9, atomics since 6.10).
 */
import * as isa from '../isa/opcodes.js';
import { MEM_ALLOC, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_UNTRUSTED } from '../targets/types.js';
import type { Draft } from './draft.js';

/** Errno EOPNOTSUPP's sentence of this pass. */
export const ARENA_SIGN_EXTENSION = 'sign extending loads from arena are not supported yet';

/** Marks the access at `i` where it needs it. False for one that the kernel refuses (ARENA_SIGN_EXTENSION). */
export function markProbedAccess(draft: Draft, i: number): boolean {
  const { insns } = draft;
  const opcode = insns.opcode(i);
  const mode = opcode & isa.MODE_MASK;
  const sizeAndClass = opcode & (isa.SIZE_MASK | isa.CLASS_MASK);
  switch (draft.facts[i]!.ptrType) {
    case PTR_TO_BTF_ID:
    case PTR_TO_BTF_ID | PTR_UNTRUSTED:
    case PTR_TO_BTF_ID | MEM_ALLOC | PTR_UNTRUSTED:
      if ((opcode & isa.CLASS_MASK) !== isa.LDX) return true;
      insns.setOpcode(i, sizeAndClass | (mode === isa.MEM ? isa.PROBE_MEM : isa.PROBE_MEMSX));
      return true;
    case PTR_TO_ARENA:
      if (mode === isa.MEMSX) return false;
      insns.setOpcode(i, sizeAndClass | (mode === isa.ATOMIC ? isa.PROBE_ATOMIC : isa.PROBE_MEM32));
      return true;
    default:
      return true;
  }
}
