/** A kernel's modules: their types, and what their files tell of the functions that programs may call. */
import type { Btf } from '../btf/btf.js';
import * as uapi from './uapi.js';

/** The kernel functions that a module registers (register_btf_kfunc_id_set). */
export interface ModuleFunctions {
  /** KF_… flags by BTF id. */
  readonly flags: ReadonlyMap<number, number>;
  /** Program types that it registers them for; BPF_PROG_TYPE_UNSPEC stands for all. */
  readonly progTypes: ReadonlySet<number>;
}

export interface KernelModule {
  /** Split over the kernel's; its name is the module's. */
  readonly btf: Btf;
  /** Null where only BTF was given, which does not tell flags and program types. */
  readonly functions: ModuleFunctions | null;
}

/** Program types that share what is registered for one of them (bpf_prog_type_to_kfunc_hook, Linux 6.12). */
const SHARED: readonly (readonly number[])[] = [
  [
    uapi.BPF_PROG_TYPE_TRACING,
    uapi.BPF_PROG_TYPE_TRACEPOINT,
    uapi.BPF_PROG_TYPE_PERF_EVENT,
    uapi.BPF_PROG_TYPE_LSM,
  ],
  [
    uapi.BPF_PROG_TYPE_CGROUP_SKB,
    uapi.BPF_PROG_TYPE_CGROUP_SOCK,
    uapi.BPF_PROG_TYPE_CGROUP_DEVICE,
    uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
    uapi.BPF_PROG_TYPE_CGROUP_SYSCTL,
  ],
  [
    uapi.BPF_PROG_TYPE_LWT_OUT,
    uapi.BPF_PROG_TYPE_LWT_IN,
    uapi.BPF_PROG_TYPE_LWT_XMIT,
    uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL,
  ],
  [uapi.BPF_PROG_TYPE_XDP],
  [uapi.BPF_PROG_TYPE_SCHED_CLS],
  [uapi.BPF_PROG_TYPE_SCHED_ACT],
  [uapi.BPF_PROG_TYPE_STRUCT_OPS],
  [uapi.BPF_PROG_TYPE_SYSCALL],
  [uapi.BPF_PROG_TYPE_SK_SKB],
  [uapi.BPF_PROG_TYPE_SOCKET_FILTER],
  [uapi.BPF_PROG_TYPE_NETFILTER],
  [uapi.BPF_PROG_TYPE_KPROBE],
];

/** Flags of a module's kernel function for a program type, or -1 where programs of that type may not call it. */
export function moduleFunctionFlags(functions: ModuleFunctions, progType: number, id: number): number {
  const { flags, progTypes } = functions;
  const sharing = SHARED.find((group) => group.includes(progType)) ?? [];
  const isRegistered = progTypes.has(uapi.BPF_PROG_TYPE_UNSPEC) || sharing.some((type) => progTypes.has(type));
  return isRegistered ? (flags.get(id) ?? -1) : -1;
}
