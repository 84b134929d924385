/**
 * Calls of helpers get the address of the helper's implementation.
 *
 * Those that the JIT emits itself keep their number (since Linux 6.10).
 */
import * as isa from '../../isa/opcodes.js';
import { callSymbol, helperSymbol } from './calls.js';
import type { Fixup } from './fixup.js';

export const leaveToJit: Fixup = ({ draft, profile }, i) => {
  return profile.jitInlinedHelpers.has(draft.insns.imm(i)) ? 'done' : null;
};

export const callHelper: Fixup = (context, i) => {
  const id = context.draft.insns.imm(i);
  callSymbol(context, i, helperSymbol(context, id));
  return 'done';
};

/** Whether slot `i` calls a helper. */
export const skipOtherThanHelpers: Fixup = ({ draft }, i) => {
  return draft.insns.opcode(i) === (isa.JMP | isa.CALL) && draft.insns.src(i) === 0 ? null : 'done';
};
