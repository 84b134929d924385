/** Recorded programs, run: what our code computes against what the kernel's run of them returned. */
import type { Test } from 'tap';
import { readGolden, type GoldenRecord } from '../golden/golden.js';
import { compiledRecordings, type CompiledRecording, type RecordedSymbols } from '../jit/corpus.js';
import { Batch, type Machine } from './machine.js';
import {
  CALL_BASE,
  CODE,
  placeRecording,
  REGION,
  REGION_BYTES,
  type Compile,
  type Placed,
  type Redirection,
} from './recorded.js';

const MEMORY = 0x60_0000_0000;
/** As large as the largest map of the programs. */
const MAP_BYTES = 0x10000;
/** Inlined as accesses to what is the kernel's alone: its registers, its per-CPU memory. */
const NEEDS_KERNEL = 'inlined helpers';
/** struct bpf_map: max_entries, which tail calls read. */
const MAX_ENTRIES = 36;

/** An architecture's recordings and how they are run. */
export interface Runs {
  readonly machine: Machine;
  readonly symbols: RecordedSymbols;
  /** The golden programs' helpers, __htab_map_lookup_elem and htab_map_update_elem: distances from __bpf_call_base. */
  readonly lookup: number;
  readonly update: number;
  /** Code of the kernel's that the programs' refers to, by its place in the region. */
  readonly thunks: readonly (readonly [address: number, code: Uint8Array])[];
}

function batchOf({ lookup, update, thunks }: Runs): Batch {
  const batch = new Batch()
    .map(REGION, REGION_BYTES)
    .map(MEMORY, 2 * MAP_BYTES)
    .standIn(CALL_BASE + lookup, 'map_lookup_elem')
    .standIn(CALL_BASE + update, 'map_update_elem');
  for (const [address, code] of thunks) batch.write(address, code);
  return batch;
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

/** Runs every program of a golden file that the kernel has run. */
export function runGolden(t: Test, runs: Runs, folder: string, name: string, compile: Compile): void {
  const records = readGolden(folder, name).filter((r) => r.returnValue !== undefined && r.program !== NEEDS_KERNEL);
  const batch = batchOf(runs);
  let at = CODE;
  for (const record of records) {
    batch.map(MEMORY, 2 * MAP_BYTES);
    if (record.program.startsWith('tail calls'))
      batch.write(MEMORY + MAP_BYTES + MAX_ENTRIES, Uint8Array.of(4, 0, 0, 0));
    const placed = placeRecording(asRecording(record), at, redirectionsOf(record), runs.symbols, compile);
    at = placed.at(-1)!.address + 0x10000;
    batch.run(load(batch, placed));
  }
  const { results, signal } = runs.machine.run(batch);
  t.equal(signal, null, 'the batch ran to its end');
  t.ok(records.length > 0, 'there are programs');
  records.forEach((record, i) => {
    t.equal(Number(BigInt.asUintN(32, results[i] ?? -1n)), record.returnValue! >>> 0, record.program);
  });
}

/**
 * Runs lib/test_bpf.c's programs. For 11 of them the kernel's own run returned something else than `expect`; there the run
 * is the measure.
 */
export function runTestBpf(t: Test, runs: Runs, file: string, compile: Compile): void {
  const recordings = compiledRecordings(file).filter((r) => r.expect !== undefined);
  const batch = batchOf(runs);
  let at = CODE;
  for (const recording of recordings) {
    const placed = placeRecording(recording, at, [], runs.symbols, compile);
    at = placed.at(-1)!.address + Math.ceil(placed.at(-1)!.fn.code.length / 0x1000) * 0x1000 + 0x1000;
    batch.run(load(batch, placed));
  }
  const { results, signal } = runs.machine.run(batch);
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
}
