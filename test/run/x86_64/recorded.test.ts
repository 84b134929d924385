/**
 * Recorded programs, run on x86-64: golden programs of ours, one for each instruction group, with and without BMI2 and mitigations, and
 * lib/test_bpf.c's (the shared corpora, where they are there).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { addressOf, type Address } from '../../../src/compiler/jit/address.js';
import type { CpuFeatures } from '../../../src/compiler/jit/x86_64/cpu.js';
import { userEnd } from '../../../src/compiler/jit/x86_64/cpu.js';
import { compileProgram } from '../../../src/compiler/jit/x86_64/jit.js';
import { KERNEL, MILAN, SYMBOLS, UNMITIGATED } from '../../jit/x86_64/recordings.js';
import { Machine, X86_64 } from '../machine.js';
import { REGION, type Compile } from '../recorded.js';
import { runGolden, runTestBpf, type Runs } from '../runs.js';

const machine = new Machine(X86_64);
tap.teardown(() => machine.close());

/** Thunks of our own: RET, and JMP RCX. */
const RETURN_THUNK = REGION;
const JUMP_THUNK = REGION + 16;
const OTHERS = new Map<string, Address>([
  [MILAN.rethunk, addressOf(BigInt(RETURN_THUNK))],
  ['__x86_indirect_thunk_rcx', addressOf(BigInt(JUMP_THUNK))],
]);
const RUNS: Runs = {
  machine,
  symbols: { ...SYMBOLS, others: OTHERS },
  lookup: Number(0xffff_ffff_812c_3620n - 0xffff_ffff_8127_c940n),
  update: Number(0xffff_ffff_812c_6af0n - 0xffff_ffff_8127_c940n),
  thunks: [
    [RETURN_THUNK, Uint8Array.of(0xc3)],
    [JUMP_THUNK, Uint8Array.of(0xff, 0xe1)],
  ],
};
const on =
  (cpu: CpuFeatures): Compile =>
  (program, link) =>
    compileProgram(program, { ...KERNEL, cpu, userEnd: userEnd(cpu.la57), countsItself: () => true, link });

tap.test('golden programs compute what the kernel computed', (t) => {
  runGolden(t, RUNS, 'jit-x86_64', 'programs', on(MILAN));
  t.end();
});

tap.test('so they do without BMI2 and without mitigations', (t) => {
  runGolden(t, RUNS, 'jit-x86_64', 'programs', on({ ...UNMITIGATED, bmi2: false }));
  runGolden(t, RUNS, 'jit-x86_64', 'programs', on({ ...UNMITIGATED, lfence: true }));
  t.end();
});

const CORPORA = process.env['BPF_JITD_CORPORA'] ?? join(import.meta.dirname, '../../../../shared/corpora');
const TEST_BPF = join(CORPORA, 'linux-6.12-x86_64/test_bpf/kernel.jsonl.gz');

tap.test('every program of test_bpf computes its expected value', { skip: !existsSync(TEST_BPF) }, (t) => {
  runTestBpf(t, RUNS, TEST_BPF, on(MILAN));
  t.end();
});
