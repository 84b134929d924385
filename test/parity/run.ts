/**
 * Holds the service against the recorded answers of kernels and the committed floor: ../shared/corpus for the default target,
 * ../shared/corpora/TARGET for each other that there is a profile of.
 *
 *   npm run parity                      every suite of the default target and a sample of those of other targets with
 *                                       a floor, compared with test/parity-floor.json
 *   npm run parity -- --kernel TARGET   every suite of that target
 *   npm run parity -- --raise           … and the floor raised to what was reached
 *   npm run parity -- --fails FILE      … every difference written to FILE, a JSON line each
 *   npm run parity -- selftests tools   these suites alone
 *
 * Exit status 1 where a figure lies below the floor, or a false accept was seen. Without a corpus beside the checkout
 * there is nothing to hold against: it says so and exits 0.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { targetNames } from '../../src/service/targets.js';

const SUITES = ['test_bpf', 'test_verifier', 'test_verifier61', 'tools', 'selftests', 'states'];
/** Of targets that are not the default: small, and of both kinds of programs. */
const SAMPLE = ['test_verifier', 'tools'];
const START_TIMEOUT_MS = 30_000;

interface Tally {
  right: number;
  of: number;
}
type Report = Record<string, Record<string, Tally | number>>;
/** Suite → column → how many must be right. */
type Floor = Record<string, Record<string, number>>;
/** By target. */
type Floors = Record<string, Floor>;

const root = resolve(import.meta.dirname, '../..');
const shared = resolve(root, '../shared');
const floorFile = join(root, 'test/parity-floor.json');
const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: 'string' },
    raise: { type: 'boolean', default: false },
    fails: { type: 'string' },
  },
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    if (ready?.ok) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`the service was not ready within ${START_TIMEOUT_MS} ms`);
}

/** Where a target's suites lie. */
function corpusOf(target: string): string {
  return target === targetNames()[0] ? join(shared, 'corpus') : join(shared, 'corpora', target);
}

/** Targets and their suites: what the command line names, else all of the default's and a sample of those with a floor. */
function plan(floors: Floors): [string, readonly string[]][] {
  const [first] = targetNames();
  const names =
    args.kernel === undefined ? targetNames().filter((name) => name === first || name in floors) : [args.kernel];
  return names
    .filter((name) => existsSync(corpusOf(name)))
    .map((name) => {
      const recorded = readdirSync(corpusOf(name));
      const usual = name === first || args.kernel !== undefined ? SUITES : SAMPLE;
      return [name, (positionals.length > 0 ? positionals : usual).filter((suite) => recorded.includes(suite))];
    });
}

/** Starts the built service, runs the harness over a target's suites, and gives its report. */
async function measure(target: string, suites: readonly string[]): Promise<Report> {
  const scratch = mkdtempSync(join(tmpdir(), 'bpf-jitd-parity-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = spawn(process.execPath, [join(root, 'dist/main.js')], {
    env: {
      ...process.env,
      BPF_JITD_PORT: String(port),
      BPF_JITD_GRPC_PORT: String(await freePort()),
      BPF_JITD_DATA_DIR: join(scratch, 'data'),
      BPF_JITD_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    await waitUntilReady(url);
    const json = join(scratch, 'report.json');
    const corpora = suites.flatMap((suite) => ['--corpus', join(corpusOf(target), suite)]);
    const fails = args.fails === undefined ? [] : ['--fails', resolve(args.fails)];
    const harness = join(shared, 'parity/parity.mjs');
    const run = spawnSync(
      process.execPath,
      [harness, '--url', url, '--kernel', target, '--json', json, ...fails, ...corpora],
      {
        stdio: 'inherit',
      },
    );
    if (run.status !== 0) throw new Error('the parity harness failed');
    return JSON.parse(readFileSync(json, 'utf8')) as Report;
  } finally {
    service.kill('SIGTERM');
    await new Promise((done) => service.once('exit', done));
    rmSync(scratch, { recursive: true, force: true });
  }
}

function reached(columns: Record<string, Tally | number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([column, tally]) => (typeof tally === 'number' ? [] : [[column, tally.right]])),
  );
}

function missed(report: Report, floor: Floor, target: string): string[] {
  const lines: string[] = [];
  for (const [suite, columns] of Object.entries(report)) {
    if (columns['falseAccepts'] !== 0)
      lines.push(`${target} ${suite}: ${String(columns['falseAccepts'])} false accepts`);
    const got = reached(columns);
    for (const [column, least] of Object.entries(floor[suite] ?? {})) {
      if ((got[column] ?? 0) < least)
        lines.push(`${target} ${suite} ${column}: ${got[column] ?? 0}, the floor is ${least}`);
    }
  }
  return lines;
}

function raise(report: Report, floor: Floor): Floor {
  const next: Floor = { ...floor };
  for (const [suite, columns] of Object.entries(report)) {
    const suiteFloor = { ...floor[suite] };
    for (const [column, right] of Object.entries(reached(columns))) {
      suiteFloor[column] = Math.max(right, suiteFloor[column] ?? 0);
    }
    next[suite] = suiteFloor;
  }
  return next;
}

if (!existsSync(join(shared, 'corpus')) || !existsSync(join(shared, 'parity/parity.mjs'))) {
  console.log('no corpus beside the checkout: nothing to hold against');
} else {
  const floors = existsSync(floorFile) ? (JSON.parse(readFileSync(floorFile, 'utf8')) as Floors) : {};
  for (const [target, suites] of plan(floors)) {
    console.log(`\n${target}`);
    const floor = floors[target] ?? {};
    const report = await measure(target, suites);
    const lines = missed(report, floor, target);
    for (const line of lines) console.error(`below the floor: ${line}`);
    if (lines.length > 0) process.exitCode = 1;
    else if (args.raise) floors[target] = raise(report, floor);
  }
  if (args.raise) writeFileSync(floorFile, `${JSON.stringify(floors, null, 2)}\n`);
}
