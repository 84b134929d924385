/** What BPF_PROG_LOAD refuses without a word, before the verifier sees the program (bpf_prog_load, Linux 6.12). */
import { MAX_INSNS } from '../../isa/opcodes.js';
import type { Program } from '../../load/program.js';
import * as uapi from '../../targets/uapi.js';
import { E2BIG, EINVAL } from '../errno.js';

export const BPF_F_STRICT_ALIGNMENT = 1 << 0;
export const BPF_F_ANY_ALIGNMENT = 1 << 1;
export const BPF_F_TEST_RND_HI32 = 1 << 2;
export const BPF_F_TEST_STATE_FREQ = 1 << 3;
export const BPF_F_SLEEPABLE = 1 << 4;
export const BPF_F_XDP_HAS_FRAGS = 1 << 5;
export const BPF_F_XDP_DEV_BOUND_ONLY = 1 << 6;
export const BPF_F_TEST_REG_INVARIANTS = 1 << 7;

const KNOWN_FLAGS =
  BPF_F_STRICT_ALIGNMENT |
  BPF_F_ANY_ALIGNMENT |
  BPF_F_TEST_RND_HI32 |
  BPF_F_TEST_STATE_FREQ |
  BPF_F_SLEEPABLE |
  BPF_F_XDP_HAS_FRAGS |
  BPF_F_XDP_DEV_BOUND_ONLY |
  BPF_F_TEST_REG_INVARIANTS;

const BTF_MAX_TYPE = 0xfffff;

/** Types whose programs must say where they will be attached, and where that may be. */
const ATTACH_TYPES: Readonly<Record<number, readonly number[]>> = {
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK]: [
    uapi.BPF_CGROUP_INET_SOCK_CREATE,
    uapi.BPF_CGROUP_INET_SOCK_RELEASE,
    uapi.BPF_CGROUP_INET4_POST_BIND,
    uapi.BPF_CGROUP_INET6_POST_BIND,
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: [
    uapi.BPF_CGROUP_INET4_BIND,
    uapi.BPF_CGROUP_INET6_BIND,
    uapi.BPF_CGROUP_INET4_CONNECT,
    uapi.BPF_CGROUP_INET6_CONNECT,
    uapi.BPF_CGROUP_UNIX_CONNECT,
    uapi.BPF_CGROUP_INET4_GETPEERNAME,
    uapi.BPF_CGROUP_INET6_GETPEERNAME,
    uapi.BPF_CGROUP_UNIX_GETPEERNAME,
    uapi.BPF_CGROUP_INET4_GETSOCKNAME,
    uapi.BPF_CGROUP_INET6_GETSOCKNAME,
    uapi.BPF_CGROUP_UNIX_GETSOCKNAME,
    uapi.BPF_CGROUP_UDP4_SENDMSG,
    uapi.BPF_CGROUP_UDP6_SENDMSG,
    uapi.BPF_CGROUP_UNIX_SENDMSG,
    uapi.BPF_CGROUP_UDP4_RECVMSG,
    uapi.BPF_CGROUP_UDP6_RECVMSG,
    uapi.BPF_CGROUP_UNIX_RECVMSG,
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SKB]: [uapi.BPF_CGROUP_INET_INGRESS, uapi.BPF_CGROUP_INET_EGRESS],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: [uapi.BPF_CGROUP_SETSOCKOPT, uapi.BPF_CGROUP_GETSOCKOPT],
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: [uapi.BPF_SK_LOOKUP],
  [uapi.BPF_PROG_TYPE_SK_REUSEPORT]: [uapi.BPF_SK_REUSEPORT_SELECT, uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE],
  [uapi.BPF_PROG_TYPE_NETFILTER]: [uapi.BPF_NETFILTER],
  [uapi.BPF_PROG_TYPE_SYSCALL]: [0],
  [uapi.BPF_PROG_TYPE_EXT]: [0],
};

/** Types that are attached to something in a BTF. */
const BTF_ATTACHED: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
  uapi.BPF_PROG_TYPE_EXT,
]);

/** The attach type where the program names none and its type has one for that. */
export function effectiveAttachType(program: Program): number {
  if (program.expectedAttachType !== 0) return program.expectedAttachType;
  if (program.type === uapi.BPF_PROG_TYPE_CGROUP_SOCK) return uapi.BPF_CGROUP_INET_SOCK_CREATE;
  if (program.type === uapi.BPF_PROG_TYPE_SK_REUSEPORT) return uapi.BPF_SK_REUSEPORT_SELECT;
  return 0;
}

function attachmentAllowed(program: Program): boolean {
  const { type, attachBtfId, attachProgram } = program;
  if (attachBtfId !== 0 && (attachBtfId > BTF_MAX_TYPE || !BTF_ATTACHED.has(type))) return false;
  if (attachProgram !== null && type !== uapi.BPF_PROG_TYPE_TRACING && type !== uapi.BPF_PROG_TYPE_EXT) return false;
  return ATTACH_TYPES[type]?.includes(effectiveAttachType(program)) ?? true;
}

/** Names hold letters, digits, '_' and '.' (bpf_obj_name_cpy). */
const NAME = /^[A-Za-z0-9_.]{0,15}$/;

/** Licenses that may call what is for GPL programs only (include/linux/license.h). */
const GPL_LICENSES: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

export function isGplCompatible(license: string): boolean {
  return GPL_LICENSES.has(license);
}

/** 0, or the errno that bpf(2) answers without a log. */
export function checkLoad(program: Program): number {
  if ((program.flags & ~KNOWN_FLAGS) !== 0) return -EINVAL;
  const count = program.instructions.length;
  if (count === 0 || count > MAX_INSNS) return -E2BIG;
  if (!attachmentAllowed(program)) return -EINVAL;
  const knownType = program.type > 0 && program.type <= uapi.BPF_PROG_TYPE_NETFILTER;
  return knownType && NAME.test(program.name) ? 0 : -EINVAL;
}
