/**
 * Calls of kernel functions get their address, and what they take that programs do not pass (since Linux 5.13).
 *
 * Functions on allocated objects and graph nodes (since 6.2) are handed what the verifier found out: the object's size,
 * the record of its special fields, where in it the node lies. Casts that only change the verifier's mind are moves.
 * bpf_dynptr_from_skb has a variant for program types that may not write packets (since 6.4); bpf_wq_set_callback is
 * handed the program (since 6.10).
 */
import * as isa from '../../isa/opcodes.js';
import type { Facts } from '../../verify/facts.js';
import { EINVAL } from '../../verify/errno.js';
import * as uapi from '../../targets/uapi.js';
import { Rejection } from '../rejection.js';
import { Sequence } from '../sequence.js';
import { argumentModels } from '../../btf/argument-models.js';
import { kernelSymbol } from './calls.js';
import type { Fixup, FixupContext } from './fixup.js';

/** Program types that may write packets directly (may_access_direct_pkt_data). */
const WRITES_PACKETS: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_SCHED_CLS,
  uapi.BPF_PROG_TYPE_SCHED_ACT,
  uapi.BPF_PROG_TYPE_XDP,
  uapi.BPF_PROG_TYPE_LWT_XMIT,
  uapi.BPF_PROG_TYPE_SK_SKB,
  uapi.BPF_PROG_TYPE_SK_MSG,
  uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
]);

/** What goes in front of a call, given what the verifier learnt of it. */
type Arguments = (s: Sequence, facts: Facts) => void;

const EXTRA_ARGUMENTS: ReadonlyMap<string, Arguments> = new Map<string, Arguments>([
  ['bpf_obj_new_impl', allocation],
  ['bpf_percpu_obj_new_impl', allocation],
  ['bpf_obj_drop_impl', fieldRecord],
  ['bpf_percpu_obj_drop_impl', fieldRecord],
  ['bpf_refcount_acquire_impl', fieldRecord],
  ['bpf_list_push_back_impl', (s, facts) => graphNode(s, facts, isa.R3)],
  ['bpf_list_push_front_impl', (s, facts) => graphNode(s, facts, isa.R3)],
  ['bpf_rbtree_add_impl', (s, facts) => graphNode(s, facts, isa.R4)],
  ['bpf_wq_set_callback_impl', (s) => s.loadSymbol(isa.R4, { kind: 'programAux', addend: 0 })],
]);

const CASTS: ReadonlySet<string> = new Set(['bpf_cast_to_kern_ctx', 'bpf_rdonly_cast']);

export const callKernelFunction: Fixup = (context, i) => {
  const { insns, facts } = context.draft;
  if (insns.opcode(i) !== (isa.JMP | isa.CALL) || insns.src(i) !== isa.PSEUDO_KFUNC_CALL) return null;
  const id = insns.imm(i);
  if (id === 0) return new Rejection('invalid kernel function call not eliminated in verifier pass', -EINVAL, i);
  const off = insns.off(i);
  const module = off > 0 ? context.input.program.functionBtfs?.[off - 1] : undefined;
  const name = (module?.btf ?? context.profile.btf).typeName(id);
  context.draft.insns.setImm(i, 0);
  const models = argumentModels(module?.btf ?? context.profile.btf, id);
  const dumped = context.profile.behaviour.callsByFunctionId ? { btfId: id } : {};
  context.draft.symbols.set(i, { ...kernelSymbol(specialised(context, name)), arguments: models, ...dumped });
  if (CASTS.has(name)) return new Sequence().mov64(isa.R0, isa.R1);
  const addArguments = EXTRA_ARGUMENTS.get(name);
  if (addArguments === undefined) return 'done';
  const s = new Sequence();
  addArguments(s, facts[i]!);
  return s.copy(context.draft, i);
};

function specialised(context: FixupContext, name: string): string {
  const readOnly = name === 'bpf_dynptr_from_skb' && !WRITES_PACKETS.has(context.input.progType);
  return readOnly ? 'bpf_dynptr_from_skb_rdonly' : name;
}

function allocation(s: Sequence, facts: Facts): void {
  s.mov64Imm(isa.R1, facts.objNewSize);
  fieldRecord(s, facts);
}

function fieldRecord(s: Sequence, facts: Facts): void {
  loadStructMeta(s, isa.R2, facts);
}

function graphNode(s: Sequence, facts: Facts, register: number): void {
  loadStructMeta(s, register, facts);
  s.mov64Imm(register + 1, facts.graphNodeOffset);
}

/** The kernel's struct btf_struct_meta of the object's type, or null where the type has no special fields. */
function loadStructMeta(s: Sequence, register: number, facts: Facts): void {
  if (facts.record === null) s.loadNull(register);
  else s.loadSymbol(register, { kind: 'structMeta', typeId: facts.recordTypeId });
}
