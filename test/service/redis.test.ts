/** Two instances that share answers through Redis, and what they do when it is damaged, stopped or slow. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import t from 'tap';
import { CircuitBreaker } from '../../src/service/cache/breaker.js';
import { skip, sleep, TestRedis } from './fixtures/redis.js';
import { raw, testService } from './fixtures/service.js';

const INSTANCE = fileURLToPath(new URL('./fixtures/instance.ts', import.meta.url));
t.setTimeout(120_000);

t.test('instances answer each other’s digests', { skip }, async (t) => {
  const redis = await TestRedis.start(t);
  const env = { BPF_JITD_REDIS_URL: redis.url, BPF_JITD_DISK_CACHE: '0' };
  const one = await testService(t, env, true);
  const two = await testService(t, env, true);
  await sleep(300);

  const made = await one.post(raw('shared'));
  t.match(made.headers.get('cache-status'), /stored/);
  const found = await two.post(raw('shared'));
  t.match(found.headers.get('cache-status'), /detail=redis/);
  t.equal(await found.text(), await made.text());

  const other = await one.post(raw('damaged'));
  const digest = other.headers.get('etag')!.slice(1, -1);
  const direct = new Redis(redis.url);
  const key = `bpf-jitd:1:${digest}`;
  const packed = (await direct.getBuffer(key))!;
  packed[packed.length - 1]! ^= 1;
  await direct.set(key, packed);
  t.match((await two.post(raw('damaged'))).headers.get('cache-status'), /stored/, 'made again');

  await redis.kill();
  t.equal((await one.post(raw('without'))).status, 200, 'goes on without Redis');
  await redis.start();
  for (let i = 0; i < 40; i++) {
    const name = `again${i}`;
    await one.post(raw(name));
    const seen = (await two.post(raw(name))).headers.get('cache-status');
    if (seen?.includes('redis') === true) break;
    if (i === 39) t.fail('Redis is not used again after it came back');
    await sleep(500);
  }
  direct.disconnect();
});

t.test('a Redis that never answers costs a bounded time, and then none', async (t) => {
  const sockets = new Set<Socket>();
  const silent: Server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as { port: number };
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => silent.close(done));
  });
  const service = await testService(
    t,
    { BPF_JITD_REDIS_URL: `redis://127.0.0.1:${port}`, BPF_JITD_DISK_CACHE: '0' },
    true,
  );
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const started = performance.now();
    t.equal((await service.post(raw(`p${i}`))).status, 200);
    times.push(performance.now() - started);
  }
  t.match(
    await service.service.metrics.registry.metrics(),
    /bpf_jitd_cache_errors_total\{tier="redis"\} [3-4]\b/,
    times.join(' '),
  );
});

t.test('the circuit opens after failures and closes after a success', async (t) => {
  let now = 0;
  const breaker = new CircuitBreaker({ failures: 2, rest: 1000, timeout: 50, now: () => now });
  let calls = 0;
  const bad = (): Promise<never> => {
    calls++;
    return Promise.reject(new Error('no'));
  };
  for (let i = 0; i < 5; i++) await breaker.run(bad, () => undefined);
  t.equal(calls, 2);
  t.ok(breaker.open);
  now = 1001;
  await breaker.run(bad, () => undefined);
  t.equal(calls, 3, 'one call tries');
  t.ok(breaker.open);
  now = 2500;
  t.equal(
    await breaker.run(
      () => Promise.resolve(7),
      () => undefined,
    ),
    7,
  );
  t.notOk(breaker.open);
  t.equal(
    await breaker.run(
      () => new Promise(() => undefined),
      () => undefined,
    ),
    null,
    'slow is failed',
  );
});

t.test('an idle worker stops soon without Redis', { skip }, async (t) => {
  const redis = await TestRedis.start(t);
  const data = t.testdir();
  const own = { BPF_JITD_PORT: '0', BPF_JITD_GRPC_PORT: '0', BPF_JITD_DATA_DIR: data, BPF_JITD_ROLE: 'worker' };
  const env = { ...process.env, ...own, BPF_JITD_REDIS_URL: redis.url, BPF_JITD_DRAIN_TIMEOUT: '60000' };
  const child = spawn(process.execPath, ['--import', 'tsx', INSTANCE], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((ready) => child.stdout.on('data', (data: Buffer) => data.includes('ready ') && ready(null)));
  await redis.kill();
  const started = performance.now();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null]);
  t.ok(performance.now() - started < 20_000, 'without the time that work is given');
});
