/** What code generation must know of the kernel: offsets in its structures, its build and the CPU. */
import type { Btf } from '../../btf/btf.js';
import { memberOffset } from '../../btf/member-offset.js';
import type { Profile } from '../../targets/profile.js';
import type { CpuFacts } from '../architecture.js';

/** CPU features that change code. */
export interface CpuFeatures {
  /** Armv8.1 atomics: without them, loops of exclusive loads and stores. */
  readonly lse: boolean;
  /** The kernel is built with landing pads for indirect branches (CONFIG_ARM64_BTI_KERNEL). */
  readonly bti: boolean;
  /** The kernel is built to sign return addresses (CONFIG_ARM64_PTR_AUTH_KERNEL). */
  readonly pac: boolean;
}

/** Structure offsets that code embeds, in bytes. */
export interface KernelOffsets {
  /** struct bpf_array: map.max_entries and ptrs, which tail calls read. */
  readonly arrayMaxEntries: number;
  readonly arrayPointers: number;
  /** struct bpf_prog: bpf_func, where a tail call goes. */
  readonly programFunction: number;
  /** struct thread_info: cpu. */
  readonly threadCpu: number;
}

const OFFSETS = new WeakMap<Btf, KernelOffsets>();

/** The offsets from the kernel's BTF, read once. Throws where it lacks one of the structures: no profile does. */
export function kernelOffsets(btf: Btf): KernelOffsets {
  let offsets = OFFSETS.get(btf);
  if (offsets === undefined) OFFSETS.set(btf, (offsets = readOffsets(btf)));
  return offsets;
}

function readOffsets(btf: Btf): KernelOffsets {
  return {
    arrayMaxEntries: memberOffset(btf, 'bpf_array', 'map') + memberOffset(btf, 'bpf_map', 'max_entries'),
    arrayPointers: memberOffset(btf, 'bpf_array', 'ptrs'),
    programFunction: memberOffset(btf, 'bpf_prog', 'bpf_func'),
    threadCpu: memberOffset(btf, 'thread_info', 'cpu'),
  };
}

/** The features asked for; what was not asked is as the kernel is built, on a CPU that has everything. */
export function cpuFeatures(profile: Profile, asked: CpuFacts): CpuFeatures {
  const feature = (name: string, option: string): boolean => {
    const value = asked[name];
    return typeof value === 'boolean' ? value : profile.config.get(option) === 'y';
  };
  return {
    lse: feature('lse', 'CONFIG_ARM64_LSE_ATOMICS'),
    bti: feature('bti', 'CONFIG_ARM64_BTI_KERNEL'),
    pac: feature('pac', 'CONFIG_ARM64_PTR_AUTH_KERNEL'),
  };
}
