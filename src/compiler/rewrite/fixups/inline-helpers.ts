/**
 * Helpers that need no call: they become the few instructions that they are, where there is a JIT to compile them.
 *
 * - bpf_jiffies64: a load of the kernel's tick counter (since Linux 5.6).
 * - Those without arguments that become the same instructions always, such as bpf_get_smp_processor_id on some machines.
 * - bpf_kptr_xchg: an atomic exchange, where the JIT can do it (since 6.8, arm64 since 6.11).
 * - bpf_get_branch_snapshot: a size check around the driver's function (since 6.10).
 */
import * as isa from '../../isa/opcodes.js';
import { EINVAL, ENOENT } from '../../verify/errno.js';
import * as helper from '../../targets/helper-ids.js';
import { Sequence } from '../sequence.js';
import { isHelperCall, kernelSymbol } from './calls.js';
import type { Fixup } from './fixup.js';

export const inlineJiffies: Fixup = ({ draft, profile }, i) => {
  if (profile.behaviour.interpretsPrograms || !isHelperCall(draft.insns, i, helper.JIFFIES64)) return null;
  return new Sequence().loadSymbol(isa.R0, kernelSymbol('jiffies')).load(isa.DW, isa.R0, isa.R0, 0);
};

/** Helpers of which the kernel was asked what they become. */
export const inlineRecorded: Fixup = ({ draft, profile }, i) => {
  const template = profile.inlinedHelpers.get(draft.insns.imm(i));
  if (template === undefined) return null;
  const sequence = new Sequence();
  for (const [opcode, dst, src, off, imm] of template) sequence.emit(opcode, dst, src, off, imm ?? 0);
  return sequence;
};

export const inlineKptrExchange: Fixup = ({ draft, profile }, i) => {
  const { interpretsPrograms, inlinesPointerExchange } = profile.behaviour;
  if (interpretsPrograms || !inlinesPointerExchange || !isHelperCall(draft.insns, i, helper.KPTR_XCHG)) return null;
  return new Sequence().mov64(isa.R0, isa.R2).emit(isa.STX | isa.ATOMIC | isa.DW, isa.R1, isa.R0, 0, isa.XCHG);
};

/** The driver's function (static call perf_snapshot_branch_stack): no driver of arm64 has one, as of 6.12. */
const NO_BRANCH_RECORDS = '__static_call_return0';

/** sizeof(struct perf_branch_entry). Sizes are divided by it as size * 0xaaaaaaab >> 36. */
const BRANCH_ENTRY_SIZE = 24;

export const inlineBranchSnapshot: Fixup = ({ draft, profile }, i) => {
  if (!isHelperCall(draft.insns, i, helper.GET_BRANCH_SNAPSHOT)) return null;
  if (profile.behaviour.interpretsPrograms || profile.config.get('CONFIG_PERF_EVENTS') !== 'y') return null;
  return new Sequence()
    .jumpImm(isa.JNE, isa.R3, 0, 7)
    .mov32Imm(isa.R0, 0xaaaaaaab | 0)
    .alu64(isa.MUL, isa.R2, isa.R0)
    .alu64Imm(isa.RSH, isa.R2, 36)
    .callKernel(NO_BRANCH_RECORDS)
    .jumpImm(isa.JEQ, isa.R0, 0, 4)
    .alu32Imm(isa.MUL, isa.R0, BRANCH_ENTRY_SIZE)
    .ja(3)
    .mov64Imm(isa.R0, -EINVAL)
    .ja(1)
    .mov64Imm(isa.R0, -ENOENT);
};
