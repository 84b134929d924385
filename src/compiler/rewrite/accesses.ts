/** One pass over loads, stores and atomics, in the kernel's order of questions (convert_ctx_accesses). */
import * as isa from '../isa/opcodes.js';
import { EOPNOTSUPP } from '../verify/errno.js';
import type { VerifiedProgram } from '../verify/verify.js';
import { convertContextAccess } from './context-access.js';
import type { Draft } from './draft.js';
import type { Patches } from './splice.js';
import { ARENA_SIGN_EXTENSION, markProbedAccess } from './probed-access.js';
import { Rejection } from './rejection.js';
import { Sequence } from './sequence.js';

export function convertAccesses(draft: Draft, input: VerifiedProgram): Patches | Rejection {
  const patches: Patches = new Map();
  for (let i = 0; i < draft.insns.length; i++) {
    if (!isAccess(draft.insns.opcode(i))) continue;
    const sequence = addBarrier(draft, i) ?? convertContextAccess(draft, input, i);
    if (sequence !== null) patches.set(i, sequence);
    else if (!markProbedAccess(draft, i)) return new Rejection(ARENA_SIGN_EXTENSION, -EOPNOTSUPP, i);
  }
  return patches;
}

/** A load behind the store may overtake it under speculation: not past a barrier (since Linux 4.17 and 5.14). */
function addBarrier(draft: Draft, i: number): Sequence | null {
  if (!draft.facts[i]!.needsBarrier || (draft.insns.opcode(i) & isa.MODE_MASK) !== isa.MEM) return null;
  return new Sequence().copy(draft, i).emit(isa.ST | isa.NOSPEC, 0, 0, 0, 0);
}

function isAccess(opcode: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  switch (opcode & isa.CLASS_MASK) {
    case isa.LDX:
      return mode === isa.MEM || mode === isa.MEMSX;
    case isa.ST:
      return mode === isa.MEM;
    case isa.STX:
      return mode === isa.MEM || mode === isa.ATOMIC;
    default:
      return false;
  }
}
