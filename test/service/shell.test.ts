/** The shell around the compiler: sharing, limits, cancellation, and workers that die. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { raw, testService } from './fixtures/service.js';

interface Answer {
  readonly code?: string;
  readonly detail?: string;
  readonly programs?: readonly { readonly log: string }[];
}
const read = async (response: Response): Promise<Answer> => (await response.json()) as Answer;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

t.test('identical requests in flight are compiled once', async (t) => {
  const service = await testService(t, {}, true);
  const all = await Promise.all(Array.from({ length: 5 }, () => service.post(raw('wait300'))));
  const logs = await Promise.all(all.map(async (response) => (await read(response)).programs?.[0]?.log));
  t.equal(new Set(logs).size, 1, 'one run answered all');
  const again = await service.post(raw('wait300'));
  t.match(again.headers.get('cache-status'), /hit; detail=memory/);
  t.match(again.headers.get('server-timing'), /total/);
});

t.test('one more than the queue takes is refused', async (t) => {
  const service = await testService(t, { BPF_JITD_QUEUE: '1' }, true);
  const first = service.post(raw('wait500'));
  await sleep(100);
  const second = service.post(raw('wait501'));
  await sleep(100);
  const ready = await fetch(`${service.url}/readyz`);
  t.equal(ready.status, 503);
  const third = await service.post(raw('wait502'));
  t.equal(third.status, 503);
  t.equal(third.headers.get('retry-after'), '1');
  t.equal((await read(third)).code, 'QUEUE_FULL');
  t.equal((await first).status, 200);
  t.equal((await second).status, 200);
});

t.test('a deadline stops the work, and the worker is free again', async (t) => {
  const service = await testService(t, {}, true);
  const late = await service.post(raw('spin'), { prefer: 'wait=1' });
  t.equal(late.status, 504);
  t.equal((await read(late)).code, 'DEADLINE_EXCEEDED');
  t.equal((await service.post(raw('next'))).status, 200, 'the only worker works again');
});

t.test('a client that goes away stops its work, unless another waits for the same', async (t) => {
  const service = await testService(t, {}, true);
  const gone = new AbortController();
  const lost = fetch(`${service.url}/compile`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(raw('spin')),
    signal: gone.signal,
  }).catch((error: unknown) => (error as Error).name);
  await sleep(300);
  t.equal(service.service.pool.state.running, 1);
  gone.abort();
  t.equal(await lost, 'AbortError');
  t.equal((await service.post(raw('next'))).status, 200);
  const stay = service.post(raw('wait600'));
  await sleep(100);
  const leave = new AbortController();
  const left = fetch(`${service.url}/compile`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(raw('wait600')),
    signal: leave.signal,
  }).catch(() => 'left');
  await sleep(100);
  leave.abort();
  t.equal(await left, 'left');
  t.equal((await stay).status, 200);
});

t.test('a worker that is killed costs a retry; one that always dies costs its request', async (t) => {
  const service = await testService(t, {}, true);
  const killed = service.post(raw('wait700'));
  await sleep(300);
  await service.service.pool.threads[0]?.terminate();
  t.equal((await killed).status, 200, 'tried again on a new worker');
  const dead = await service.post(raw('exit'));
  t.equal(dead.status, 500);
  t.equal((await read(dead)).code, 'WORKER_LOST');
  t.equal((await service.post(raw('next'))).status, 200);
  t.ok(service.service.pool.state.lost >= 3);
});

t.test('a worker over its memory is replaced and its request refused', async (t) => {
  const service = await testService(t, { BPF_JITD_WORKER_MEMORY: '128' }, true);
  const refused = await service.post(raw('memory'));
  t.equal(refused.status, 422);
  t.equal((await read(refused)).code, 'OUT_OF_MEMORY');
  t.equal((await service.post(raw('next'))).status, 200);
});

t.test('a defect shows no text of itself to the client, and is logged', async (t) => {
  const service = await testService(t, {}, true);
  const response = await service.post(raw('throw'), { 'x-request-id': 'mine-1' });
  t.equal(response.status, 500);
  const text = await response.text();
  t.notMatch(text, /secret|at .*\.ts|node_modules/);
  t.match(text, /urn:request:mine-1/);
  t.ok(service.logged.some((line) => line.includes('secret text') && line.includes('mine-1')));
});

t.test('a connection that never asks anything does not hold a service that stops', async (t) => {
  const service = await testService(t, {}, true);
  const silent = connect(Number(new URL(service.url).port), '127.0.0.1');
  t.teardown(() => silent.destroy());
  await once(silent, 'connect');
  const started = performance.now();
  await service.stop();
  t.ok(performance.now() - started < 20_000, 'Node itself would wait for a minute');
});

t.test('stopping lets work in flight finish and refuses new work', async (t) => {
  const service = await testService(t, {}, true);
  await service.post(raw('up')); // threads take their time to start
  const running = service.post(raw('wait600'));
  await sleep(150);
  const stopped = service.stop();
  await sleep(50);
  const late = await service.post(raw('late')).catch(() => null);
  t.equal(late?.status ?? 503, 503);
  t.equal((await running).status, 200);
  await stopped;
});
