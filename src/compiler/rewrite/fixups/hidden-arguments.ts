/**
 * Helpers that take an argument which programs do not pass.
 *
 * - bpf_timer_set_callback: r3 = the program's bpf_prog_aux, which the timer keeps alive (since Linux 5.15).
 * - bpf_*_storage_get: r5 = how memory may be allocated, which depends on whether the program may sleep (since 5.17).
 * - bpf_per_cpu_ptr and bpf_this_cpu_ptr on memory of bpf_percpu_obj_new: r1 is a pointer to the per-CPU pointer
 *   (since 6.7).
 */
import * as isa from '../../isa/opcodes.js';
import * as helper from '../../targets/helper-ids.js';
import { Sequence } from '../sequence.js';
import { helperSymbol, isHelperCall } from './calls.js';
import type { Fixup } from './fixup.js';

/** include/linux/gfp_types.h, 6.12. */
const GFP_ATOMIC = 0x820;
const GFP_KERNEL = 0xcc0;

const STORAGE_GET: ReadonlySet<number> = new Set([
  helper.SK_STORAGE_GET,
  helper.INODE_STORAGE_GET,
  helper.TASK_STORAGE_GET,
  helper.CGRP_STORAGE_GET,
]);

export const passTimerOwner: Fixup = (context, i) => {
  if (!isHelperCall(context.draft.insns, i, helper.TIMER_SET_CALLBACK)) return null;
  return new Sequence()
    .loadSymbol(isa.R3, { kind: 'programAux', addend: 0 })
    .callKernel(helperSymbol(context, helper.TIMER_SET_CALLBACK));
};

export const passAllocationFlags: Fixup = (context, i) => {
  const { insns, facts } = context.draft;
  const id = insns.imm(i);
  if (!isHelperCall(insns, i, id) || !STORAGE_GET.has(id)) return null;
  const atomic = !context.input.sleepable || facts[i]!.storageGetAtomic;
  return new Sequence().mov64Imm(isa.R5, atomic ? GFP_ATOMIC : GFP_KERNEL).callKernel(helperSymbol(context, id));
};

export const loadPerCpuPointer: Fixup = (context, i) => {
  const { insns, facts } = context.draft;
  if (!facts[i]!.callWithPercpuAlloc) return null;
  return new Sequence().load(isa.DW, isa.R1, isa.R1, 0).callKernel(helperSymbol(context, insns.imm(i)));
};
