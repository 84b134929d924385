/** How long reading takes: an object to its programs, and a kernel's BTF to its index. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKernelBtf } from '../src/compiler/kernel-btf.js';
import { loadObject } from '../src/compiler/load/object.js';
import { loadProfile } from '../src/service/targets.js';
import { median } from './statistics.js';

const ROUNDS = 200;
/** What is promised, in milliseconds. */
const OBJECT_MS = 2;
const INDEX_MS = 60;

interface Times {
  readonly first: number;
  readonly best: number;
  readonly median: number;
}

function time(rounds: number, run: () => void): Times {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return { first: times[0]!, best: Math.min(...times), median: median(times) };
}

function line(what: string, { first, best, median }: Times, promised: number): void {
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  console.log(`${what.padEnd(50)} first ${ms(first)}, best ${ms(best)}, median ${ms(median)} (≤ ${promised} ms)`);
}

/** Prints a line a measure. */
export async function benchLoader(): Promise<void> {
  const profile = await loadProfile('linux-6.12-arm64');
  const object = new Uint8Array(readFileSync(join(import.meta.dirname, '../test/objects/large.o')));
  const all = loadObject(object, profile, { programs: [], legacyMaps: false }).programs;
  const size = `${Math.round(object.length / 1000)} kB`;
  const one = all[0]?.name ?? '';
  line(
    `loader: one program of an object of ${size}`,
    time(ROUNDS, () => void loadObject(object, profile, { programs: [one], legacyMaps: false })),
    OBJECT_MS,
  );
  line(
    `loader: all ${all.length} programs of it`,
    time(ROUNDS, () => void loadObject(object, profile, { programs: [], legacyMaps: false })),
    OBJECT_MS,
  );
  const { blob } = profile.btf;
  const before = process.memoryUsage().arrayBuffers;
  const image = readKernelBtf(blob);
  const indexes = process.memoryUsage().arrayBuffers - before;
  if (!image.ok) throw new Error(image.failure.message);
  line(
    `btf: ${(blob.length / 1e6).toFixed(1)} MB of a kernel's types`,
    time(10, () => void readKernelBtf(blob)),
    INDEX_MS,
  );
  console.log(`btf: resident ${((blob.length + indexes) / blob.length).toFixed(2)} times the blob (≤ 3)`);
  const names = ['task_struct', 'sk_buff', 'no_such_type', 'bpf_prog'];
  const lookups = time(ROUNDS, () => names.forEach((name) => profile.btf.find(name, 4)));
  console.log(`btf: ${((lookups.median * 1e6) / names.length).toFixed(0)} ns to find a type by name`);
}
