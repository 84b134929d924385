/**
 * Puts a program type's prologue in front of the program (gen_prologue of its operations, since Linux 4.1).
 *
 * Classifiers that write packet data directly, for instance, first make the packet's header private to them. The
 * profile holds the instructions. A loop back to the program's first instruction does not run the prologue again.
 */
import { Instructions } from '../isa/instructions.js';
import type { Draft } from './draft.js';
import type { Patches } from './splice.js';
import type { VerifiedProgram } from '../verify/verify.js';
import { Sequence } from './sequence.js';

export function addPrologue(draft: Draft, input: VerifiedProgram): Patches {
  const { profile, program, progType, expectedAttachType, seenDirectWrite } = input;
  const code = profile.context(progType, expectedAttachType, program.capabilities)?.prologue(seenDirectWrite) ?? null;
  if (code === null || code.length === 0) return new Map();
  const sequence = new Sequence().raw(Instructions.from(code)).copy(draft, 0);
  sequence.landOnLast = true;
  return new Map([[0, sequence]]);
}
