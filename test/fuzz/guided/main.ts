/**
 * npm run fuzz -- [SECONDS] [TARGET…] (60 seconds each; all targets): coverage-guided fuzzing with Jazzer.js, from the seeds of
 * seeds.ts and of what earlier runs found. Ends with 1 where an input crashed, threw, or cost more than cost.ts allows; the
 * input then lies in FUZZ_DIR (node_modules/.cache/fuzz) as crash-* or timeout-*.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addonEnvironment } from './addon.js';
import { bundle } from './bundle.js';
import { seedsOf, TARGETS, type Target } from './seeds.js';

const ROOT = join(import.meta.dirname, '../../..');
const DIRECTORY = process.env['FUZZ_DIR'] ?? join(ROOT, 'node_modules/.cache/fuzz');
const [seconds = '60', ...names] = process.argv.slice(2);

/** MiB: the whole process with its instrumented code; what one input may take is bounded in cost.ts. */
const RSS_LIMIT = 3000;
/** Bytes of the longest input that is made: the seeds are the largest of ours. */
const MAX_LENGTH = 65_536;

function writeSeeds(target: Target): string {
  const corpus = join(DIRECTORY, `corpus-${target}`);
  mkdirSync(corpus, { recursive: true });
  for (const seed of seedsOf(target)) {
    writeFileSync(join(corpus, createHash('sha1').update(seed).digest('hex')), seed);
  }
  return corpus;
}

async function run(target: Target, environment: Record<string, string>): Promise<boolean> {
  const corpus = writeSeeds(target);
  const file = await bundle(target, DIRECTORY);
  const jazzer = createRequire(import.meta.url).resolve('@jazzer.js/core/dist/cli.js');
  const artifacts = join(DIRECTORY, `findings-${target}-`);
  const own = ['--includes', file, '--excludes', 'nothing', '--disableBugDetectors', '.*', '--timeout', '900000'];
  const sync = target === 'compressed' ? [] : ['--sync'];
  const fuzzer = ['-max_total_time=' + seconds, `-max_len=${MAX_LENGTH}`, `-rss_limit_mb=${RSS_LIMIT}`, `-artifact_prefix=${artifacts}`, '-print_final_stats=1', '-timeout=900', '-verbosity=1']; // prettier-ignore
  const child = spawn(process.execPath, [jazzer, file, corpus, ...own, ...sync, '--', ...fuzzer], { stdio: ['ignore', 'inherit', 'pipe'], cwd: DIRECTORY, env: { ...process.env, ...environment } }); // prettier-ignore
  let tail = '';
  child.stderr.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-4000)));
  const status = await new Promise((done) => child.once('exit', done));
  const executions = /number_of_executed_units:\s*(\d+)/.exec(tail)?.[1] ?? /Done (\d+) runs/.exec(tail)?.[1] ?? '?';
  const coverage = [...tail.matchAll(/cov: (\d+)/g)].at(-1)?.[1] ?? '?';
  console.log(`${target}: ${status === 0 ? 'nothing found' : 'FOUND'}; ${executions} executions, coverage ${coverage}`);
  if (status !== 0) console.log(tail);
  return status === 0;
}

mkdirSync(DIRECTORY, { recursive: true });
const modules = join(DIRECTORY, 'node_modules');
if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules);
const wanted = names.length === 0 ? TARGETS : TARGETS.filter((target) => names.includes(target));
const environment = addonEnvironment(DIRECTORY);
let clean = true;
for (const target of wanted) clean = (await run(target, environment)) && clean;
process.exitCode = clean ? 0 : 1;
