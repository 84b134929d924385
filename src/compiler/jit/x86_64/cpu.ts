/** What code depends on beside the program: the processor, its mitigations, how the kernel was built, and its structures. */
import type { Btf } from '../../btf/btf.js';
import { hasMember, memberOffset } from '../../btf/member-offset.js';
import type { Address } from '../address.js';
import type { CpuFacts } from '../architecture.js';

/**
 * Features and mitigations of the processor that change code, by the names that requests and manifests have for them. Those of indirect jumps
 * go before each other as the kernel has them: `its`, `lfence`, `retpoline`, and a plain JMP where none is there.
 */
export interface CpuFeatures {
  /** BMI2: shifts by any register. */
  readonly bmi2: boolean;
  /** Five-level page tables: user addresses have 56 bits, which guarded loads compare with. */
  readonly la57: boolean;
  /** Indirect jumps go through the kernel's retpolines. */
  readonly retpoline: boolean;
  /** Indirect jumps stand behind an LFENCE. */
  readonly lfence: boolean;
  /** Indirect target selection: indirect jumps go through thunks that lie in the upper halves of cache lines. */
  readonly its: boolean;
  /** Calls are counted, for the return stack buffer to be filled before it runs out (retbleed=stuff). */
  readonly stuffing: boolean;
  /** The kernel function that returns jump to; '' for a plain RET. */
  readonly rethunk: string;
}

/** The names, as Architecture.cpuFeatures has them. */
export const CPU_FEATURES = ['bmi2', 'la57', 'retpoline', 'lfence', 'its', 'stuffing', 'rethunk'] as const;

/** What is asked for, and else what the profile's kernel found its machine to have; a machine of which nothing is known has nothing. */
export function cpuFeatures(recorded: CpuFacts, asked: CpuFacts): CpuFeatures {
  const has = (name: string): boolean => (asked[name] ?? recorded[name]) === true;
  return {
    bmi2: has('bmi2'),
    la57: has('la57'),
    retpoline: has('retpoline'),
    lfence: has('lfence'),
    its: has('its'),
    stuffing: has('stuffing'),
    rethunk: String(asked['rethunk'] ?? recorded['rethunk'] ?? ''),
  };
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
  /** struct pcpu_hot: call_depth; -1 where the kernel does not count calls, whatever its features. */
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
    callDepth: hasMember(btf, 'pcpu_hot', 'call_depth') ? memberOffset(btf, 'pcpu_hot', 'call_depth') : -1,
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
