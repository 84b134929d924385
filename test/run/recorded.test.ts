/**
 * Recorded programs, run: what our code computes is what the kernel's run of them returned (golden programs of ours, one for
 * each instruction group, with and without LSE), and what lib/test_bpf.c expects (the shared corpus, where it is there).
 *
 * For 11 programs of that corpus the kernel's own run returned something else than `expect`; there the run is the measure.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { readGolden, type GoldenRecord } from '../golden/golden.js';
import { compiledRecordings, type CompiledRecording } from '../jit/corpus.js';
import { Batch, Machine } from './machine.js';
import type { CpuFeatures } from '../../src/compiler/jit/arm64/target.js';
import { CALL_BASE, CODE, placeRecording, REGION, REGION_BYTES, type Placed, type Redirection } from './recorded.js';

const MEMORY = 0x60_0000_0000;
/** As large as the largest map of the programs. */
const MAP_BYTES = 0x10000;
/** Inlined for a register of the kernel's (SP_EL0), which a process cannot read. */
const NEEDS_KERNEL = 'inlined helpers';
/** The golden programs' helpers, __htab_map_lookup_elem and htab_map_update_elem: distances from __bpf_call_base. */
const LOOKUP = 291960;
const UPDATE = 306168;
/** struct bpf_map: max_entries, which tail calls read. */
const MAX_ENTRIES = 36;

const machine = new Machine();
tap.teardown(() => machine.close());

function batchOf(): Batch {
  return new Batch()
    .map(REGION, REGION_BYTES)
    .map(MEMORY, 2 * MAP_BYTES)
    .standIn(CALL_BASE + LOOKUP, 'map_lookup_elem')
    .standIn(CALL_BASE + UPDATE, 'map_update_elem');
}

function load(batch: Batch, placed: readonly Placed[]): number {
  for (const { address, fn } of placed) batch.load(address, fn);
  return placed[0]!.address;
}

function asRecording(record: GoldenRecord): CompiledRecording {
  return {
    prog: record.program,
    type: record.type,
    err: 0,
    arena: null,
    functions: record.functions.map((fn) => ({
      address: fn.address,
      code: fn.code,
      extable: fn.exceptionTable,
      stack_depth: fn.stackDepth,
      jit_input: fn.jitInput,
    })),
  };
}

/** The program's map: its values, then its struct bpf_map. */
function redirectionsOf(record: GoldenRecord): Redirection[] {
  const map = record.maps[0];
  if (map === undefined) return [];
  const values = BigInt(`0x${map.valueAddress}`);
  return [
    { from: BigInt(`0x${map.address}`), length: 1n, to: MEMORY + MAP_BYTES },
    ...(values === 0n ? [] : [{ from: values, length: BigInt(MAP_BYTES), to: MEMORY }]),
  ];
}

function runGolden(t: Test, folder: string, name: string, cpu: CpuFeatures): void {
  const records = readGolden(folder, name).filter((r) => r.returnValue !== undefined && r.program !== NEEDS_KERNEL);
  const batch = batchOf();
  let at = CODE;
  for (const record of records) {
    batch.map(MEMORY, 2 * MAP_BYTES);
    if (record.program.startsWith('tail calls'))
      batch.write(MEMORY + MAP_BYTES + MAX_ENTRIES, Uint8Array.of(4, 0, 0, 0));
    const placed = placeRecording(asRecording(record), at, redirectionsOf(record), cpu);
    at = placed.at(-1)!.address + 0x10000;
    batch.run(load(batch, placed));
  }
  const { results, signal } = machine.run(batch);
  t.equal(signal, null, 'the batch ran to its end');
  t.ok(records.length > 0, 'there are programs');
  records.forEach((record, i) => {
    t.equal(Number(BigInt.asUintN(32, results[i] ?? -1n)), record.returnValue! >>> 0, record.program);
  });
}

tap.test('golden programs compute what the kernel computed', (t) => {
  runGolden(t, 'jit', 'programs', { lse: true, bti: false, pac: true });
  t.end();
});

tap.test('so they do with landing pads and without signed return addresses', (t) => {
  runGolden(t, 'jit', 'programs', { lse: true, bti: true, pac: false });
  t.end();
});

tap.test('golden atomics without LSE', (t) => {
  runGolden(t, 'jit-armv8.0', 'atomics', { lse: false, bti: false, pac: true });
  t.end();
});

const CORPUS = process.env['BPF_JITD_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus');
const TEST_BPF = join(CORPUS, 'test_bpf/kernel.jsonl.gz');

tap.test('every program of test_bpf computes its expected value', { skip: !existsSync(TEST_BPF) }, (t) => {
  const recordings = compiledRecordings(TEST_BPF).filter((r) => r.expect !== undefined);
  const batch = batchOf();
  let at = CODE;
  for (const recording of recordings) {
    const placed = placeRecording(recording, at, []);
    at = placed.at(-1)!.address + Math.ceil(placed.at(-1)!.fn.code.length / 0x1000) * 0x1000 + 0x1000;
    batch.run(load(batch, placed));
  }
  const { results, signal } = machine.run(batch);
  t.equal(signal, null, 'the batch ran to its end');
  const differing = (word: (r: CompiledRecording) => number | undefined): string[] =>
    recordings
      .filter((r, i) => Number(BigInt.asUintN(32, results[i] ?? -1n)) !== (word(r) ?? -1) >>> 0)
      .map((r) => r.prog);
  t.same(
    differing((r) => r.retval),
    [],
    'as the kernel ran them',
  );
  const agreed = recordings.filter((r) => r.retval! >>> 0 === r.expect! >>> 0);
  t.ok(agreed.length >= 348, 'the kernel computes what was expected, but for 11');
  t.same(
    differing((r) => (agreed.includes(r) ? r.expect : r.retval)),
    [],
    'as they are expected',
  );
  t.ok(recordings.length >= 359, 'all of the suite');
  t.end();
});
