/**
 * Fields of kernel structures that some kinds of programs may write to (the btf_struct_access operation of program types
 * and struct_ops, Linux 6.12).
 */
import { KERNEL_MEMORY } from '../refusals/kernel-memory.js';
import { refuse } from '../refusals/refuse.js';
import { KIND_STRUCT } from '../../btf/kinds.js';
import type { Btf } from '../../btf/btf.js';
import { memberIndex, typeSize } from '../../btf/layout.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';

/** Paths of members in struct tcp_sock, which congestion control may write. */
const TCP_SOCK_FIELDS: readonly { readonly path: readonly string[]; readonly inside: boolean }[] = [
  { path: ['inet_conn', 'icsk_inet', 'sk', 'sk_pacing_rate'], inside: false },
  { path: ['inet_conn', 'icsk_inet', 'sk', 'sk_pacing_status'], inside: false },
  { path: ['inet_conn', 'icsk_ca_priv'], inside: true },
  { path: ['inet_conn', 'icsk_ack', 'pending'], inside: false },
  { path: ['snd_cwnd'], inside: false },
  { path: ['snd_cwnd_cnt'], inside: false },
  { path: ['snd_cwnd_stamp'], inside: false },
  { path: ['snd_ssthresh'], inside: false },
  { path: ['ecn_flags'], inside: false },
  { path: ['app_limited'], inside: false },
];

/** 0 where the write is allowed, a negative errno where it is not, null where the kind of program has no rule of its own. */
export function checkBtfWrite(env: Env, reg: ReadonlyReg, off: number, size: number): number | null {
  switch (env.progType) {
    case uapi.BPF_PROG_TYPE_SCHED_CLS:
    case uapi.BPF_PROG_TYPE_SCHED_ACT:
    case uapi.BPF_PROG_TYPE_XDP:
      return refuse(env, KERNEL_MEMORY.connectionWrite); // struct nf_conn's mark, once nf_conntrack's module says so
    case uapi.BPF_PROG_TYPE_STRUCT_OPS:
      return checkStructOpsWrite(env, reg, off, size);
    default:
      return null;
  }
}

function checkStructOpsWrite(env: Env, reg: ReadonlyReg, off: number, size: number): number | null {
  const name = env.profile.structOps(env.attachBtfId)?.name;
  if (name === 'tcp_congestion_ops') return checkTcpSock(env, reg, off, size);
  if (name === 'bpf_dummy_ops') return checkDummyState(env, reg, off, size);
  return null;
}

function checkDummyState(env: Env, reg: ReadonlyReg, off: number, size: number): number {
  const btf = reg.btf!;
  const state = btf.find('bpf_dummy_ops_state', KIND_STRUCT);
  if (state === 0) return refuse(env, KERNEL_MEMORY.dummyOpsUnknown);
  if (reg.btfId !== state) {
    return refuse(env, KERNEL_MEMORY.dummyOpsAccess);
  }
  if (off + size <= btf.sizeOrType(state)) return 0;
  return refuse(env, KERNEL_MEMORY.writeOutside, off, size);
}

function checkTcpSock(env: Env, reg: ReadonlyReg, off: number, size: number): number {
  const btf = reg.btf!;
  const struct = btf.find('tcp_sock', KIND_STRUCT);
  if (struct === 0 || reg.btfId !== struct) {
    return refuse(env, KERNEL_MEMORY.kernelReadOnly);
  }
  for (const { path, inside } of TCP_SOCK_FIELDS) {
    const field = locate(btf, struct, path);
    if (field === null) continue;
    if (inside ? off < field.start || off >= field.end : off !== field.start) continue;
    if (off + size <= field.end) return 0;
    return refuse(env, KERNEL_MEMORY.writeBeyondMember, off, size, field.end);
  }
  return refuse(env, KERNEL_MEMORY.writeNotSupported, off);
}

/** Where a nested member lies, in bytes. */
function locate(btf: Btf, struct: number, path: readonly string[]): { start: number; end: number } | null {
  let type = struct;
  let start = 0;
  for (const name of path) {
    type = btf.skipModifiers(type);
    const found = findMember(btf, type, name);
    if (found === null) return null;
    start += found.offset;
    type = found.type;
  }
  return { start, end: start + typeSize(btf, type) };
}

/** A member by name, those of anonymous structures and unions included. */
function findMember(btf: Btf, struct: number, name: string): { offset: number; type: number } | null {
  const at = memberIndex(btf, struct, name);
  if (at >= 0) return { offset: btf.memberBitOffset(struct, at) >>> 3, type: btf.memberType(struct, at) };
  for (let i = 0; i < btf.vlen(struct); i++) {
    if (btf.memberNameOff(struct, i) !== 0) continue;
    const inner = findMember(btf, btf.skipModifiers(btf.memberType(struct, i)), name);
    if (inner !== null) return { offset: (btf.memberBitOffset(struct, i) >>> 3) + inner.offset, type: inner.type };
  }
  return null;
}
