/**
 * What tracing programs ask about the function they are attached to (since Linux 5.17).
 *
 * The trampoline lays out, in words from the context that r1 points to: its arguments from 0, the return value behind
 * them, the number of arguments at -8, and the function's address at -16. So the helpers are loads.
 */
import * as isa from '../../isa/opcodes.js';
import { EINVAL, EOPNOTSUPP } from '../../verify/errno.js';
import { BPF_MODIFY_RETURN, BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT } from '../../targets/uapi.js';
import * as helper from '../../targets/helper-ids.js';
import { Sequence } from '../sequence.js';
import { isHelperCall } from './calls.js';
import type { Fixup, FixupContext } from './fixup.js';

const ARGUMENT_COUNT = -8;
const FUNCTION_ADDRESS = -16;

export const inlineTracedFunction: Fixup = (context, i) => {
  if (context.input.progType !== BPF_PROG_TYPE_TRACING) return null;
  const { insns } = context.draft;
  const id = insns.imm(i);
  if (!isHelperCall(insns, i, id)) return null;
  switch (id) {
    case helper.GET_FUNC_ARG:
      return argument();
    case helper.GET_FUNC_RET:
      return returnValue(context);
    case helper.GET_FUNC_ARG_CNT:
      return new Sequence().load(isa.DW, isa.R0, isa.R1, ARGUMENT_COUNT);
    case helper.GET_FUNC_IP:
      return new Sequence().load(isa.DW, isa.R0, isa.R1, FUNCTION_ADDRESS);
    default:
      return null;
  }
};

function argument(): Sequence {
  return new Sequence()
    .load(isa.DW, isa.R0, isa.R1, ARGUMENT_COUNT)
    .jump32(isa.JGE, isa.R2, isa.R0, 6)
    .alu64Imm(isa.LSH, isa.R2, 3)
    .alu64(isa.ADD, isa.R2, isa.R1)
    .load(isa.DW, isa.R0, isa.R2, 0)
    .store(isa.DW, isa.R3, isa.R0, 0)
    .mov64Imm(isa.R0, 0)
    .ja(1)
    .mov64Imm(isa.R0, -EINVAL);
}

function returnValue(context: FixupContext): Sequence {
  const attachType = context.input.expectedAttachType;
  if (attachType !== BPF_TRACE_FEXIT && attachType !== BPF_MODIFY_RETURN) {
    return new Sequence().mov64Imm(isa.R0, -EOPNOTSUPP);
  }
  return new Sequence()
    .load(isa.DW, isa.R0, isa.R1, ARGUMENT_COUNT)
    .alu64Imm(isa.LSH, isa.R0, 3)
    .alu64(isa.ADD, isa.R0, isa.R1)
    .load(isa.DW, isa.R3, isa.R0, 0)
    .store(isa.DW, isa.R2, isa.R3, 0)
    .mov64Imm(isa.R0, 0);
}
