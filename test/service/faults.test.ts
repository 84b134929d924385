/** Faults with a service under load: nothing that was taken is lost, and nothing damaged becomes an answer. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { smallDisk } from './fixtures/small-disk.js';
import { raw, testService } from './fixtures/service.js';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

t.setTimeout(180_000);

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function folder(t: { teardown(work: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-faults-'));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

interface Running {
  readonly url: string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** The service as a process. */
async function serve(dir: string): Promise<Running> {
  const settings = { BPF_JITD_PORT: '0', BPF_JITD_GRPC_PORT: '0', BPF_JITD_DATA_DIR: dir, BPF_JITD_WORKERS: '1' };
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], { env: { ...process.env, ...settings } });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  for (let i = 0; i < 1200; i++) {
    const url = /"url":"(http:[^"]+)"/.exec(text)?.[1];
    if (url !== undefined) return { url, ended, kill: (signal) => child.kill(signal) };
    await sleep(50);
  }
  throw new Error(`did not start: ${text}`);
}

const post = (url: string, name: string): Promise<Response> =>
  fetch(`${url}/compile`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(raw(name)),
  });

/** Asks one thing after the other over some connections until none is taken any more. */
async function load(url: string, answers: Map<string, string>, others: Set<number>): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    for (;;) {
      const name = `p${next++}`;
      const response = await post(url, name).catch(() => null);
      if (response === null) return;
      const body = await response.text().catch(() => null);
      if (body === null) return;
      if (response.status === 200) answers.set(name, body);
      else others.add(response.status);
    }
  };
  await Promise.all(Array.from({ length: 12 }, loop));
}

t.test('kill -9 under load: what was answered is answered again, byte for byte', async (t) => {
  const dir = folder(t);
  const first = await serve(dir);
  const answers = new Map<string, string>();
  const others = new Set<number>();
  const loaded = load(first.url, answers, others);
  while (answers.size < 60) await sleep(10);
  first.kill('SIGKILL');
  await first.ended;
  await loaded;
  t.equal(others.size, 0);
  const second = await serve(dir);
  let kept = 0;
  for (const [name, body] of answers) {
    const response = await post(second.url, name);
    if (response.headers.get('cache-status')?.includes('disk') === true) kept++;
    if ((await response.text()) !== body) t.fail(`${name} is answered otherwise`);
  }
  t.equal(kept, answers.size, `all ${answers.size} were on disk`);
  second.kill('SIGTERM');
  t.equal(await second.ended, 0);
});

t.test('SIGTERM under load: what was taken is answered, the rest is refused', async (t) => {
  const service = await serve(folder(t));
  const answers = new Map<string, string>();
  const others = new Set<number>();
  const loaded = load(service.url, answers, others);
  while (answers.size < 60) await sleep(10);
  service.kill('SIGTERM');
  t.equal(await service.ended, 0);
  await loaded;
  t.strictSame(
    [...others].filter((status) => status !== 503),
    [],
    'nothing but SHUTTING_DOWN',
  );
});

t.test('a disk that is full costs what is new on it', async (t) => {
  const disk = smallDisk(t, 256 * 1024);
  if (disk === null) return;
  const service = await serve(join(disk, 'data'));
  const answers = new Map<string, string>();
  for (let i = 0; i < 120; i++) {
    const response = await post(service.url, `full${i}`);
    if (response.status !== 200) t.fail(`${response.status}`);
    answers.set(`full${i}`, await response.text());
  }
  t.equal(await (await post(service.url, 'full7')).text(), answers.get('full7'));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  t.match(metrics, /bpf_jitd_cache_errors_total\{tier="disk"\} [1-9]/, 'and is told of');
  service.kill('SIGTERM');
  t.equal(await service.ended, 0);
  const again = await serve(join(disk, 'data'));
  t.match((await post(again.url, 'full0')).headers.get('cache-status'), /hit; detail=disk/, 'what it took is there');
  t.equal((await post(again.url, 'new')).status, 200, 'and the service starts on a full disk');
  again.kill('SIGTERM');
  t.equal(await again.ended, 0);
});

t.test('a damaged entry on disk is made again', async (t) => {
  const dir = folder(t);
  const settings = { BPF_JITD_DATA_DIR: dir };
  const first = await testService(t, settings, true);
  const response = await first.post(raw('damaged'));
  const digest = /[0-9a-f]{64}/.exec(response.headers.get('etag')!)![0];
  await first.stop();
  const file = join(dir, 'cache', digest);
  const entry = readFileSync(file);
  entry[entry.length - 1]! ^= 1;
  writeFileSync(file, entry);
  const second = await testService(t, settings, true);
  const again = await second.post(raw('damaged'));
  t.equal(again.status, 200);
  t.match(again.headers.get('cache-status'), /stored/, 'and not given out');
  t.ok(
    second.logged.some((line) => line.includes('set aside') && line.includes(digest)),
    'said in the log',
  );
  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  t.match(metrics, /bpf_jitd_damaged_files_total\{store="cache"\} 1/, 'and counted');
});

t.test('a wall clock that jumps moves no deadline', async (t) => {
  const service = await testService(t, {}, true);
  await service.post(raw('up'));
  const real = Date.now;
  t.teardown(() => {
    Date.now = real;
  });
  for (const [i, hours] of [5, -5].entries()) {
    const waiting = service.post(raw(`wait${500 + i}`), { prefer: 'wait=20' });
    await sleep(100);
    Date.now = () => real() + hours * 3_600_000;
    t.equal((await waiting).status, 200, `${hours} hours`);
    const late = await service.post(raw(`spin${i}`), { prefer: 'wait=1' });
    t.equal(late.status, 504, 'a deadline still comes');
    const total = /total;dur=([\d.]+)/.exec((await service.post(raw(`n${i}`))).headers.get('server-timing')!)?.[1];
    t.ok(Number(total) < 60_000, 'and times are times');
  }
});
