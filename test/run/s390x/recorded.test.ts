/**
 * Golden programs of s390x, run under qemu-s390x: what our code computes is what the kernel's run of them returned, with and
 * without expolines.
 */
import tap, { type Test } from 'tap';
import { addressOf } from '../../../src/compiler/jit/address.js';
import type { CompiledFunction } from '../../../src/compiler/jit/program.js';
import { compileProgram } from '../../../src/compiler/jit/s390x/jit.js';
import { readGolden, type GoldenRecord } from '../../golden/golden.js';
import { jitInput } from '../../jit/s390x/recordings.js';
import { Machine, S390X } from '../machine.js';
import { CALL_BASE, CODE, redirected, REGION, REGION_BYTES, type Redirection } from '../recorded.js';

const MEMORY = 0x60_0000_0000;
/** As large as the largest map of the programs. */
const MAP_BYTES = 0x10000;
/** Its helper has no stand-in, and is not inlined here. */
const NEEDS_KERNEL = 'inlined helpers';
/** The golden programs' helpers, __htab_map_lookup_elem and htab_map_update_elem: distances from __bpf_call_base. */
const LOOKUP = 277320;
const UPDATE = 292736;
/** struct bpf_map: max_entries, which tail calls read. */
const MAX_ENTRIES = 36;
const GAP = 0x100;

const machine = new Machine(S390X);
tap.teardown(() => machine.close());

/** Compiles for addresses of ours from `at` on. */
function place(record: GoldenRecord, at: number, expolines: boolean): { address: number; fn: CompiledFunction }[] {
  const { program, options } = jitInput(record);
  let next = at;
  const addresses = record.functions.map(({ code }) => {
    const address = next;
    next = Math.ceil((next + code.length / 2 + GAP) / 16) * 16;
    return address;
  });
  const link = {
    functions: addresses.map((address) => addressOf(BigInt(address))),
    callBase: addressOf(BigInt(CALL_BASE)),
    arena: null,
    symbol: () => null,
  };
  const compiled = compileProgram(redirected(program, redirectionsOf(record)), {
    ...options,
    cpu: { expolines },
    link,
  });
  if (!compiled.ok) throw new Error(`${record.program}: ${compiled.failure.message}`);
  return compiled.value.map((fn, i) => ({ address: addresses[i]!, fn }));
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

function runGolden(t: Test, expolines: boolean): void {
  const records = readGolden('jit-s390x', 'programs').filter(
    (r) => r.returnValue !== undefined && r.program !== NEEDS_KERNEL,
  );
  const batch = machine
    .batch()
    .map(REGION, REGION_BYTES)
    .standIn(CALL_BASE + LOOKUP, 'map_lookup_elem')
    .standIn(CALL_BASE + UPDATE, 'map_update_elem');
  let at = CODE;
  for (const record of records) {
    batch.map(MEMORY, 2 * MAP_BYTES);
    if (record.program.startsWith('tail calls'))
      batch.write(MEMORY + MAP_BYTES + MAX_ENTRIES, Uint8Array.of(0, 0, 0, 4));
    const placed = place(record, at, expolines);
    at = placed.at(-1)!.address + 0x10000;
    for (const { address, fn } of placed) batch.load(address, fn);
    batch.run(placed[0]!.address);
  }
  const { results, signal } = machine.run(batch);
  t.equal(signal, null, 'the batch ran to its end');
  t.ok(records.length > 70, 'there are programs');
  records.forEach((record, i) => {
    t.equal(Number(BigInt.asUintN(32, results[i] ?? -1n)), record.returnValue! >>> 0, record.program);
  });
}

tap.test('golden programs compute what the kernel computed', (t) => {
  runGolden(t, false);
  t.end();
});

tap.test('so they do with expolines', (t) => {
  runGolden(t, true);
  t.end();
});
