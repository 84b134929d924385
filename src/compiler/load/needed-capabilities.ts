/** What a process must be capable of to load programs and to make maps (bpf_prog_load, map_create; kernel/bpf/syscall.c, 6.12). */
import { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN, isCapable } from '../targets/capabilities.js';
import * as uapi from '../targets/uapi.js';
import { BPF_F_ZERO_SEED } from '../targets/map-flags.js';
import type { MapSpec } from './program.js';

const EPERM = -1;
const E2BIG = -7;

/** Program types that anyone may load, unless kernel.unprivileged_bpf_disabled says otherwise. */
const UNPRIVILEGED_PROGRAMS: readonly number[] = [uapi.BPF_PROG_TYPE_SOCKET_FILTER, uapi.BPF_PROG_TYPE_CGROUP_SKB];
const NET_ADMIN_PROGRAMS: readonly number[] = [
  uapi.BPF_PROG_TYPE_SCHED_CLS,
  uapi.BPF_PROG_TYPE_SCHED_ACT,
  uapi.BPF_PROG_TYPE_XDP,
  uapi.BPF_PROG_TYPE_LWT_IN,
  uapi.BPF_PROG_TYPE_LWT_OUT,
  uapi.BPF_PROG_TYPE_LWT_XMIT,
  uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL,
  uapi.BPF_PROG_TYPE_SK_SKB,
  uapi.BPF_PROG_TYPE_SK_MSG,
  uapi.BPF_PROG_TYPE_FLOW_DISSECTOR,
  uapi.BPF_PROG_TYPE_CGROUP_DEVICE,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
  uapi.BPF_PROG_TYPE_CGROUP_SYSCTL,
  uapi.BPF_PROG_TYPE_SOCK_OPS,
  uapi.BPF_PROG_TYPE_EXT,
  uapi.BPF_PROG_TYPE_NETFILTER,
];
const PERFMON_PROGRAMS: readonly number[] = [
  uapi.BPF_PROG_TYPE_KPROBE,
  uapi.BPF_PROG_TYPE_TRACEPOINT,
  uapi.BPF_PROG_TYPE_PERF_EVENT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
  uapi.BPF_PROG_TYPE_EXT,
];

/** What a process must be capable of to load programs of a type at all. */
export function neededCapabilities(type: number): number {
  return (
    (UNPRIVILEGED_PROGRAMS.includes(type) ? 0 : CAP_BPF) |
    (NET_ADMIN_PROGRAMS.includes(type) ? CAP_NET_ADMIN : 0) |
    (PERFMON_PROGRAMS.includes(type) ? CAP_PERFMON : 0)
  );
}

/** Map types that take CAP_BPF, and those that take CAP_NET_ADMIN. */
const BPF_MAPS: readonly number[] = [
  uapi.BPF_MAP_TYPE_SK_STORAGE,
  uapi.BPF_MAP_TYPE_INODE_STORAGE,
  uapi.BPF_MAP_TYPE_TASK_STORAGE,
  uapi.BPF_MAP_TYPE_CGRP_STORAGE,
  uapi.BPF_MAP_TYPE_BLOOM_FILTER,
  uapi.BPF_MAP_TYPE_LPM_TRIE,
  uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  uapi.BPF_MAP_TYPE_STACK_TRACE,
  uapi.BPF_MAP_TYPE_QUEUE,
  uapi.BPF_MAP_TYPE_STACK,
  uapi.BPF_MAP_TYPE_LRU_HASH,
  uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  uapi.BPF_MAP_TYPE_STRUCT_OPS,
  uapi.BPF_MAP_TYPE_CPUMAP,
  uapi.BPF_MAP_TYPE_ARENA,
];
const NET_ADMIN_MAPS: readonly number[] = [
  uapi.BPF_MAP_TYPE_SOCKMAP,
  uapi.BPF_MAP_TYPE_SOCKHASH,
  uapi.BPF_MAP_TYPE_DEVMAP,
  uapi.BPF_MAP_TYPE_DEVMAP_HASH,
  uapi.BPF_MAP_TYPE_XSKMAP,
];
/** Map types whose attributes are looked at once the process is known to be capable of making such maps. */
const CHECKED_LATE: readonly number[] = [
  uapi.BPF_MAP_TYPE_LPM_TRIE,
  uapi.BPF_MAP_TYPE_STACK_TRACE,
  uapi.BPF_MAP_TYPE_BLOOM_FILTER,
  uapi.BPF_MAP_TYPE_CPUMAP,
  uapi.BPF_MAP_TYPE_ARENA,
  ...NET_ADMIN_MAPS,
];
const HASHES: readonly number[] = [
  uapi.BPF_MAP_TYPE_HASH,
  uapi.BPF_MAP_TYPE_PERCPU_HASH,
  uapi.BPF_MAP_TYPE_LRU_HASH,
  uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  uapi.BPF_MAP_TYPE_HASH_OF_MAPS,
];
const ARRAYS: readonly number[] = [
  uapi.BPF_MAP_TYPE_ARRAY,
  uapi.BPF_MAP_TYPE_PERCPU_ARRAY,
  uapi.BPF_MAP_TYPE_PROG_ARRAY,
  uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  uapi.BPF_MAP_TYPE_CGROUP_ARRAY,
  uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS,
];

function isPermitted(type: number, capabilities: number): boolean {
  if (NET_ADMIN_MAPS.includes(type)) return isCapable(capabilities, CAP_NET_ADMIN);
  return !BPF_MAPS.includes(type) || isCapable(capabilities, CAP_BPF);
}

/** What is refused before the map's attributes are looked at: 0 or a negative errno. */
export function checkEarlyCapabilities({ type, flags }: MapSpec, capabilities: number): number {
  if (CHECKED_LATE.includes(type) && !isPermitted(type, capabilities)) return EPERM;
  const zeroSeed = HASHES.includes(type) && (flags & BPF_F_ZERO_SEED) !== 0;
  return zeroSeed && !isCapable(capabilities, CAP_SYS_ADMIN) ? EPERM : 0;
}

/** What is refused of a map whose attributes are good. */
export function checkLateCapabilities({ type, maxEntries }: MapSpec, capabilities: number): number {
  if (!isPermitted(type, capabilities)) return EPERM;
  // Rounded up to a power of two, so that masked indices stay inside.
  const tooMany = ARRAYS.includes(type) && maxEntries > 0x8000_0000 && !isCapable(capabilities, CAP_PERFMON);
  return tooMany ? E2BIG : 0;
}
