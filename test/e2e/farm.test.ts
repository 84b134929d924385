/** What docker-compose.yml brings up, as processes: balancer, two API nodes, two workers, Redis; and what is done to them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { Redis } from 'ioredis';
import t from 'tap';
import { SETTINGS } from '../../src/service/config.js';
import { decode, encode, messageType } from '../../src/service/contract/schema.js';
import { freePort, skip as noRedis, sleep, stop, TestRedis } from '../service/fixtures/redis.js';
import { raw, XDP_PASS } from '../service/fixtures/service.js';

const HAPROXY = '/usr/sbin/haproxy';
const CONFIG = fileURLToPath(new URL('../../ops/haproxy.cfg', import.meta.url));
const INSTANCE = fileURLToPath(new URL('../service/fixtures/instance.ts', import.meta.url));
const skip = noRedis || (existsSync(HAPROXY) ? false : 'haproxy is not installed (test/setup)');
t.setTimeout(240_000);

interface Instance {
  readonly child: ChildProcess;
  readonly url: string;
  readonly grpc: string;
  readonly ended: Promise<number | null>;
  log(): string;
}

async function instance(env: Record<string, string>): Promise<Instance> {
  const child = spawn(process.execPath, ['--import', 'tsx', INSTANCE], { env: { ...process.env, ...env } });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  let text = '';
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const [, url = '', grpc = ''] = await new Promise<readonly string[]>((done, fail) => {
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
      const ready = /^ready (\S+) (\S*)$/m.exec(text);
      if (ready !== null) done(ready);
    });
    child.once('exit', () => fail(new Error(text)));
  });
  return { child, url, grpc, ended, log: () => text };
}

const JSON_HEADERS = { 'content-type': 'application/json' };
const post = (url: string, path: string, body: unknown): Promise<Response> =>
  fetch(url + path, { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) });
const compile = (url: string, name: string): Promise<Response> => post(url, '/compile', raw(name));
const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

interface Job {
  readonly id: string;
  readonly state: string;
  readonly items: readonly { readonly state: string }[];
}

/** Over what instances agree: how often they compiled. */
async function compiled(...workers: Instance[]): Promise<number> {
  let sum = 0;
  for (const { url } of workers) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const [, count] of text.matchAll(/^bpf_jitd_programs_total\{.*\} (\d+)$/gm)) sum += Number(count);
  }
  return sum;
}

t.test('docker-compose.yml says what the balancer and the instances need', (t) => {
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  for (const [, name] of readFileSync(CONFIG, 'utf8').matchAll(/\$\{(\w+)\}/g)) t.match(compose, `${name!}: `);
  const settings = Object.values(SETTINGS).map(({ variable }) => variable as string);
  for (const [name] of compose.matchAll(/BPF_JITD_\w+/g)) t.ok(settings.includes(name), name);
  t.end();
});

t.test('a farm, and what befalls it', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'farm-'));
  const redis = await TestRedis.start(t);
  const all: ChildProcess[] = [];
  t.teardown(async () => {
    await Promise.all(
      all
        .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
        .map((child) => stop(child, 'SIGKILL')),
    );
    rmSync(dir, { recursive: true, force: true });
  });
  const start = async (role: string, name: string): Promise<Instance> => {
    const started = await instance({
      BPF_JITD_ROLE: role,
      BPF_JITD_REDIS_URL: redis.url,
      BPF_JITD_PORT: '0',
      BPF_JITD_GRPC_PORT: '0',
      BPF_JITD_DATA_DIR: join(dir, name),
      BPF_JITD_DISK_CACHE: '0',
      BPF_JITD_WORKERS: '2',
      BPF_JITD_LEASE: '1000',
      BPF_JITD_TIMEOUT: '30000',
    });
    all.push(started.child);
    return started;
  };
  const [api1, api2] = await Promise.all([start('api', 'api1'), start('api', 'api2')]);
  let [worker1, worker2] = await Promise.all([start('worker', 'worker1'), start('worker', 'worker2')]);
  const [http, grpc] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const balancer = spawn(HAPROXY, ['-f', CONFIG], {
    env: {
      BALANCER_HTTP: http,
      BALANCER_GRPC: grpc,
      ...{ API1_HTTP: new URL(api1.url).host, API1_GRPC: api1.grpc, API1_HTTP_PORT: new URL(api1.url).port },
      ...{ API2_HTTP: new URL(api2.url).host, API2_GRPC: api2.grpc, API2_HTTP_PORT: new URL(api2.url).port },
    },
  });
  all.push(balancer);
  const farm = `http://${http}`;
  for (let up = false; !up; await sleep(50))
    up = await fetch(`${farm}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );

  const finished = async (id: string): Promise<Job> => {
    for (;;) {
      const response = await fetch(`${farm}/jobs/${id}`);
      const job = (await response.json()) as Job;
      if (response.ok && !['QUEUED', 'RUNNING'].includes(job.state)) return job;
      await sleep(100);
    }
  };
  /** Requests that are waited for, and a job, while something is done to the farm. */
  const through = async (what: string, trouble: () => Promise<void>): Promise<void> => {
    const prefix = `wait300.${what.length}`;
    const job = await post(farm, '/jobs', { requests: names(`${prefix}1`, 8).map(raw) });
    t.equal(job.status, 202);
    const { id } = (await job.json()) as Job;
    const direct = Promise.all(names(`${prefix}2`, 6).map((name) => compile(farm, name)));
    await sleep(250);
    await trouble();
    t.strictSame(
      (await direct).map(({ status }) => status),
      Array(6).fill(200),
      `${what}: everybody is answered`,
    );
    const { state, items } = await finished(id);
    t.equal(state, 'SUCCEEDED', `${what}: no job is lost`);
    t.equal(items.length, 8);
  };

  await t.test('roles', async (t) => {
    for (const { url } of [worker1, worker2]) {
      t.equal((await compile(url, 'a')).status, 404, 'a worker answers nobody');
      for (const probe of ['livez', 'readyz', 'metrics']) t.equal((await fetch(`${url}/${probe}`)).status, 200);
    }
    const made = await compile(api1.url, 'a');
    t.equal(made.status, 200);
    t.equal(await compiled(api1, api2), 0, 'an API node does not compile');
    const digest = /[0-9a-f]{64}/.exec(made.headers.get('etag')!)![0];
    const found = await fetch(`${api2.url}/compilations/${digest}`);
    t.equal(await found.text(), await made.text(), 'the other answers its digests');
    const client = new Client(grpc, credentials.createInsecure());
    const identity = (bytes: Buffer): Buffer => bytes;
    const request = { program: { name: 'over-grpc', type: 6, instructions: XDP_PASS, license: 'GPL' } };
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const bytes = Buffer.from(encode(messageType('bpfjit.v1.CompileRequest'), request));
      client.makeUnaryRequest('/bpfjit.v1.JitService/Compile', identity, identity, bytes, (error, value) => {
        if (error === null) resolve(value!);
        else reject(error);
      });
    });
    t.match(decode(messageType('bpfjit.v1.CompileResponse'), answer), { programs: [{ name: 'over-grpc' }] });
    client.close();
  });

  await t.test('the same, asked of both at once', async (t) => {
    const before = await compiled(worker1, worker2);
    const answers = await Promise.all([api1, api2, api1, api2].map(({ url }) => compile(url, 'wait600')));
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    t.equal((await compiled(worker1, worker2)) - before, 1, 'is compiled once');
  });

  await t.test('a request that nobody waits for is stopped', async (t) => {
    const late = await fetch(`${farm}/compile`, {
      method: 'POST',
      headers: { ...JSON_HEADERS, prefer: 'wait=1' },
      body: JSON.stringify(raw('spin')),
    });
    t.equal(late.status, 504);
    const running = async (): Promise<string> => {
      const texts = await Promise.all(
        [worker1, worker2].map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
      );
      return texts.map((text) => /^bpf_jitd_compilations_running (\d+)$/m.exec(text)![1]!).join();
    };
    for (let i = 0; i < 50 && (await running()) !== '0,0'; i++) await sleep(100);
    t.equal(await running(), '0,0');
  });

  await through('a worker is killed', async () => {
    await stop(worker1.child, 'SIGKILL');
  });
  worker1 = await start('worker', 'worker3');

  await through('a worker is stopped', async () => {
    worker2.child.kill('SIGTERM');
    t.equal(await worker2.ended, 0);
  });
  worker2 = await start('worker', 'worker4');

  await through('Redis is killed and comes back', async () => {
    await redis.kill();
    t.equal((await compile(farm, 'a')).status, 200, 'hits are answered meanwhile');
    await sleep(500);
    await redis.start();
  });

  await through('Redis stands still for a while', async () => {
    redis.signal('SIGSTOP');
    const started = performance.now();
    t.equal((await compile(api1.url, 'a')).status, 200, 'hits are answered meanwhile');
    t.ok(performance.now() - started < 1000);
    await sleep(1500);
    redis.signal('SIGCONT');
  });

  await t.test('Redis is full', async (t) => {
    const direct = new Redis(redis.url);
    t.teardown(() => {
      direct.disconnect();
    });
    await direct.config('SET', 'maxmemory', '1mb');
    t.equal((await compile(api1.url, 'a')).status, 200, 'hits are answered');
    const refused = await Promise.all([compile(farm, 'new'), post(farm, '/jobs', { requests: [raw('new')] })]);
    for (const response of refused) {
      t.equal(response.status, 503);
      t.match(await response.json(), { code: 'QUEUE_UNAVAILABLE' });
      t.ok(response.headers.get('retry-after'));
    }
    await direct.config('SET', 'maxmemory', '0');
    t.equal((await compile(farm, 'new')).status, 200, 'and all goes on when there is room');
    t.match(api1.log() + api2.log(), /OOM command not allowed/);
    t.notMatch(api1.log() + api2.log(), /"args"/, 'what was sent to Redis is in no log');
  });
});
