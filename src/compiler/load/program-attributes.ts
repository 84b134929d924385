/** What BPF_PROG_LOAD refuses before it verifies anything (bpf_prog_load, kernel/bpf/syscall.c, 6.12). */
import { CAP_BPF, isCapable } from '../targets/capabilities.js';
import type { Profile } from '../targets/profile.js';
import * as uapi from '../targets/uapi.js';
import { MAX_INSNS } from '../isa/opcodes.js';
import { neededCapabilities } from './needed-capabilities.js';
import type { Program } from './program.js';

const EPERM = -1;
const E2BIG = -7;
const EINVAL = -22;

export const BPF_F_STRICT_ALIGNMENT = 1 << 0;
export const BPF_F_ANY_ALIGNMENT = 1 << 1;
export const BPF_F_TEST_RND_HI32 = 1 << 2;
export const BPF_F_TEST_STATE_FREQ = 1 << 3;
export const BPF_F_SLEEPABLE = 1 << 4;
export const BPF_F_XDP_HAS_FRAGS = 1 << 5;
export const BPF_F_XDP_DEV_BOUND_ONLY = 1 << 6;
export const BPF_F_TEST_REG_INVARIANTS = 1 << 7;

const KNOWN_FLAGS = 0xff;
/** Largest type id that a BTF can hold. */
const BTF_MAX_TYPE = 0xfffff;

/** The configuration that program types need (include/linux/bpf_types.h); types that are not here every kernel has. */
const NEEDED_CONFIG: readonly (readonly [options: readonly string[], types: readonly number[]])[] = [
  [
    ['NET'],
    [
      uapi.BPF_PROG_TYPE_SOCKET_FILTER,
      uapi.BPF_PROG_TYPE_SCHED_CLS,
      uapi.BPF_PROG_TYPE_SCHED_ACT,
      uapi.BPF_PROG_TYPE_XDP,
      uapi.BPF_PROG_TYPE_LWT_IN,
      uapi.BPF_PROG_TYPE_LWT_OUT,
      uapi.BPF_PROG_TYPE_LWT_XMIT,
      uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL,
      uapi.BPF_PROG_TYPE_SOCK_OPS,
      uapi.BPF_PROG_TYPE_SK_SKB,
      uapi.BPF_PROG_TYPE_SK_MSG,
      uapi.BPF_PROG_TYPE_FLOW_DISSECTOR,
    ],
  ],
  [
    ['NET', 'CGROUP_BPF'],
    [uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR],
  ],
  [
    ['BPF_EVENTS'],
    [
      uapi.BPF_PROG_TYPE_KPROBE,
      uapi.BPF_PROG_TYPE_TRACEPOINT,
      uapi.BPF_PROG_TYPE_PERF_EVENT,
      uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
      uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
      uapi.BPF_PROG_TYPE_TRACING,
    ],
  ],
  [
    ['CGROUP_BPF'],
    [uapi.BPF_PROG_TYPE_CGROUP_DEVICE, uapi.BPF_PROG_TYPE_CGROUP_SYSCTL, uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT],
  ],
  [['BPF_LIRC_MODE2'], [uapi.BPF_PROG_TYPE_LIRC_MODE2]],
  [['INET'], [uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_PROG_TYPE_SK_LOOKUP]],
  [['BPF_JIT'], [uapi.BPF_PROG_TYPE_STRUCT_OPS, uapi.BPF_PROG_TYPE_EXT]],
  [['BPF_JIT', 'BPF_LSM'], [uapi.BPF_PROG_TYPE_LSM]],
  [['NETFILTER_BPF_LINK'], [uapi.BPF_PROG_TYPE_NETFILTER]],
];

/** Whether the kernel was built with a program type. */
export function hasProgramType(profile: Profile, type: number): boolean {
  if (type <= uapi.BPF_PROG_TYPE_UNSPEC || type > uapi.BPF_PROG_TYPE_NETFILTER) return false;
  return NEEDED_CONFIG.every(
    ([options, types]) =>
      !types.includes(type) || options.every((name) => profile.config.get(`CONFIG_${name}`) === 'y'),
  );
}

/** The attach type that an unset one means to the kernel. */
export function effectiveAttachType(type: number, attachType: number): number {
  if (attachType !== 0) return attachType;
  if (type === uapi.BPF_PROG_TYPE_CGROUP_SOCK) return uapi.BPF_CGROUP_INET_SOCK_CREATE;
  return type === uapi.BPF_PROG_TYPE_SK_REUSEPORT ? uapi.BPF_SK_REUSEPORT_SELECT : attachType;
}

/** The attach types of program types that insist on theirs. */
const ATTACH_TYPES: ReadonlyMap<number, readonly number[]> = new Map<number, readonly number[]>([
  [
    uapi.BPF_PROG_TYPE_CGROUP_SOCK,
    [
      uapi.BPF_CGROUP_INET_SOCK_CREATE,
      uapi.BPF_CGROUP_INET_SOCK_RELEASE,
      uapi.BPF_CGROUP_INET4_POST_BIND,
      uapi.BPF_CGROUP_INET6_POST_BIND,
    ],
  ],
  [
    uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    [
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
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SKB, [uapi.BPF_CGROUP_INET_INGRESS, uapi.BPF_CGROUP_INET_EGRESS]],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT, [uapi.BPF_CGROUP_SETSOCKOPT, uapi.BPF_CGROUP_GETSOCKOPT]],
  [uapi.BPF_PROG_TYPE_SK_LOOKUP, [uapi.BPF_SK_LOOKUP]],
  [uapi.BPF_PROG_TYPE_SK_REUSEPORT, [uapi.BPF_SK_REUSEPORT_SELECT, uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE]],
  [uapi.BPF_PROG_TYPE_NETFILTER, [uapi.BPF_NETFILTER]],
  [uapi.BPF_PROG_TYPE_SYSCALL, [0]],
  [uapi.BPF_PROG_TYPE_EXT, [0]],
]);

const BTF_ATTACHED: readonly number[] = [
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
  uapi.BPF_PROG_TYPE_EXT,
];

/** Whether the program may name a type of a BTF, and another program, to be attached to. */
function mayBeAttached({ type, attachBtfId, attachProgram }: Program): boolean {
  if (attachBtfId !== 0 && (attachBtfId > BTF_MAX_TYPE || !BTF_ATTACHED.includes(type))) return false;
  return attachProgram === null || type === uapi.BPF_PROG_TYPE_TRACING || type === uapi.BPF_PROG_TYPE_EXT;
}

/** Most instructions of a program loaded without CAP_BPF (BPF_MAXINSNS). */
const MAX_UNPRIVILEGED_INSNS = 4096;

/** 0, or the negative errno with which the kernel refuses the attributes. */
export function checkProgramAttributes(program: Program, profile: Profile): number {
  const { type, flags, instructions, capabilities } = program;
  if ((flags & ~KNOWN_FLAGS) !== 0) return EINVAL;
  const maxInsns = isCapable(capabilities, CAP_BPF) ? MAX_INSNS : MAX_UNPRIVILEGED_INSNS;
  if (instructions.length === 0 || instructions.length > maxInsns) return E2BIG;
  if (!isCapable(capabilities, neededCapabilities(type))) return EPERM;
  if (!mayBeAttached(program)) return EINVAL;
  const allowed = ATTACH_TYPES.get(type);
  const attachType = effectiveAttachType(type, program.expectedAttachType);
  if (allowed !== undefined && !allowed.includes(attachType)) return EINVAL;
  if (!hasProgramType(profile, type)) return EINVAL;
  return isObjectName(program.name) ? 0 : EINVAL;
}

/** Whether the kernel takes a name of a program or map: letters, digits, underscores and dots. */
export function isObjectName(name: string): boolean {
  return name.length < 16 && /^[A-Za-z0-9_.]*$/.test(name);
}
