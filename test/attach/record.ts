/**
 * Builds this folder's objects and writes golden.jsonl: what a kernel and libbpf 1.5 said of plan.ts.
 * Usage: tsx test/attach/record.ts (the oracle's set-up must have run).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf, LOADS } from './plan.js';

const here = import.meta.dirname;
const jobs = mkdtempSync(join(tmpdir(), 'attach-'));
for (const name of ['targets', 'attached']) {
  const flags = '-g -O2 --target=bpf -mcpu=v4 -Wall -Wno-unused -Wno-visibility -fdebug-prefix-map'.split(' ');
  flags[flags.length - 1] += `=${here}=.`;
  execFileSync('clang-19', [...flags, '-c', `${name}.c`, '-o', `${name}.o`], { cwd: here, stdio: 'inherit' });
  copyFileSync(join(here, `${name}.o`), join(jobs, `${name}.o`));
}
const plan = LOADS.map((load) => [
  'load',
  idOf(load),
  load.object,
  load.program,
  load.target ?? '-',
  load.function ?? '-',
]);
writeFileSync(join(jobs, 'plan'), plan.map((words) => `${words.join(' ')}\n`).join(''));
const out = join(jobs, 'out.jsonl');
execFileSync(join(here, '../golden/guest/run'), [jobs, out], { stdio: ['ignore', 'inherit', 'inherit'] });
const lines = readFileSync(out, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{"id"'));
const withoutTime = lines.map((line) => line.replace(/\\u000averification time \d+ usec/, ''));
writeFileSync(join(here, 'golden.jsonl'), `${withoutTime.join('\n')}\n`);
rmSync(jobs, { recursive: true });
