/**
 * Recorded programs, run on arm64: golden programs of ours, one for each instruction group, with and without LSE, and
 * lib/test_bpf.c's (the shared corpus, where it is there).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { CpuFeatures } from '../../src/compiler/jit/arm64/target.js';
import { ARM64_SYMBOLS, OFFSETS } from '../jit/corpus.js';
import { Machine } from './machine.js';
import type { Compile } from './recorded.js';
import { runGolden, runTestBpf, type Runs } from './runs.js';

const machine = new Machine();
tap.teardown(() => machine.close());

const RUNS: Runs = { machine, symbols: ARM64_SYMBOLS, lookup: 291960, update: 306168, thunks: [] };
const on =
  (cpu: CpuFeatures): Compile =>
  (program, link) =>
    compileProgram(program, { cpu, offsets: OFFSETS, longJumps: true, link });
const NEWEST = { lse: true, bti: false, pac: true };

tap.test('golden programs compute what the kernel computed', (t) => {
  runGolden(t, RUNS, 'jit', 'programs', on(NEWEST));
  t.end();
});

tap.test('so they do with landing pads and without signed return addresses', (t) => {
  runGolden(t, RUNS, 'jit', 'programs', on({ lse: true, bti: true, pac: false }));
  t.end();
});

tap.test('golden atomics without LSE', (t) => {
  runGolden(t, RUNS, 'jit-armv8.0', 'atomics', on({ lse: false, bti: false, pac: true }));
  t.end();
});

const CORPUS = process.env['BPF_JITD_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus');
const TEST_BPF = join(CORPUS, 'test_bpf/kernel.jsonl.gz');

tap.test('every program of test_bpf computes its expected value', { skip: !existsSync(TEST_BPF) }, (t) => {
  runTestBpf(t, RUNS, TEST_BPF, on(NEWEST));
  t.end();
});
