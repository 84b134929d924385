/**
 * bpf_tail_call becomes an opcode of its own (since Linux 4.2).
 *
 * Where every path passes the same map and the same constant slot, the call is numbered, from 1: a JIT may then jump
 * straight to the program in the slot (since 5.5). arm64's does not, but is handed the number.
 *
 * For processes without CAP_PERFMON the slot is masked, and no call is numbered: a processor that guesses the slot to be
 * within the array reads within its memory, which the kernel rounds up to a power of two (since 4.15).
 */
import * as isa from '../../isa/opcodes.js';
import { EINVAL, ENOSPC } from '../../verify/errno.js';
import * as helper from '../../targets/helper-ids.js';
import { indexMask } from '../index-mask.js';
import { Rejection } from '../rejection.js';
import { Sequence } from '../sequence.js';
import type { Fixup } from './fixup.js';
import { isHelperCall } from './calls.js';

/** Facts.mapIndex where the paths differ. */
const SEVERAL = -2;
/** Most numbered tail calls of a program. */
const MAX_KNOWN = 1024;

export const markTailCall: Fixup = (context, i) => {
  const { draft } = context;
  const { insns, facts } = draft;
  if (!isHelperCall(insns, i, helper.TAIL_CALL)) return null;
  const { mapIndex, mapKey, map } = facts[i]!;
  const { capable, bypassSpecV1 } = context.input;
  const known =
    !context.profile.behaviour.interpretsPrograms && capable && bypassSpecV1 && mapIndex >= 0 && mapKey >= 0;
  if (known && context.knownTailCalls === MAX_KNOWN) {
    return new Rejection('adding tail call poke descriptor failed', -ENOSPC, i);
  }
  if (known) context.knownTailCalls++;
  insns.setOpcode(i, isa.JMP | isa.TAIL_CALL);
  insns.setImm(i, known ? context.knownTailCalls : 0);
  if (bypassSpecV1) return 'done';
  if (mapIndex === SEVERAL || map === null) return new Rejection('tail_call abusing map_ptr', -EINVAL, i);
  return new Sequence()
    .jumpImm(isa.JGE, isa.R3, map.spec.maxEntries | 0, 2)
    .alu32Imm(isa.AND, isa.R3, indexMask(map.spec.maxEntries))
    .copy(draft, i);
};
