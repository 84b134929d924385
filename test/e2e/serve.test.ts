/** The built service as people run it: curl with an object, settings that are wrong, SIGTERM. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const OBJECT = fileURLToPath(new URL('../objects/xdp_count.o', import.meta.url));
const object = readFileSync(OBJECT);

t.setTimeout(120_000);

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
}

function start(env: Record<string, string>): { child: ChildProcess; ended: Promise<number | null>; out: () => string } {
  let text = '';
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], { env: { ...process.env, ...env } });
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  return { child, ended, out: () => text };
}

async function serve(dir: string): Promise<Started> {
  const env = { BPF_JITD_PORT: '0', BPF_JITD_GRPC_PORT: '0', BPF_JITD_DATA_DIR: dir, BPF_JITD_WORKERS: '1' };
  const { child, ended, out } = start(env);
  for (let i = 0; i < 600; i++) {
    const url = /"url":"(http:[^"]+)"/.exec(out())?.[1];
    if (url !== undefined) return { child, url, ended };
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`did not start: ${out()}`);
}

const post = (url: string): Promise<Response> =>
  fetch(`${url}/compile`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: object });

t.test('an answer outlives kill -9, and SIGTERM ends with 0', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-'));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const first = await serve(dir);
  const made = await post(first.url);
  t.equal(made.status, 200);
  t.match(made.headers.get('cache-status'), /stored/);
  const body = await made.text();
  t.match(JSON.parse(body), { programs: [{ name: 'xdp_main', section: 'xdp', accepted: true }] });
  const etag = made.headers.get('etag')!;
  const same = await fetch(`${first.url}/compilations/${/[0-9a-f]{64}/.exec(etag)![0]}`, {
    headers: { 'if-none-match': etag },
  });
  t.equal(same.status, 304);
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await serve(dir);
  const found = await post(second.url);
  t.match(found.headers.get('cache-status'), /hit; detail=disk/);
  t.equal(await found.text(), body);
  const curl = await promisify(execFile)('curl', ['-s', '--data-binary', `@${OBJECT}`, `${second.url}/compile`]);
  t.equal(curl.stdout, body, 'curl --data-binary says form, and means an object');
  const form = new FormData();
  form.append('object', new Blob([object]), 'xdp.o');
  const multipart = await fetch(`${second.url}/compile`, { method: 'POST', body: form });
  // A form tells the file's name, too, which is part of the question.
  const answered = (text: string): object => ({ ...(JSON.parse(text) as object), digest: '' });
  t.strictSame(answered(await multipart.text()), answered(body), 'multipart asks the same question');
  t.match(
    await (await fetch(`${second.url}/metrics`)).text(),
    /bpf_jitd_cache_lookups_total\{tier="disk",result="hit"\} 1/,
  );
  second.child.kill('SIGTERM');
  t.equal(await second.ended, 0);
});

t.test('settings that are wrong end the start', async (t) => {
  const { ended, out } = start({ BPF_JITD_PORT: 'many' });
  t.equal(await ended, 2);
  t.equal(out().trim(), 'BPF_JITD_PORT=many: must be a whole number from 0 to 65535');
});

t.test('what the system refuses ends the start with the setting that asked for it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-'));
  const file = join(dir, 'file');
  writeFileSync(file, '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  t.teardown(() => {
    taken.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const free = { BPF_JITD_PORT: '0', BPF_JITD_GRPC_PORT: '0', BPF_JITD_DATA_DIR: dir, BPF_JITD_LOG_LEVEL: 'silent' };
  const cases: [Record<string, string>, RegExp][] = [
    [{ BPF_JITD_PORT: port }, new RegExp(`^BPF_JITD_PORT=${port} .*EADDRINUSE`)],
    [{ BPF_JITD_GRPC_PORT: port }, new RegExp(`^BPF_JITD_GRPC_PORT=${port} .*EADDRINUSE`)],
    [{ BPF_JITD_DATA_DIR: file }, /^BPF_JITD_DATA_DIR=.*file: ENOTDIR/],
  ];
  for (const [env, message] of cases) {
    const { ended, out } = start({ ...free, ...env });
    t.equal(await ended, 2);
    t.match(out().trim(), message);
    t.equal(out().trim().split('\n').length, 1, 'one line, no stack');
  }
});
