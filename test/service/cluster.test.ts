/** Instances that share one Redis make an answer once, whoever dies, leaves or refuses. */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import t from 'tap';
import { PREFIX } from '../../src/service/cluster/link.js';
import { readObjectFile } from '../objects/golden.js';
import { skip, sleep, TestRedis } from './fixtures/redis.js';
import { raw, testService, type TestService } from './fixtures/service.js';

t.setTimeout(120_000);

async function compiled(...services: TestService[]): Promise<number> {
  let sum = 0;
  for (const { service } of services) {
    const text = await service.metrics.registry.metrics();
    sum += Number(/bpf_jitd_programs_total\{[^}]*verdict="accepted"\} (\d+)/.exec(text)?.[1] ?? 0);
  }
  return sum;
}

async function alone(...services: TestService[]): Promise<number> {
  const texts = await Promise.all(services.map(({ service }) => service.metrics.registry.metrics()));
  return texts.reduce(
    (sum, text) => sum + Number(/bpf_jitd_flights_total\{role="alone"\} (\d+)/.exec(text)?.[1] ?? 0),
    0,
  );
}

t.test('what instances are asked at the same time', { skip }, async (t) => {
  const redis = await TestRedis.start(t);
  const direct = new Redis(redis.url);
  t.teardown(() => {
    direct.disconnect();
  });
  const env = { BPF_JITD_REDIS_URL: redis.url, BPF_JITD_DISK_CACHE: '0', BPF_JITD_LEASE: '600' };
  const one = await testService(t, env, true);
  const two = await testService(t, env, true);
  await sleep(300);

  // A machine that is busy may find Redis slow, and then each goes its own way: that is asked again.
  for (let i = 0; i < 5; i++) {
    const before = await compiled(one, two);
    const [first, second] = await Promise.all([one.post(raw(`wait50${i}`)), two.post(raw(`wait50${i}`))]);
    const once = (await compiled(one, two)) - before === 1;
    if (!once && i < 4 && (await alone(one, two)) > i) continue;
    t.ok(once, 'is compiled once');
    t.equal(await first.text(), await second.text());
    const said = [first, second].map((response) => response.headers.get('cache-status')).sort();
    t.match(said, [/collapsed/, /stored/]);
    break;
  }

  const lost = await Promise.all([one.post(raw('late exit')), two.post(raw('late exit'))]);
  t.strictSame(
    lost.map(({ status }) => status),
    [500, 500],
  );
  const losses = [one, two].map(({ service }) => service.pool.state.lost).sort();
  t.strictSame(losses, [0, 2], 'one tried, and the other was told');

  const impatient = one.post(raw('wait2000'), { prefer: 'wait=1' });
  await sleep(200);
  const patient = two.post(raw('wait2000'));
  t.equal((await impatient).status, 504);
  t.equal((await patient).status, 200, 'who waited goes on when the other has left');

  const made = await one.post(raw('orphan'));
  const digest = made.headers.get('etag')!.slice(1, -1);
  await direct.del(PREFIX + digest);
  await direct.set(`${PREFIX}lease:${digest}`, 'of an instance that died', 'PX', 600);
  const started = performance.now();
  t.equal((await two.post(raw('orphan'))).status, 200, 'the work of the dead is taken over');
  t.ok(performance.now() - started > 400);

  const btf = readObjectFile('core.o');
  const name = createHash('sha256').update(btf).digest('hex');
  const headers = { 'content-type': 'application/octet-stream' };
  t.equal((await fetch(`${one.url}/btf/${name}`, { method: 'PUT', headers, body: btf as never })).status, 201);
  const uses = await two.post({ ...raw('other'), target: { btfDigest: name } });
  t.equal(uses.status, 200, 'BTF that the other was given');
});
