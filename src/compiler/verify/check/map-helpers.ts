/** Which helpers take which maps (check_map_func_compatibility of Linux 6.12): rules of the map's type, then of the helper. */
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';
import type { VerifierMap } from '../map.js';
import * as helper from '../../targets/helper-ids.js';
import { helperLabel } from './helper-name.js';

type Table = ReadonlyMap<number, readonly number[]>;

const RINGBUF_HELPERS = [
  helper.RINGBUF_OUTPUT,
  helper.RINGBUF_RESERVE,
  helper.RINGBUF_QUERY,
  helper.RINGBUF_RESERVE_DYNPTR,
  helper.RINGBUF_SUBMIT_DYNPTR,
  helper.RINGBUF_DISCARD_DYNPTR,
];
const PERF_HELPERS = [
  helper.PERF_EVENT_READ,
  helper.PERF_EVENT_OUTPUT,
  helper.SKB_OUTPUT,
  helper.PERF_EVENT_READ_VALUE,
  helper.XDP_OUTPUT,
];

/** Map types that take some helpers only. */
const BY_MAP: Table = new Map<number, readonly number[]>([
  [uapi.BPF_MAP_TYPE_PROG_ARRAY, [helper.TAIL_CALL]],
  [uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY, PERF_HELPERS],
  [uapi.BPF_MAP_TYPE_RINGBUF, RINGBUF_HELPERS],
  [uapi.BPF_MAP_TYPE_USER_RINGBUF, [helper.USER_RINGBUF_DRAIN]],
  [uapi.BPF_MAP_TYPE_STACK_TRACE, [helper.GET_STACKID]],
  [uapi.BPF_MAP_TYPE_CGROUP_ARRAY, [helper.SKB_UNDER_CGROUP, helper.CURRENT_TASK_UNDER_CGROUP]],
  [uapi.BPF_MAP_TYPE_CGROUP_STORAGE, [helper.GET_LOCAL_STORAGE]],
  [uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, [helper.GET_LOCAL_STORAGE]],
  [uapi.BPF_MAP_TYPE_DEVMAP, [helper.REDIRECT_MAP, helper.MAP_LOOKUP_ELEM]],
  [uapi.BPF_MAP_TYPE_DEVMAP_HASH, [helper.REDIRECT_MAP, helper.MAP_LOOKUP_ELEM]],
  [uapi.BPF_MAP_TYPE_CPUMAP, [helper.REDIRECT_MAP]],
  [uapi.BPF_MAP_TYPE_XSKMAP, [helper.REDIRECT_MAP, helper.MAP_LOOKUP_ELEM]],
  [uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS, [helper.MAP_LOOKUP_ELEM]],
  [uapi.BPF_MAP_TYPE_HASH_OF_MAPS, [helper.MAP_LOOKUP_ELEM]],
  [
    uapi.BPF_MAP_TYPE_SOCKMAP,
    [
      helper.SK_REDIRECT_MAP,
      helper.SOCK_MAP_UPDATE,
      helper.MSG_REDIRECT_MAP,
      helper.SK_SELECT_REUSEPORT,
      helper.MAP_LOOKUP_ELEM,
    ],
  ],
  [
    uapi.BPF_MAP_TYPE_SOCKHASH,
    [
      helper.SK_REDIRECT_HASH,
      helper.SOCK_HASH_UPDATE,
      helper.MSG_REDIRECT_HASH,
      helper.SK_SELECT_REUSEPORT,
      helper.MAP_LOOKUP_ELEM,
    ],
  ],
  [uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, [helper.SK_SELECT_REUSEPORT]],
  [uapi.BPF_MAP_TYPE_QUEUE, [helper.MAP_PEEK_ELEM, helper.MAP_POP_ELEM, helper.MAP_PUSH_ELEM]],
  [uapi.BPF_MAP_TYPE_STACK, [helper.MAP_PEEK_ELEM, helper.MAP_POP_ELEM, helper.MAP_PUSH_ELEM]],
  [uapi.BPF_MAP_TYPE_SK_STORAGE, [helper.SK_STORAGE_GET, helper.SK_STORAGE_DELETE, helper.KPTR_XCHG]],
  [uapi.BPF_MAP_TYPE_INODE_STORAGE, [helper.INODE_STORAGE_GET, helper.INODE_STORAGE_DELETE, helper.KPTR_XCHG]],
  [uapi.BPF_MAP_TYPE_TASK_STORAGE, [helper.TASK_STORAGE_GET, helper.TASK_STORAGE_DELETE, helper.KPTR_XCHG]],
  [uapi.BPF_MAP_TYPE_CGRP_STORAGE, [helper.CGRP_STORAGE_GET, helper.CGRP_STORAGE_DELETE, helper.KPTR_XCHG]],
  [uapi.BPF_MAP_TYPE_BLOOM_FILTER, [helper.MAP_PEEK_ELEM, helper.MAP_PUSH_ELEM]],
]);

/** Helpers that take some map types only. */
const BY_HELPER: Table = new Map<number, readonly number[]>([
  [helper.TAIL_CALL, [uapi.BPF_MAP_TYPE_PROG_ARRAY]],
  ...PERF_HELPERS.map((id) => [id, [uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY]] as const),
  ...RINGBUF_HELPERS.map((id) => [id, [uapi.BPF_MAP_TYPE_RINGBUF]] as const),
  [helper.USER_RINGBUF_DRAIN, [uapi.BPF_MAP_TYPE_USER_RINGBUF]],
  [helper.GET_STACKID, [uapi.BPF_MAP_TYPE_STACK_TRACE]],
  [helper.CURRENT_TASK_UNDER_CGROUP, [uapi.BPF_MAP_TYPE_CGROUP_ARRAY]],
  [helper.SKB_UNDER_CGROUP, [uapi.BPF_MAP_TYPE_CGROUP_ARRAY]],
  [
    helper.REDIRECT_MAP,
    [uapi.BPF_MAP_TYPE_DEVMAP, uapi.BPF_MAP_TYPE_DEVMAP_HASH, uapi.BPF_MAP_TYPE_CPUMAP, uapi.BPF_MAP_TYPE_XSKMAP],
  ],
  [helper.SK_REDIRECT_MAP, [uapi.BPF_MAP_TYPE_SOCKMAP]],
  [helper.MSG_REDIRECT_MAP, [uapi.BPF_MAP_TYPE_SOCKMAP]],
  [helper.SOCK_MAP_UPDATE, [uapi.BPF_MAP_TYPE_SOCKMAP]],
  [helper.SK_REDIRECT_HASH, [uapi.BPF_MAP_TYPE_SOCKHASH]],
  [helper.MSG_REDIRECT_HASH, [uapi.BPF_MAP_TYPE_SOCKHASH]],
  [helper.SOCK_HASH_UPDATE, [uapi.BPF_MAP_TYPE_SOCKHASH]],
  [helper.GET_LOCAL_STORAGE, [uapi.BPF_MAP_TYPE_CGROUP_STORAGE, uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]],
  [
    helper.SK_SELECT_REUSEPORT,
    [uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, uapi.BPF_MAP_TYPE_SOCKMAP, uapi.BPF_MAP_TYPE_SOCKHASH],
  ],
  [helper.MAP_POP_ELEM, [uapi.BPF_MAP_TYPE_QUEUE, uapi.BPF_MAP_TYPE_STACK]],
  [helper.MAP_PEEK_ELEM, [uapi.BPF_MAP_TYPE_QUEUE, uapi.BPF_MAP_TYPE_STACK, uapi.BPF_MAP_TYPE_BLOOM_FILTER]],
  [helper.MAP_PUSH_ELEM, [uapi.BPF_MAP_TYPE_QUEUE, uapi.BPF_MAP_TYPE_STACK, uapi.BPF_MAP_TYPE_BLOOM_FILTER]],
  [
    helper.MAP_LOOKUP_PERCPU_ELEM,
    [uapi.BPF_MAP_TYPE_PERCPU_ARRAY, uapi.BPF_MAP_TYPE_PERCPU_HASH, uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH],
  ],
  [helper.SK_STORAGE_GET, [uapi.BPF_MAP_TYPE_SK_STORAGE]],
  [helper.SK_STORAGE_DELETE, [uapi.BPF_MAP_TYPE_SK_STORAGE]],
  [helper.INODE_STORAGE_GET, [uapi.BPF_MAP_TYPE_INODE_STORAGE]],
  [helper.INODE_STORAGE_DELETE, [uapi.BPF_MAP_TYPE_INODE_STORAGE]],
  [helper.TASK_STORAGE_GET, [uapi.BPF_MAP_TYPE_TASK_STORAGE]],
  [helper.TASK_STORAGE_DELETE, [uapi.BPF_MAP_TYPE_TASK_STORAGE]],
  [helper.CGRP_STORAGE_GET, [uapi.BPF_MAP_TYPE_CGRP_STORAGE]],
  [helper.CGRP_STORAGE_DELETE, [uapi.BPF_MAP_TYPE_CGRP_STORAGE]],
]);

/** Programs that never run with a socket locked may change socket maps. */
const UPDATE_SOCKMAP: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_SOCKET_FILTER,
  uapi.BPF_PROG_TYPE_SCHED_CLS,
  uapi.BPF_PROG_TYPE_SCHED_ACT,
  uapi.BPF_PROG_TYPE_XDP,
  uapi.BPF_PROG_TYPE_SK_REUSEPORT,
  uapi.BPF_PROG_TYPE_FLOW_DISSECTOR,
  uapi.BPF_PROG_TYPE_SK_LOOKUP,
]);

function mayUpdateSockmap(env: Env, helperId: number): boolean {
  if (helperId !== helper.MAP_UPDATE_ELEM && helperId !== helper.MAP_DELETE_ELEM) return false;
  const { progType } = env;
  if (UPDATE_SOCKMAP.has(progType)) return true;
  if (progType === uapi.BPF_PROG_TYPE_TRACING && env.expectedAttachType === uapi.BPF_TRACE_ITER) return true;
  if (progType === uapi.BPF_PROG_TYPE_SOCK_OPS && helperId === helper.MAP_DELETE_ELEM) return true;
  env.log.write('cannot update sockmap in this context\n');
  return false;
}

function mapTakes(env: Env, mapType: number, helperId: number): boolean {
  const helpers = BY_MAP.get(mapType);
  if (helpers === undefined || helpers.includes(helperId)) return true;
  const isSockmap = mapType === uapi.BPF_MAP_TYPE_SOCKMAP || mapType === uapi.BPF_MAP_TYPE_SOCKHASH;
  return isSockmap && mayUpdateSockmap(env, helperId);
}

/** 0, or -EINVAL where the helper does not work on maps of that type. */
export function checkMapHelper(env: Env, map: VerifierMap | null, helperId: number): number {
  if (map === null) return 0;
  const { type } = map.spec;
  const types = BY_HELPER.get(helperId);
  if (mapTakes(env, type, helperId) && (types === undefined || types.includes(type))) return 0;
  env.log.write(`cannot pass map_type ${type} into func ${helperLabel(env, helperId)}\n`);
  return -EINVAL;
}
