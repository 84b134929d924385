/** What section names say of their programs: libbpf's SEC() conventions as of 1.5 (section_defs, tools/lib/bpf/libbpf.c). */
import * as uapi from '../targets/uapi.js';

export interface SectionDefinition {
  readonly name: string;
  readonly type: number;
  readonly attachType: number;
  readonly sleepable: boolean;
  /** The name behind the slash is a function, tracepoint or hook of the kernel's BTF. */
  readonly attachesToBtf: boolean;
  /** XDP programs that take packets of several fragments (BPF_F_XDP_HAS_FRAGS). */
  readonly frags: boolean;
  /** A user-space probe, which kernels with uprobe multi-links load for these. */
  readonly usdt: boolean;
  /** The attach type is left out where the kernel does not know such types. */
  readonly attachTypeOptional: boolean;
}

const SLEEPABLE = 1;
const ATTACH_BTF = 2;
const FRAGS = 4;
const USDT = 8;
const OPTIONAL = 16;

type Row = readonly [name: string, type: number, attachType: number, flags?: number];

/** Names in the order they are tried; a '+' at the end takes the bare name, and the name with '/' and more behind it. */
const ROWS: readonly Row[] = [
  ['socket', uapi.BPF_PROG_TYPE_SOCKET_FILTER, 0],
  ['sk_reuseport/migrate', uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE],
  ['sk_reuseport', uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_SK_REUSEPORT_SELECT],
  ['kprobe+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['uprobe+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['uprobe.s+', uapi.BPF_PROG_TYPE_KPROBE, 0, SLEEPABLE],
  ['kretprobe+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['uretprobe+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['uretprobe.s+', uapi.BPF_PROG_TYPE_KPROBE, 0, SLEEPABLE],
  ['kprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_MULTI],
  ['kretprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_MULTI],
  ['kprobe.session+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_SESSION],
  ['uprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI],
  ['uretprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI],
  ['uprobe.multi.s+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI, SLEEPABLE],
  ['uretprobe.multi.s+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI, SLEEPABLE],
  ['ksyscall+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['kretsyscall+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['usdt+', uapi.BPF_PROG_TYPE_KPROBE, 0, USDT],
  ['usdt.s+', uapi.BPF_PROG_TYPE_KPROBE, 0, USDT | SLEEPABLE],
  ['tc/ingress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_INGRESS],
  ['tc/egress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_EGRESS],
  ['tcx/ingress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_INGRESS],
  ['tcx/egress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_EGRESS],
  ['tc', uapi.BPF_PROG_TYPE_SCHED_CLS, 0],
  ['classifier', uapi.BPF_PROG_TYPE_SCHED_CLS, 0],
  ['action', uapi.BPF_PROG_TYPE_SCHED_ACT, 0],
  ['netkit/primary', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_NETKIT_PRIMARY],
  ['netkit/peer', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_NETKIT_PEER],
  ['tracepoint+', uapi.BPF_PROG_TYPE_TRACEPOINT, 0],
  ['tp+', uapi.BPF_PROG_TYPE_TRACEPOINT, 0],
  ['raw_tracepoint+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, 0],
  ['raw_tp+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, 0],
  ['raw_tracepoint.w+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0],
  ['raw_tp.w+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0],
  ['tp_btf+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_RAW_TP, ATTACH_BTF],
  ['fentry+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY, ATTACH_BTF],
  ['fmod_ret+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_MODIFY_RETURN, ATTACH_BTF],
  ['fexit+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FEXIT, ATTACH_BTF],
  ['fentry.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY, ATTACH_BTF | SLEEPABLE],
  ['fmod_ret.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_MODIFY_RETURN, ATTACH_BTF | SLEEPABLE],
  ['fexit.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FEXIT, ATTACH_BTF | SLEEPABLE],
  ['freplace+', uapi.BPF_PROG_TYPE_EXT, 0, ATTACH_BTF],
  ['lsm+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_MAC, ATTACH_BTF],
  ['lsm.s+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_MAC, ATTACH_BTF | SLEEPABLE],
  ['lsm_cgroup+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_CGROUP, ATTACH_BTF],
  ['iter+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_ITER, ATTACH_BTF],
  ['iter.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_ITER, ATTACH_BTF | SLEEPABLE],
  ['syscall', uapi.BPF_PROG_TYPE_SYSCALL, 0, SLEEPABLE],
  ['xdp.frags/devmap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_DEVMAP, FRAGS],
  ['xdp/devmap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_DEVMAP],
  ['xdp.frags/cpumap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_CPUMAP, FRAGS],
  ['xdp/cpumap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_CPUMAP],
  ['xdp.frags', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP, FRAGS],
  ['xdp', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP, OPTIONAL],
  ['perf_event', uapi.BPF_PROG_TYPE_PERF_EVENT, 0],
  ['lwt_in', uapi.BPF_PROG_TYPE_LWT_IN, 0],
  ['lwt_out', uapi.BPF_PROG_TYPE_LWT_OUT, 0],
  ['lwt_xmit', uapi.BPF_PROG_TYPE_LWT_XMIT, 0],
  ['lwt_seg6local', uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL, 0],
  ['sockops', uapi.BPF_PROG_TYPE_SOCK_OPS, uapi.BPF_CGROUP_SOCK_OPS, OPTIONAL],
  ['sk_skb/stream_parser', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_STREAM_PARSER, OPTIONAL],
  ['sk_skb/stream_verdict', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_STREAM_VERDICT, OPTIONAL],
  ['sk_skb/verdict', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_VERDICT, OPTIONAL],
  ['sk_skb', uapi.BPF_PROG_TYPE_SK_SKB, 0],
  ['sk_msg', uapi.BPF_PROG_TYPE_SK_MSG, uapi.BPF_SK_MSG_VERDICT, OPTIONAL],
  ['lirc_mode2', uapi.BPF_PROG_TYPE_LIRC_MODE2, uapi.BPF_LIRC_MODE2, OPTIONAL],
  ['flow_dissector', uapi.BPF_PROG_TYPE_FLOW_DISSECTOR, uapi.BPF_FLOW_DISSECTOR, OPTIONAL],
  ['cgroup_skb/ingress', uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_CGROUP_INET_INGRESS, OPTIONAL],
  ['cgroup_skb/egress', uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_CGROUP_INET_EGRESS, OPTIONAL],
  ['cgroup/skb', uapi.BPF_PROG_TYPE_CGROUP_SKB, 0],
  ['cgroup/sock_create', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_CREATE],
  ['cgroup/sock_release', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_RELEASE],
  ['cgroup/sock', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_CREATE, OPTIONAL],
  ['cgroup/post_bind4', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET4_POST_BIND],
  ['cgroup/post_bind6', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET6_POST_BIND],
  ['cgroup/bind4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_BIND],
  ['cgroup/bind6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_BIND],
  ['cgroup/connect4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_CONNECT],
  ['cgroup/connect6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_CONNECT],
  ['cgroup/connect_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_CONNECT],
  ['cgroup/sendmsg4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP4_SENDMSG],
  ['cgroup/sendmsg6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP6_SENDMSG],
  ['cgroup/sendmsg_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_SENDMSG],
  ['cgroup/recvmsg4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP4_RECVMSG],
  ['cgroup/recvmsg6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP6_RECVMSG],
  ['cgroup/recvmsg_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_RECVMSG],
  ['cgroup/getpeername4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_GETPEERNAME],
  ['cgroup/getpeername6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_GETPEERNAME],
  ['cgroup/getpeername_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_GETPEERNAME],
  ['cgroup/getsockname4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_GETSOCKNAME],
  ['cgroup/getsockname6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_GETSOCKNAME],
  ['cgroup/getsockname_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_GETSOCKNAME],
  ['cgroup/sysctl', uapi.BPF_PROG_TYPE_CGROUP_SYSCTL, uapi.BPF_CGROUP_SYSCTL],
  ['cgroup/getsockopt', uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT, uapi.BPF_CGROUP_GETSOCKOPT],
  ['cgroup/setsockopt', uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT, uapi.BPF_CGROUP_SETSOCKOPT],
  ['cgroup/dev', uapi.BPF_PROG_TYPE_CGROUP_DEVICE, uapi.BPF_CGROUP_DEVICE, OPTIONAL],
  ['struct_ops+', uapi.BPF_PROG_TYPE_STRUCT_OPS, 0],
  ['struct_ops.s+', uapi.BPF_PROG_TYPE_STRUCT_OPS, 0, SLEEPABLE],
  ['sk_lookup', uapi.BPF_PROG_TYPE_SK_LOOKUP, uapi.BPF_SK_LOOKUP],
  ['netfilter', uapi.BPF_PROG_TYPE_NETFILTER, uapi.BPF_NETFILTER],
];

/** What a section name (without a leading '?') says, or null where libbpf knows none. */
export function findSectionDefinition(section: string): SectionDefinition | null {
  const row = ROWS.find(([name]) => matches(name, section));
  if (row === undefined) return null;
  const [name, type, attachType, flags = 0] = row;
  return {
    name,
    type,
    attachType,
    sleepable: (flags & SLEEPABLE) !== 0,
    attachesToBtf: (flags & ATTACH_BTF) !== 0,
    frags: (flags & FRAGS) !== 0,
    usdt: (flags & USDT) !== 0,
    attachTypeOptional: (flags & OPTIONAL) !== 0,
  };
}

function matches(pattern: string, section: string): boolean {
  if (!pattern.endsWith('+')) return pattern === section;
  const prefix = pattern.slice(0, -1);
  return section === prefix || section.startsWith(`${prefix}/`);
}
