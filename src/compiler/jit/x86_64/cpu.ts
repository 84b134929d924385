/** What code depends on beside the program: the processor, its mitigations, how the kernel was built, and its structures. */
import type { Btf } from '../../btf/btf.js';
import { memberOffset } from '../../btf/member-offset.js';
import type { Address } from '../address.js';

/**
 * How the kernel has indirect jumps made, by what it found the processor to need: `plain` a JMP; `lfence` one behind an LFENCE; `retpoline`,
 * `its` (indirect target selection) and `call-depth` through the kernel's thunks for each.
 */
export type IndirectJumps = 'plain' | 'lfence' | 'retpoline' | 'its' | 'call-depth';

/** Features and mitigations of the processor that change code. */
export interface CpuFeatures {
  /** BMI2: shifts by any register. */
  readonly bmi2: boolean;
  /** Five-level page tables: user addresses have 56 bits, which guarded loads compare with. */
  readonly la57: boolean;
  readonly indirectJumps: IndirectJumps;
  /** The kernel function that returns jump to; '' for a plain RET. */
  readonly returnThunk: string;
  /** Calls are counted, for the return stack buffer to be filled before it runs out (retbleed=stuff). */
  readonly callDepth: boolean;
}

/** How the kernel is built. */
export interface BuildFeatures {
  /** With landing pads for indirect branches (CONFIG_X86_KERNEL_IBT). */
  readonly landingPads: boolean;
  /** A breakpoint behind returns stops straight-line speculation (CONFIG_MITIGATION_SLS). */
  readonly stopsReturns: boolean;
  /** A breakpoint behind indirect jumps does (CONFIG_MITIGATION_SLS or CONFIG_MITIGATION_RETPOLINE). */
  readonly stopsJumps: boolean;
}

/** Structure offsets that code embeds, in bytes. */
export interface KernelOffsets {
  /** struct bpf_array: map.max_entries and ptrs, which tail calls read. */
  readonly arrayMaxEntries: number;
  readonly arrayPointers: number;
  /** struct bpf_prog: bpf_func, where a tail call goes. */
  readonly programFunction: number;
  /** struct pcpu_hot: call_depth; 0 where the kernel counts no calls. */
  readonly callDepth: number;
}

const OFFSETS = new WeakMap<Btf, KernelOffsets>();

/** The offsets from the kernel's BTF, read once. Throws where it lacks a structure that tail calls need: no profile does. */
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
    callDepth: 0,
  };
}

/** Options of the kernel's configuration that change code. */
export function buildFeatures(config: ReadonlyMap<string, string>): BuildFeatures {
  const built = (option: string): boolean => config.get(option) === 'y';
  const stopsReturns = built('CONFIG_MITIGATION_SLS');
  return {
    landingPads: built('CONFIG_X86_KERNEL_IBT'),
    stopsReturns,
    stopsJumps: stopsReturns || built('CONFIG_MITIGATION_RETPOLINE'),
  };
}

/** One above the last address of a user's process, page tables allowing: with a page of guard between. */
export function userEnd(la57: boolean): Address {
  return la57 ? { hi: 0x0100_0000, lo: 0 } : { hi: 0x8000, lo: 0 };
}
