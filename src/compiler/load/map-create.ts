/**
 * What BPF_MAP_CREATE refuses: attributes by map type (map_alloc_check and map_alloc, kernel/bpf, 6.12), then types
 * (map_check_btf). Memory is never short here. All answer 0 or a negative errno.
 */
import { KIND_STRUCT } from '../btf/kinds.js';
import * as uapi from '../targets/uapi.js';
import * as flag from '../targets/map-flags.js';
import type { LoaderProfile } from './loader-profile.js';
import { checkEarlyCapabilities, checkLateCapabilities } from './needed-capabilities.js';
import type { MapSpec } from './program.js';

const E2BIG = -7;
const EINVAL = -22;
const ERANGE = -34;
/** The kernel's own number, which user space has no name for. */
const ENOTSUPP = -524;

/** Largest kmalloc with pages of 4 KiB, and the smallest unit of per-CPU memory. */
const KMALLOC_MAX = 4 << 20;
const PERCPU_UNIT = 32 << 10;
const HTAB_ELEMENT_BYTES = 48;
const LOCAL_STORAGE_MAX = 0xffff - 64;
const LPM_KEY_MIN = 5;
const LPM_KEY_MAX = 4 + 256;
const LPM_VALUE_MAX = KMALLOC_MAX - 256 - 40;
const MAX_STACK_FRAMES = 127;
const BUILD_ID_BYTES = 32;
const NO_NUMA_NODE = -1;

const ACCESS = flag.BPF_F_RDONLY | flag.BPF_F_RDONLY_PROG | flag.BPF_F_WRONLY | flag.BPF_F_WRONLY_PROG;
const SYSCALL_ACCESS = flag.BPF_F_RDONLY | flag.BPF_F_WRONLY;
const PROGRAM_ACCESS = flag.BPF_F_RDONLY_PROG | flag.BPF_F_WRONLY_PROG;

/** Whether a kernel would make a map of these attributes, its types aside, for a process of these capabilities. */
export function checkMapAttributes(map: MapSpec, profile: LoaderProfile, capabilities: number): number {
  const { type, flags } = map;
  if (type !== uapi.BPF_MAP_TYPE_BLOOM_FILTER && type !== uapi.BPF_MAP_TYPE_ARENA && map.mapExtra !== 0n) return EINVAL;
  if ((flags & SYSCALL_ACCESS) === SYSCALL_ACCESS) return EINVAL;
  if (numaNode(map) !== NO_NUMA_NODE && numaNode(map) !== 0) return EINVAL; // a machine of one node
  if (!isKnownType(type, profile)) return EINVAL;
  return (
    checkEarlyCapabilities(map, capabilities) || checkByType(map, profile) || checkLateCapabilities(map, capabilities)
  );
}

/** The map as the kernel has it: programs may only read what lies behind device maps. */
export function created(map: MapSpec): MapSpec {
  const isDeviceMap = map.type === uapi.BPF_MAP_TYPE_DEVMAP || map.type === uapi.BPF_MAP_TYPE_DEVMAP_HASH;
  return isDeviceMap ? { ...map, flags: map.flags | flag.BPF_F_RDONLY_PROG } : map;
}

function isKnownType(type: number, profile: LoaderProfile): boolean {
  return type > uapi.BPF_MAP_TYPE_UNSPEC && type <= uapi.BPF_MAP_TYPE_ARENA && profile.mapOps(type) !== null;
}

function numaNode({ flags, numaNode }: MapSpec): number {
  return (flags & flag.BPF_F_NUMA_NODE) !== 0 ? numaNode : NO_NUMA_NODE;
}

function checkByType(map: MapSpec, profile: LoaderProfile): number {
  switch (map.type) {
    case uapi.BPF_MAP_TYPE_ARRAY:
    case uapi.BPF_MAP_TYPE_PERCPU_ARRAY:
      return checkArray(map);
    case uapi.BPF_MAP_TYPE_PROG_ARRAY:
    case uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY:
    case uapi.BPF_MAP_TYPE_CGROUP_ARRAY:
      return checkDescriptorArray(map);
    case uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS:
      return checkDescriptorArray(map) || checkInner(map);
    case uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
      return map.valueSize !== 4 && map.valueSize !== 8 ? EINVAL : checkArray(map);
    case uapi.BPF_MAP_TYPE_HASH:
    case uapi.BPF_MAP_TYPE_PERCPU_HASH:
    case uapi.BPF_MAP_TYPE_LRU_HASH:
    case uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH:
      return checkHash(map);
    case uapi.BPF_MAP_TYPE_HASH_OF_MAPS:
      return map.valueSize !== 4 ? EINVAL : checkHash(map) || checkInner(map);
    case uapi.BPF_MAP_TYPE_LPM_TRIE:
      return checkTrie(map);
    case uapi.BPF_MAP_TYPE_STACK_TRACE:
      return checkStackTrace(map);
    case uapi.BPF_MAP_TYPE_QUEUE:
    case uapi.BPF_MAP_TYPE_STACK:
      return checkQueue(map);
    case uapi.BPF_MAP_TYPE_BLOOM_FILTER:
      return checkBloomFilter(map);
    case uapi.BPF_MAP_TYPE_RINGBUF:
    case uapi.BPF_MAP_TYPE_USER_RINGBUF:
      return checkRingBuffer(map, profile.pageSize);
    case uapi.BPF_MAP_TYPE_ARENA:
      return checkArena(map, profile.pageSize);
    case uapi.BPF_MAP_TYPE_STRUCT_OPS:
      return checkStructOps(map, profile);
    default:
      return checkNetworkOrStorage(map, profile);
  }
}

function checkNetworkOrStorage(map: MapSpec, profile: LoaderProfile): number {
  switch (map.type) {
    case uapi.BPF_MAP_TYPE_DEVMAP:
    case uapi.BPF_MAP_TYPE_DEVMAP_HASH:
      return checkRedirect(map, [4, 8], flag.BPF_F_NUMA_NODE | SYSCALL_ACCESS);
    case uapi.BPF_MAP_TYPE_XSKMAP:
      return checkRedirect(map, [4], flag.BPF_F_NUMA_NODE | SYSCALL_ACCESS);
    case uapi.BPF_MAP_TYPE_SOCKMAP:
      return checkRedirect(map, [4, 8], flag.BPF_F_NUMA_NODE | SYSCALL_ACCESS);
    case uapi.BPF_MAP_TYPE_CPUMAP: {
      const limit = Number(profile.config.get('CONFIG_NR_CPUS') ?? 1);
      return checkRedirect(map, [4, 8], flag.BPF_F_NUMA_NODE) || (map.maxEntries > limit ? E2BIG : 0);
    }
    case uapi.BPF_MAP_TYPE_SOCKHASH:
      return checkSocketHash(map);
    case uapi.BPF_MAP_TYPE_CGROUP_STORAGE:
    case uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
      return checkCgroupStorage(map);
    case uapi.BPF_MAP_TYPE_SK_STORAGE:
    case uapi.BPF_MAP_TYPE_INODE_STORAGE:
    case uapi.BPF_MAP_TYPE_TASK_STORAGE:
    case uapi.BPF_MAP_TYPE_CGRP_STORAGE:
      return checkLocalStorage(map);
    default:
      return EINVAL;
  }
}

/** Whether flags are among those allowed, and programs may do something with the map. */
function flagsAllowed({ flags }: MapSpec, allowed: number): boolean {
  return (flags & ~allowed) === 0 && (flags & PROGRAM_ACCESS) !== PROGRAM_ACCESS;
}

function roundUp8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function checkArray(map: MapSpec): number {
  const isPerCpu = map.type === uapi.BPF_MAP_TYPE_PERCPU_ARRAY;
  const special = flag.BPF_F_MMAPABLE | flag.BPF_F_PRESERVE_ELEMS | flag.BPF_F_INNER_MAP;
  if (map.maxEntries === 0 || map.keySize !== 4 || map.valueSize === 0) return EINVAL;
  if (!flagsAllowed(map, flag.BPF_F_NUMA_NODE | ACCESS | special)) return EINVAL;
  if (isPerCpu && numaNode(map) !== NO_NUMA_NODE) return EINVAL;
  const isPlain = map.type === uapi.BPF_MAP_TYPE_ARRAY;
  if (!isPlain && (map.flags & (flag.BPF_F_MMAPABLE | flag.BPF_F_INNER_MAP)) !== 0) return EINVAL;
  const keepsElements = (map.flags & flag.BPF_F_PRESERVE_ELEMS) !== 0;
  if (keepsElements && map.type !== uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY) return EINVAL;
  if (map.valueSize > 0x7fff_ffff) return E2BIG;
  return isPerCpu && roundUp8(map.valueSize) > PERCPU_UNIT ? E2BIG : 0;
}

function checkDescriptorArray(map: MapSpec): number {
  return map.valueSize !== 4 || (map.flags & PROGRAM_ACCESS) !== 0 ? EINVAL : checkArray(map);
}

/** A map of maps needs a template, which is no map of maps itself, and of a type whose maps can be compared. */
function checkInner({ innerMap }: MapSpec): number {
  if (innerMap === null || innerMap.innerMap !== null) return EINVAL;
  switch (innerMap.type) {
    case uapi.BPF_MAP_TYPE_PROG_ARRAY:
    case uapi.BPF_MAP_TYPE_STRUCT_OPS:
    case uapi.BPF_MAP_TYPE_CGROUP_STORAGE:
    case uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
      return ENOTSUPP;
    default:
      return 0;
  }
}

function checkHash(map: MapSpec): number {
  const isPerCpu = map.type === uapi.BPF_MAP_TYPE_PERCPU_HASH || map.type === uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const isLru = map.type === uapi.BPF_MAP_TYPE_LRU_HASH || map.type === uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const ownLists = (map.flags & flag.BPF_F_NO_COMMON_LRU) !== 0;
  const own = flag.BPF_F_NO_PREALLOC | flag.BPF_F_NO_COMMON_LRU | flag.BPF_F_ZERO_SEED;
  if (!flagsAllowed(map, flag.BPF_F_NUMA_NODE | ACCESS | own)) return EINVAL;
  if (!isLru && ownLists) return EINVAL;
  if (isLru && (map.flags & flag.BPF_F_NO_PREALLOC) !== 0) return ENOTSUPP;
  if (numaNode(map) !== NO_NUMA_NODE && (isPerCpu || ownLists)) return EINVAL;
  if (map.maxEntries === 0 || map.keySize === 0 || map.valueSize === 0) return EINVAL;
  if (map.keySize + map.valueSize >= KMALLOC_MAX - HTAB_ELEMENT_BYTES) return E2BIG;
  if (isPerCpu && roundUp8(map.valueSize) > PERCPU_UNIT) return E2BIG;
  return map.maxEntries > 0x8000_0000 ? E2BIG : 0;
}

function checkTrie(map: MapSpec): number {
  if (map.maxEntries === 0 || (map.flags & flag.BPF_F_NO_PREALLOC) === 0) return EINVAL;
  if (!flagsAllowed(map, flag.BPF_F_NO_PREALLOC | flag.BPF_F_NUMA_NODE | ACCESS)) return EINVAL;
  if (map.keySize < LPM_KEY_MIN || map.keySize > LPM_KEY_MAX) return EINVAL;
  return map.valueSize < 1 || map.valueSize > LPM_VALUE_MAX ? EINVAL : 0;
}

function checkStackTrace(map: MapSpec): number {
  const allowed = flag.BPF_F_NUMA_NODE | SYSCALL_ACCESS | flag.BPF_F_STACK_BUILD_ID;
  if ((map.flags & ~allowed) !== 0 || map.maxEntries === 0 || map.keySize !== 4) return EINVAL;
  const entryBytes = (map.flags & flag.BPF_F_STACK_BUILD_ID) !== 0 ? BUILD_ID_BYTES : 8;
  if (map.valueSize < 8 || map.valueSize % entryBytes !== 0) return EINVAL;
  if (map.valueSize / entryBytes > MAX_STACK_FRAMES) return EINVAL;
  return map.maxEntries > 0x8000_0000 ? E2BIG : 0;
}

function checkQueue(map: MapSpec): number {
  if (map.maxEntries === 0 || map.keySize !== 0 || map.valueSize === 0) return EINVAL;
  if (!flagsAllowed(map, flag.BPF_F_NUMA_NODE | ACCESS)) return EINVAL;
  if (map.valueSize > KMALLOC_MAX) return E2BIG;
  return map.maxEntries >= Math.floor(0xffff_ffff / map.valueSize) ? E2BIG : 0;
}

function checkBloomFilter(map: MapSpec): number {
  if (map.valueSize > KMALLOC_MAX) return E2BIG;
  if (map.keySize !== 0 || map.valueSize === 0 || map.maxEntries === 0) return EINVAL;
  if (!flagsAllowed(map, flag.BPF_F_NUMA_NODE | flag.BPF_F_ZERO_SEED | ACCESS)) return EINVAL;
  return map.mapExtra > 0xfn ? EINVAL : 0;
}

function checkRingBuffer(map: MapSpec, pageSize: number): number {
  if ((map.flags & ~flag.BPF_F_NUMA_NODE) !== 0 || map.keySize !== 0 || map.valueSize !== 0) return EINVAL;
  const isPowerOfTwo = map.maxEntries !== 0 && Number.isInteger(Math.log2(map.maxEntries));
  return !isPowerOfTwo || map.maxEntries % pageSize !== 0 ? EINVAL : 0;
}

function checkArena(map: MapSpec, pageSize: number): number {
  const allowed = flag.BPF_F_SEGV_ON_FAULT | flag.BPF_F_MMAPABLE | flag.BPF_F_NO_USER_CONV;
  if (map.keySize !== 0 || map.valueSize !== 0 || map.maxEntries === 0) return EINVAL;
  if ((map.flags & flag.BPF_F_MMAPABLE) === 0 || (map.flags & ~allowed) !== 0) return EINVAL;
  if (map.mapExtra % BigInt(pageSize) !== 0n) return EINVAL;
  const bytes = BigInt(map.maxEntries) * BigInt(pageSize);
  if (bytes > 0x1_0000_0000n) return E2BIG;
  return map.mapExtra >> 32n !== (map.mapExtra + bytes - 1n) >> 32n ? ERANGE : 0;
}

function checkStructOps(map: MapSpec, profile: LoaderProfile): number {
  const hasLinks = profile.btf.find('bpf_struct_ops_link', KIND_STRUCT) !== 0; // of a kernel that has none, the flag neither
  const allowed = (hasLinks ? flag.BPF_F_LINK : 0) | flag.BPF_F_VTYPE_BTF_OBJ_FD;
  if (map.keySize !== 4 || map.maxEntries !== 1 || (map.flags & ~allowed) !== 0) return EINVAL;
  if (map.btfVmlinuxValueTypeId === 0) return EINVAL;
  return map.valueSize === profile.btf.sizeOrType(map.btfVmlinuxValueTypeId) ? 0 : EINVAL;
}

function checkRedirect(map: MapSpec, valueSizes: readonly number[], allowed: number): number {
  if (map.maxEntries === 0 || map.keySize !== 4 || !valueSizes.includes(map.valueSize)) return EINVAL;
  if ((map.flags & ~allowed) !== 0) return EINVAL;
  return map.type === uapi.BPF_MAP_TYPE_DEVMAP_HASH && map.maxEntries > 0x8000_0000 ? EINVAL : 0;
}

function checkSocketHash(map: MapSpec): number {
  if (map.maxEntries === 0 || map.keySize === 0 || (map.valueSize !== 4 && map.valueSize !== 8)) return EINVAL;
  if ((map.flags & ~(flag.BPF_F_NUMA_NODE | SYSCALL_ACCESS)) !== 0) return EINVAL;
  return map.keySize > 512 ? E2BIG : 0;
}

function checkCgroupStorage(map: MapSpec): number {
  const isPerCpu = map.type === uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
  if ((map.keySize !== 16 && map.keySize !== 8) || map.valueSize === 0) return EINVAL;
  if (map.valueSize > (isPerCpu ? PERCPU_UNIT : LOCAL_STORAGE_MAX)) return E2BIG;
  return !flagsAllowed(map, flag.BPF_F_NUMA_NODE | ACCESS) || map.maxEntries !== 0 ? EINVAL : 0;
}

function checkLocalStorage(map: MapSpec): number {
  const allowed = flag.BPF_F_NO_PREALLOC | flag.BPF_F_CLONE;
  if ((map.flags & ~allowed) !== 0 || (map.flags & flag.BPF_F_NO_PREALLOC) === 0) return EINVAL;
  if (map.maxEntries !== 0 || map.keySize !== 4 || map.valueSize === 0) return EINVAL;
  if (map.btf === null || map.btfKeyTypeId === 0 || map.btfValueTypeId === 0) return EINVAL;
  return map.valueSize > LOCAL_STORAGE_MAX ? E2BIG : 0;
}
