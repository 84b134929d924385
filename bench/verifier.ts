/** Verified instructions a second, one worker, for the programs of a corpus that take the most of them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadObject } from '../src/compiler/load/object.js';
import { verify } from '../src/compiler/verify/verify.js';
import { loadProfile } from '../src/service/targets.js';

const PROGRAMS = 10;
const ROUNDS = 3;

interface Recorded {
  readonly object: string;
  readonly prog: string;
  readonly err: number;
  readonly verified_insns?: number;
}

function largest(corpus: string): Recorded[] {
  const lines = gunzipSync(readFileSync(join(corpus, 'kernel.jsonl.gz')))
    .toString()
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line) as Recorded)
    .filter((r) => r.err === 0 && (r.verified_insns ?? 0) > 0)
    .sort((a, b) => b.verified_insns! - a.verified_insns!)
    .slice(0, PROGRAMS);
}

/** The best of a few rounds, in instructions a millisecond; null where the program is not accepted. */
function measure(object: Uint8Array, name: string, profile: Awaited<ReturnType<typeof loadProfile>>): number | null {
  const loaded = loadObject(object, profile, { programs: [name], legacyMaps: false }).programs[0];
  if (loaded === undefined || !loaded.program.ok) return null;
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const result = verify(loaded.program.value, profile, { logLevel: 0 });
    const took = performance.now() - start;
    if (result.errno !== 0) return null;
    best = Math.max(best, result.stats!.processedInstructions / took);
  }
  return best;
}

/** Prints a line a program, and the median. Needs the corpus, which is not in the repository: BPF_JITD_CORPUS. */
export async function benchVerifier(): Promise<void> {
  const corpus = process.env['BPF_JITD_CORPUS'] ?? '/work/shared/corpus/selftests';
  if (!existsSync(corpus)) {
    console.log(`verifier: skipped, no corpus at ${corpus}`);
    return;
  }
  const profile = await loadProfile('linux-6.12-arm64');
  const rates: number[] = [];
  for (const record of largest(corpus)) {
    const rate = measure(readFileSync(join(corpus, 'objects', record.object)), record.prog, profile);
    const name = `${record.object}/${record.prog}`.padEnd(50);
    console.log(`${name} ${String(record.verified_insns).padStart(8)} insns  ${rate?.toFixed(0) ?? 'rejected'} k/s`);
    if (rate !== null) rates.push(rate);
  }
  rates.sort((a, b) => a - b);
  console.log(`verifier: median ${rates[rates.length >> 1]?.toFixed(0) ?? '-'} thousand instructions a second`);
  console.log('verifier: ratio to the host kernel skipped: nothing here loads the programs into it yet');
}
