/** What section names say of their programs: libbpf's SEC() conventions as of 1.5 (section_defs, tools/lib/bpf/libbpf.c). */
import * as attach from './attach-types.js';
import * as prog from './program-types.js';

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
}

const SLEEPABLE = 1;
const ATTACH_BTF = 2;
const FRAGS = 4;
const USDT = 8;

type Row = readonly [name: string, type: number, attachType: number, flags?: number];

/** Names in the order they are tried; a '+' at the end takes the bare name, and the name with '/' and more behind it. */
const ROWS: readonly Row[] = [
  ['socket', prog.SOCKET_FILTER, 0],
  ['sk_reuseport/migrate', prog.SK_REUSEPORT, attach.SK_REUSEPORT_SELECT_OR_MIGRATE],
  ['sk_reuseport', prog.SK_REUSEPORT, attach.SK_REUSEPORT_SELECT],
  ['kprobe+', prog.KPROBE, 0],
  ['uprobe+', prog.KPROBE, 0],
  ['uprobe.s+', prog.KPROBE, 0, SLEEPABLE],
  ['kretprobe+', prog.KPROBE, 0],
  ['uretprobe+', prog.KPROBE, 0],
  ['uretprobe.s+', prog.KPROBE, 0, SLEEPABLE],
  ['kprobe.multi+', prog.KPROBE, attach.TRACE_KPROBE_MULTI],
  ['kretprobe.multi+', prog.KPROBE, attach.TRACE_KPROBE_MULTI],
  ['kprobe.session+', prog.KPROBE, attach.TRACE_KPROBE_SESSION],
  ['uprobe.multi+', prog.KPROBE, attach.TRACE_UPROBE_MULTI],
  ['uretprobe.multi+', prog.KPROBE, attach.TRACE_UPROBE_MULTI],
  ['uprobe.multi.s+', prog.KPROBE, attach.TRACE_UPROBE_MULTI, SLEEPABLE],
  ['uretprobe.multi.s+', prog.KPROBE, attach.TRACE_UPROBE_MULTI, SLEEPABLE],
  ['ksyscall+', prog.KPROBE, 0],
  ['kretsyscall+', prog.KPROBE, 0],
  ['usdt+', prog.KPROBE, 0, USDT],
  ['usdt.s+', prog.KPROBE, 0, USDT | SLEEPABLE],
  ['tc/ingress', prog.SCHED_CLS, attach.TCX_INGRESS],
  ['tc/egress', prog.SCHED_CLS, attach.TCX_EGRESS],
  ['tcx/ingress', prog.SCHED_CLS, attach.TCX_INGRESS],
  ['tcx/egress', prog.SCHED_CLS, attach.TCX_EGRESS],
  ['tc', prog.SCHED_CLS, 0],
  ['classifier', prog.SCHED_CLS, 0],
  ['action', prog.SCHED_ACT, 0],
  ['netkit/primary', prog.SCHED_CLS, attach.NETKIT_PRIMARY],
  ['netkit/peer', prog.SCHED_CLS, attach.NETKIT_PEER],
  ['tracepoint+', prog.TRACEPOINT, 0],
  ['tp+', prog.TRACEPOINT, 0],
  ['raw_tracepoint+', prog.RAW_TRACEPOINT, 0],
  ['raw_tp+', prog.RAW_TRACEPOINT, 0],
  ['raw_tracepoint.w+', prog.RAW_TRACEPOINT_WRITABLE, 0],
  ['raw_tp.w+', prog.RAW_TRACEPOINT_WRITABLE, 0],
  ['tp_btf+', prog.TRACING, attach.TRACE_RAW_TP, ATTACH_BTF],
  ['fentry+', prog.TRACING, attach.TRACE_FENTRY, ATTACH_BTF],
  ['fmod_ret+', prog.TRACING, attach.MODIFY_RETURN, ATTACH_BTF],
  ['fexit+', prog.TRACING, attach.TRACE_FEXIT, ATTACH_BTF],
  ['fentry.s+', prog.TRACING, attach.TRACE_FENTRY, ATTACH_BTF | SLEEPABLE],
  ['fmod_ret.s+', prog.TRACING, attach.MODIFY_RETURN, ATTACH_BTF | SLEEPABLE],
  ['fexit.s+', prog.TRACING, attach.TRACE_FEXIT, ATTACH_BTF | SLEEPABLE],
  ['freplace+', prog.EXT, 0, ATTACH_BTF],
  ['lsm+', prog.LSM, attach.LSM_MAC, ATTACH_BTF],
  ['lsm.s+', prog.LSM, attach.LSM_MAC, ATTACH_BTF | SLEEPABLE],
  ['lsm_cgroup+', prog.LSM, attach.LSM_CGROUP, ATTACH_BTF],
  ['iter+', prog.TRACING, attach.TRACE_ITER, ATTACH_BTF],
  ['iter.s+', prog.TRACING, attach.TRACE_ITER, ATTACH_BTF | SLEEPABLE],
  ['syscall', prog.SYSCALL, 0, SLEEPABLE],
  ['xdp.frags/devmap', prog.XDP, attach.XDP_DEVMAP, FRAGS],
  ['xdp/devmap', prog.XDP, attach.XDP_DEVMAP],
  ['xdp.frags/cpumap', prog.XDP, attach.XDP_CPUMAP, FRAGS],
  ['xdp/cpumap', prog.XDP, attach.XDP_CPUMAP],
  ['xdp.frags', prog.XDP, attach.XDP, FRAGS],
  ['xdp', prog.XDP, attach.XDP],
  ['perf_event', prog.PERF_EVENT, 0],
  ['lwt_in', prog.LWT_IN, 0],
  ['lwt_out', prog.LWT_OUT, 0],
  ['lwt_xmit', prog.LWT_XMIT, 0],
  ['lwt_seg6local', prog.LWT_SEG6LOCAL, 0],
  ['sockops', prog.SOCK_OPS, attach.CGROUP_SOCK_OPS],
  ['sk_skb/stream_parser', prog.SK_SKB, attach.SK_SKB_STREAM_PARSER],
  ['sk_skb/stream_verdict', prog.SK_SKB, attach.SK_SKB_STREAM_VERDICT],
  ['sk_skb/verdict', prog.SK_SKB, attach.SK_SKB_VERDICT],
  ['sk_skb', prog.SK_SKB, 0],
  ['sk_msg', prog.SK_MSG, attach.SK_MSG_VERDICT],
  ['lirc_mode2', prog.LIRC_MODE2, attach.LIRC_MODE2],
  ['flow_dissector', prog.FLOW_DISSECTOR, attach.FLOW_DISSECTOR],
  ['cgroup_skb/ingress', prog.CGROUP_SKB, attach.CGROUP_INET_INGRESS],
  ['cgroup_skb/egress', prog.CGROUP_SKB, attach.CGROUP_INET_EGRESS],
  ['cgroup/skb', prog.CGROUP_SKB, 0],
  ['cgroup/sock_create', prog.CGROUP_SOCK, attach.CGROUP_INET_SOCK_CREATE],
  ['cgroup/sock_release', prog.CGROUP_SOCK, attach.CGROUP_INET_SOCK_RELEASE],
  ['cgroup/sock', prog.CGROUP_SOCK, attach.CGROUP_INET_SOCK_CREATE],
  ['cgroup/post_bind4', prog.CGROUP_SOCK, attach.CGROUP_INET4_POST_BIND],
  ['cgroup/post_bind6', prog.CGROUP_SOCK, attach.CGROUP_INET6_POST_BIND],
  ['cgroup/bind4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET4_BIND],
  ['cgroup/bind6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET6_BIND],
  ['cgroup/connect4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET4_CONNECT],
  ['cgroup/connect6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET6_CONNECT],
  ['cgroup/connect_unix', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UNIX_CONNECT],
  ['cgroup/sendmsg4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UDP4_SENDMSG],
  ['cgroup/sendmsg6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UDP6_SENDMSG],
  ['cgroup/sendmsg_unix', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UNIX_SENDMSG],
  ['cgroup/recvmsg4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UDP4_RECVMSG],
  ['cgroup/recvmsg6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UDP6_RECVMSG],
  ['cgroup/recvmsg_unix', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UNIX_RECVMSG],
  ['cgroup/getpeername4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET4_GETPEERNAME],
  ['cgroup/getpeername6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET6_GETPEERNAME],
  ['cgroup/getpeername_unix', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UNIX_GETPEERNAME],
  ['cgroup/getsockname4', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET4_GETSOCKNAME],
  ['cgroup/getsockname6', prog.CGROUP_SOCK_ADDR, attach.CGROUP_INET6_GETSOCKNAME],
  ['cgroup/getsockname_unix', prog.CGROUP_SOCK_ADDR, attach.CGROUP_UNIX_GETSOCKNAME],
  ['cgroup/sysctl', prog.CGROUP_SYSCTL, attach.CGROUP_SYSCTL],
  ['cgroup/getsockopt', prog.CGROUP_SOCKOPT, attach.CGROUP_GETSOCKOPT],
  ['cgroup/setsockopt', prog.CGROUP_SOCKOPT, attach.CGROUP_SETSOCKOPT],
  ['cgroup/dev', prog.CGROUP_DEVICE, attach.CGROUP_DEVICE],
  ['struct_ops+', prog.STRUCT_OPS, 0],
  ['struct_ops.s+', prog.STRUCT_OPS, 0, SLEEPABLE],
  ['sk_lookup', prog.SK_LOOKUP, attach.SK_LOOKUP],
  ['netfilter', prog.NETFILTER, attach.NETFILTER],
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
  };
}

function matches(pattern: string, section: string): boolean {
  if (!pattern.endsWith('+')) return pattern === section;
  const prefix = pattern.slice(0, -1);
  return section === prefix || section.startsWith(`${prefix}/`);
}
