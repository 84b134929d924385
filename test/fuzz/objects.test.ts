/**
 * Damaged objects: whatever is done to an ELF file, its BTF or .BTF.ext, the loader answers, quickly. Property-based and
 * time-boxed; seeds.json holds the seeds, and every input that once failed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { readBtfExt } from '../../src/compiler/btf/ext.js';
import { readBtf } from '../../src/compiler/btf/read.js';
import { validateBtf } from '../../src/compiler/btf/validate.js';
import { readSections } from '../../src/compiler/elf/elf.js';
import { readKernelBtf } from '../../src/compiler/kernel-btf.js';
import { loadObject } from '../../src/compiler/load/object.js';
import { loadRaw } from '../../src/compiler/load/raw.js';
import { loadProfile } from '../../src/service/targets.js';
import { readObjectFile } from '../objects/golden.js';
import { assertCheap, measure } from './limits.js';
import { mutate, mutation, type Mutation } from './mutations.js';
import { LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';

interface Seeds {
  readonly seeds: readonly number[];
  /** Inputs that failed once, to be tried first. */
  readonly regressions: readonly { readonly object: string; readonly mutations: readonly Mutation[] }[];
}

const { seeds, regressions } = JSON.parse(readFileSync(join(import.meta.dirname, 'seeds.json'), 'utf8')) as Seeds;
const profile = await loadProfile('linux-6.12-arm64');
const names = readdirSync(join(import.meta.dirname, '../objects')).filter((name) => name.endsWith('.o'));
const objects = new Map(names.map((name) => [name, readObjectFile(name)]));
const MILLISECONDS = Number(process.env['FUZZ_MS'] ?? 2500);

function section(object: Uint8Array, name: string): Uint8Array {
  const sections = readSections(object);
  const found = sections.ok ? sections.value.find((one) => one.name === name) : undefined;
  return found?.data ?? new Uint8Array(0);
}

/** Puts a section's bytes back into the object, where they came from. */
function withSection(object: Uint8Array, original: Uint8Array, changed: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(object);
  copy.set(changed.subarray(0, original.length), original.byteOffset - object.byteOffset);
  return copy;
}

function load(bytes: Uint8Array): void {
  for (const legacyMaps of [false, true]) {
    const { programs, failure } = loadObject(bytes, profile, { programs: [], legacyMaps });
    for (const { program } of programs) {
      if (!program.ok && program.failure.message === '') throw new Error('a failure without a word');
    }
    if (failure !== null && failure.errno >= 0) throw new Error('a failure without an errno');
  }
}

function check(bytes: Uint8Array, read: (bytes: Uint8Array) => void): void {
  assertCheap(
    measure(() => read(bytes)),
    bytes.length,
  );
}

load(readObjectFile('core.o')); // what is measured is not the first run

for (const { object, mutations } of regressions) {
  t.test(`regression in ${object}`, async (t) => {
    t.doesNotThrow(() => check(mutate(objects.get(object)!, mutations), load));
  });
}

const anyObject = fc.constantFrom(...names);
const changes = fc.array(mutation, { minLength: 1, maxLength: 12 });

for (const seed of seeds) {
  const limits = { seed, numRuns: 100_000, interruptAfterTimeLimit: MILLISECONDS, markInterruptAsFailure: false };

  t.test(`objects, seed ${seed}`, async (t) => {
    const property = fc.property(anyObject, changes, (name, mutations) =>
      check(mutate(objects.get(name)!, mutations), load),
    );
    t.doesNotThrow(() => fc.assert(property, limits));
  });

  for (const part of ['.BTF', '.BTF.ext', '.symtab', '.maps']) {
    t.test(`${part} of objects, seed ${seed}`, async (t) => {
      const property = fc.property(anyObject, changes, (name, mutations) => {
        const object = objects.get(name)!;
        const original = section(object, part);
        check(withSection(object, original, mutate(original, mutations)), load);
      });
      t.doesNotThrow(() => fc.assert(property, limits));
    });
  }

  t.test(`readers by themselves, seed ${seed}`, async (t) => {
    const property = fc.property(anyObject, changes, (name, mutations) => {
      const object = objects.get(name)!;
      const types = mutate(section(object, '.BTF'), mutations);
      check(types, (bytes) => void readBtf(bytes, null, ''));
      check(types, (bytes) => void validateBtf(bytes));
      check(mutate(section(object, '.BTF.ext'), mutations), (bytes) => void readBtfExt(bytes, LITTLE_ENDIAN));
      check(mutate(object, mutations), (bytes) => void readKernelBtf(bytes));
    });
    t.doesNotThrow(() => fc.assert(property, limits));
  });

  t.test(`raw programs, seed ${seed}`, async (t) => {
    const small = fc.uint8Array({ maxLength: 64 });
    const number = fc.integer({ min: 0, max: 0xffffffff });
    const anyMap = fc.record({
      name: fc.string({ maxLength: 20 }),
      type: fc.nat({ max: 40 }),
      keySize: number,
      valueSize: number,
      maxEntries: number,
      flags: number,
      mapExtra: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      btfKeyTypeId: fc.nat({ max: 40 }),
      btfValueTypeId: fc.nat({ max: 40 }),
      innerMap: fc.constant(null),
    });
    const program = fc.record({
      name: fc.string({ maxLength: 20 }),
      type: fc.nat({ max: 40 }),
      expectedAttachType: fc.nat({ max: 70 }),
      instructions: small,
      maps: fc.array(anyMap, { maxLength: 3 }),
      btf: fc.tuple(anyObject, changes).map(([name, list]) => mutate(section(objects.get(name)!, '.BTF'), list)),
      funcInfo: small,
      lineInfo: small,
      license: fc.string(),
      flags: number,
      attachTo: fc.oneof(fc.string(), fc.constantFrom('task', 'sched_switch', 'vmlinux:vfs_read')),
      attachBtfId: number,
    });
    const property = fc.property(program, (raw) =>
      assertCheap(
        measure(() => void loadRaw(raw, profile)),
        raw.btf.length,
      ),
    );
    t.doesNotThrow(() => fc.assert(property, limits));
  });
}
