/**
 * Holds the service against the recorded answers of the kernel (../shared/corpus) and the committed floor.
 *
 *   npm run parity                      every suite, compared with test/parity-floor.json
 *   npm run parity -- --raise           … and the floor raised to what was reached
 *   npm run parity -- --fails FILE      … every difference written to FILE, a JSON line each
 *   npm run parity -- selftests tools   these suites alone
 *
 * Exit status 1 where a figure lies below the floor, or a false accept was seen. Without a corpus beside the checkout
 * there is nothing to hold against: it says so and exits 0.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const SUITES = ['test_bpf', 'test_verifier', 'tools', 'selftests', 'states'];
const START_TIMEOUT_MS = 30_000;

interface Tally {
  right: number;
  of: number;
}
type Report = Record<string, Record<string, Tally | number>>;
/** suite → column → how many must be right. */
type Floor = Record<string, Record<string, number>>;

const root = resolve(import.meta.dirname, '../..');
const shared = resolve(root, '../shared');
const floorFile = join(root, 'test/parity-floor.json');
const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: { raise: { type: 'boolean', default: false }, fails: { type: 'string' } },
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

/** Starts the built service, runs the harness over the suites, and gives its report. */
async function measure(suites: readonly string[]): Promise<Report> {
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
    const corpora = suites.flatMap((suite) => ['--corpus', join(shared, 'corpus', suite)]);
    const fails = args.fails === undefined ? [] : ['--fails', resolve(args.fails)];
    const harness = join(shared, 'parity/parity.mjs');
    const run = spawnSync(process.execPath, [harness, '--url', url, '--json', json, ...fails, ...corpora], {
      stdio: 'inherit',
    });
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

function missed(report: Report, floor: Floor): string[] {
  const lines: string[] = [];
  for (const [suite, columns] of Object.entries(report)) {
    if (columns['falseAccepts'] !== 0) lines.push(`${suite}: ${String(columns['falseAccepts'])} false accepts`);
    const got = reached(columns);
    for (const [column, least] of Object.entries(floor[suite] ?? {})) {
      if ((got[column] ?? 0) < least) lines.push(`${suite} ${column}: ${got[column] ?? 0}, the floor is ${least}`);
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
  const floor = existsSync(floorFile) ? (JSON.parse(readFileSync(floorFile, 'utf8')) as Floor) : {};
  const report = await measure(positionals.length > 0 ? positionals : SUITES);
  const lines = missed(report, floor);
  for (const line of lines) console.error(`below the floor: ${line}`);
  if (args.raise && lines.length === 0) writeFileSync(floorFile, `${JSON.stringify(raise(report, floor), null, 2)}\n`);
  if (lines.length > 0) process.exitCode = 1;
}
