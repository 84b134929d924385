/**
 * bpf_tail_call becomes an opcode of its own (since Linux 4.2).
 *
 * Where every path passes the same map and the same constant slot, the call is numbered, from 1: a JIT may then jump
 * straight to the program in the slot (since 5.5). arm64's does not, but is handed the number.
 */
import * as isa from '../../isa/opcodes.js';
import { ENOSPC } from '../../verify/errno.js';
import * as helper from '../../targets/helper-ids.js';
import { Rejection } from '../rejection.js';
import type { Fixup } from './fixup.js';
import { isHelperCall } from './calls.js';

/** Most numbered tail calls of a program. */
const MAX_KNOWN = 1024;

export const markTailCall: Fixup = (context, i) => {
  const { insns, facts } = context.draft;
  if (!isHelperCall(insns, i, helper.TAIL_CALL)) return null;
  const { mapIndex, mapKey } = facts[i]!;
  const known = mapIndex >= 0 && mapKey >= 0;
  if (known && context.knownTailCalls === MAX_KNOWN) {
    return new Rejection('adding tail call poke descriptor failed', -ENOSPC, i);
  }
  if (known) context.knownTailCalls++;
  insns.setOpcode(i, isa.JMP | isa.TAIL_CALL);
  insns.setImm(i, known ? context.knownTailCalls : 0);
  return 'done';
};
