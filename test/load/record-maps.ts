/**
 * Writes map-verdicts.json: which of the maps of map-cases.ts a kernel makes, as a string of 0 and 1.
 * Usage: tsx test/load/record-maps.ts [RECORD], RECORD being the oracle's script (default /work/shared/oracle/record).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAP_CASES } from './map-cases.js';

/** The oracle makes this many maps a program. */
const MAPS_A_JOB = 16;

interface OracleLine {
  readonly prog?: string;
  readonly maps?: readonly { readonly name: string }[];
}

const jobs = mkdtempSync(join(tmpdir(), 'maps-'));
const text: string[] = [];
for (let first = 0; first < MAP_CASES.length; first += MAPS_A_JOB) {
  const maps = MAP_CASES.slice(first, first + MAPS_A_JOB).map(
    ({ type, keySize, valueSize, maxEntries, flags }) => `map=${type},${keySize},${valueSize},${maxEntries},${flags}`,
  );
  text.push(`name=${first}`, 'type=1', ...maps, 'insns=b7000000000000009500000000000000', '');
}
writeFileSync(join(jobs, 'maps.jobs'), text.join('\n') + '\n');
const out = join(jobs, 'out.jsonl');
execFileSync(process.argv[2] ?? '/work/shared/oracle/record', [jobs, out], { stdio: ['ignore', 'ignore', 'inherit'] });
const made = new Set<number>();
for (const line of readFileSync(out, 'utf8').trim().split('\n')) {
  // The oracle leaves a comma where the first map was refused.
  const { prog, maps } = JSON.parse(line.replace('"maps":[,', '"maps":[')) as OracleLine;
  if (prog === undefined) continue;
  for (const { name } of maps ?? []) made.add(Number(prog) + Number(name.slice('map'.length)));
}
rmSync(jobs, { recursive: true });
const verdicts = MAP_CASES.map((_, i) => (made.has(i) ? '1' : '0')).join('');
writeFileSync(join(import.meta.dirname, 'map-verdicts.json'), `${JSON.stringify({ verdicts })}\n`);
