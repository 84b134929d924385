/** Recordings of linux-6.12-x86_64 as input for the JIT; ../corpus.ts tells what they are. */
import { addressOf, type Address } from '../../../src/compiler/jit/address.js';
import { userEnd, type CpuFeatures } from '../../../src/compiler/jit/x86_64/cpu.js';
import type { JitOptions } from '../../../src/compiler/jit/x86_64/state.js';
import type { JitProgram } from '../../../src/compiler/jit/program.js';
import { linkedProgram, type CompiledRecording, type RecordedSymbols } from '../corpus.js';

/** Kernel symbols, by kallsyms. */
const OTHERS: readonly (readonly [string, bigint])[] = [
  ['this_cpu_off', 0x19a18n],
  ['pcpu_hot', 0x35000n],
  ['srso_alias_return_thunk', 0xffff_ffff_81f0_410bn],
  ['its_return_thunk', 0xffff_ffff_81ca_3c60n],
  ['call_depth_return_thunk', 0xffff_ffff_81ca_3750n],
  ['__x86_indirect_thunk_rcx', 0xffff_ffff_81ca_3040n],
  ['__x86_indirect_jump_thunk_rcx', 0xffff_ffff_81ca_3440n],
  ['__x86_indirect_its_thunk_rcx', 0xffff_ffff_81ca_3860n],
];
const OTHER_SYMBOLS: ReadonlyMap<string, Address> = new Map(OTHERS.map(([name, value]) => [name, addressOf(value)]));
export const SYMBOLS: RecordedSymbols = {
  callBase: addressOf(0xffff_ffff_8127_c940n),
  bpfThrow: addressOf(0xffff_ffff_812b_c3c0n),
  others: OTHER_SYMBOLS,
};

/** The oracle's processor, EPYC-Milan. */
export const MILAN: CpuFeatures = {
  bmi2: true,
  la57: false,
  retpoline: true,
  lfence: false,
  its: false,
  stuffing: false,
  rethunk: 'srso_alias_return_thunk',
};
/** With mitigations=off. */
export const UNMITIGATED: CpuFeatures = { ...MILAN, retpoline: false, rethunk: '' };
/** A processor without BMI2, whose kernel is booted with indirect_target_selection=force. */
export const NEHALEM: CpuFeatures = { ...MILAN, bmi2: false, rethunk: 'its_return_thunk' };
/** Skylake with retbleed=stuff. */
export const SKYLAKE: CpuFeatures = { ...MILAN, stuffing: true, rethunk: 'call_depth_return_thunk' };

/** How that kernel is built, and structure offsets by its BTF. */
export const KERNEL = {
  build: { landingPads: true, stopsReturns: true, stopsJumps: true },
  offsets: { arrayMaxEntries: 36, arrayPointers: 264, programFunction: 48, callDepth: 16 },
} as const;

/** bpf_task_acquire and htab_map_update_elem, of which the kernel counts calls by itself with retbleed=stuff. */
const SELF_COUNTING = new Set([0xffff_ffff_812b_bc90n, 0xffff_ffff_812c_6af0n].map((address) => addressOf(address).lo));

export function jitInput(
  recording: CompiledRecording,
  cpu: CpuFeatures = MILAN,
): { program: JitProgram; options: JitOptions } {
  const { program, link } = linkedProgram(recording, SYMBOLS);
  const countsItself = (target: Address | null): boolean => target !== null && SELF_COUNTING.has(target.lo);
  return { program, options: { ...KERNEL, cpu, userEnd: userEnd(cpu.la57), countsItself, link } };
}
