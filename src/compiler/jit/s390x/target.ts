/** What code generation must know of the kernel: offsets in its structures, and the mitigations that change code. */
import type { Btf } from '../../btf/btf.js';
import { memberOffset } from '../../btf/member-offset.js';
import type { Profile } from '../../targets/profile.js';
import type { CpuFacts } from '../architecture.js';

/**
 * Of the machine's facilities the kernel's JIT asks for none: it is only built for processors (z196 and later) that have
 * what it uses.
 */
export interface CpuFeatures {
  /** Indirect branches go through an execute-type instruction (CONFIG_EXPOLINE, unless `nospec` or `spectre_v2=off`). */
  readonly expolines: boolean;
}

/** Structure offsets that code embeds, in bytes. */
export interface KernelOffsets {
  /** struct bpf_array: map.max_entries and ptrs, which tail calls read. */
  readonly arrayMaxEntries: number;
  readonly arrayPointers: number;
  /** struct bpf_prog: bpf_func, where a tail call goes. */
  readonly programFunction: number;
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
  };
}

/** What was not asked is as the kernel is built and was recorded. */
export function cpuFeatures(profile: Profile, asked: CpuFacts): CpuFeatures {
  const value = asked['expolines'] ?? profile.cpu['expolines'];
  return { expolines: typeof value === 'boolean' ? value : profile.config.get('CONFIG_EXPOLINE') === 'y' };
}
