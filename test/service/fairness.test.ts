/** Fair turns: a hostile client, however it asks, leaves the others their share; tests of the order, not of the clock. */
import t from 'tap';
import { FairQueue } from '../../src/service/pool/fair-queue.js';
import { History, MEDIUM, SHORT } from '../../src/service/pool/history.js';
import { Lanes, type Candidate } from '../../src/service/pool/lanes.js';
import { testKeys } from './fixtures/keys.js';
import { raw, testService } from './fixtures/service.js';

t.setTimeout(240_000);

interface Task {
  readonly client: string;
  readonly cost: number;
}

t.test('turns are by what clients have had, not by how much they ask', (t) => {
  const queue = new FairQueue<Task>();
  const tenants = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (let i = 0; i < 2000; i++) queue.push({ client: 'hostile', cost: 10 });
  for (let i = 0; i < 400; i++) for (const client of tenants) queue.push({ client, cost: 10 });
  const milliseconds = new Map<string, number>();
  for (let i = 0; i < 1400; i++) {
    const { client, cost } = queue.take(() => true)!;
    const took = client === 'hostile' ? 1000 : 10; // its programs look like the others'
    queue.charge(client, took - cost);
    milliseconds.set(client, (milliseconds.get(client) ?? 0) + took);
  }
  const shares = tenants.map((client) => milliseconds.get(client) ?? 0);
  t.ok(Math.min(...shares) > 0.8 * Math.max(...shares), `equal rights, equal shares: ${shares.join(' ')}`);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  t.ok(milliseconds.get('hostile')! < mean + 2000, `and no more for the hostile one: ${milliseconds.get('hostile')}`);
  t.end();
});

t.test('idling saves no turns up, and leaving does not wipe out what one has had', (t) => {
  const queue = new FairQueue<Task>();
  const take = (count: number): string[] => Array.from({ length: count }, () => queue.take(() => true)!.client);
  const push = (client: string, count: number): void => {
    for (let i = 0; i < count; i++) queue.push({ client, cost: 10 });
  };
  push('busy', 100);
  take(50);
  push('late', 50);
  const turns = take(20);
  t.ok(turns.filter((client) => client === 'late').length <= 11, 'it does not catch up on fifty turns');
  queue.push({ client: 'greedy', cost: 10 });
  take(4);
  queue.charge('greedy', 100_000);
  queue.push({ client: 'greedy', cost: 10 });
  t.notOk(take(60).includes('greedy'), 'what it had is remembered');
  t.end();
});

t.test('one that may not run holds up neither its client nor others; the surplus is of who has the most', (t) => {
  const queue = new FairQueue<Task>();
  queue.push({ client: 'a', cost: 1000 });
  queue.push({ client: 'a', cost: 1 });
  queue.push({ client: 'b', cost: 1000 });
  t.strictSame(queue.surplus(), { client: 'a', cost: 1 });
  t.strictSame(
    queue.take(({ cost }) => cost < 10),
    { client: 'a', cost: 1 },
  );
  t.equal(
    queue.take(({ cost }) => cost < 10),
    null,
  );
  t.equal(queue.size, 2);
  t.end();
});

t.test('what is expected is learnt from the client, the size and the digest', (t) => {
  const history = new History();
  const expected = (client: string, bytes: number, digest = 'new'): string => {
    return history.expect(client, bytes, digest).expected;
  };
  t.equal(expected('a', 100), 'unknown');
  for (let i = 0; i < 3; i++) history.learn('a', 100, `${i}`, 5);
  t.equal(expected('a', 120), 'short');
  t.equal(expected('a', 100_000), 'unknown', 'of another size');
  t.equal(expected('b', 100), 'unknown', 'of another client');
  history.learn('a', 100, 'slow', MEDIUM * 5);
  t.equal(expected('a', 100), 'long', 'who was believed and was not to be');
  t.equal(expected('b', 9, 'slow'), 'long', 'whoever asks for the same');
  for (let i = 0; i < 40; i++) history.learn('a', 100, `${i}`, SHORT / 2);
  t.not(expected('a', 100), 'long', 'may be believed again');
  t.end();
});

t.test('lanes', (t) => {
  const task = (client: string, expected: Candidate['expected'], bytes = 100): Candidate => ({
    client,
    expected,
    bytes,
  });
  const lanes = new Lanes<Candidate>(2, 1);
  const enter = (one: Candidate): string | null => {
    const lane = lanes.place(one);
    if (lane !== null) lanes.enter(one, lane);
    return lane;
  };
  const long = task('hostile', 'unknown');
  t.equal(enter(long), 'main');
  t.equal(enter(task('hostile', 'unknown')), null, 'one client does not hold all workers');
  t.equal(enter(task('hostile', 'long')), null);
  const other = task('accomplice', 'long');
  t.equal(enter(other), 'main');
  t.equal(enter(task('c', 'long')), null);
  t.equal(enter(task('c', 'unknown', 1e6)), null, 'large and unknown');
  const quick = task('c', 'unknown');
  t.equal(enter(quick), 'express', 'there is a thread for what is usually short');
  t.equal(enter(task('d', 'short')), null, 'for one at a time');
  t.ok(lanes.mayStay(quick, SHORT / 2));
  t.notOk(lanes.mayStay(quick, SHORT * 2), 'which gives it back where it is not');
  lanes.leave(other);
  t.ok(lanes.mayStay(quick, SHORT * 2), 'or moves where there is room');
  t.equal(enter(task('d', 'short')), 'express');
  t.end();
});

t.test('five that never end, of one key: another key is answered at once', async (t) => {
  const keys = testKeys(t, { hostile: {}, good: {} });
  const env = {
    BPF_JITD_KEYS_FILE: keys.path,
    BPF_JITD_WORKERS: '2',
    BPF_JITD_DRAIN_TIMEOUT: '0',
    BPF_JITD_TIMEOUT: '20000',
  };
  const service = await testService(t, env, true);
  const post = (key: string, name: string): Promise<Response> => service.post(raw(name), keys.bearer(key));
  await post('good', 'up');
  let ended = 0;
  const attack = Array.from({ length: 5 }, (_, i) =>
    post('hostile', `spin${i}`).then(
      () => ended++,
      () => 0, // cut off by the end of the test
    ),
  );
  for (let i = 0; i < 40; i++) t.equal((await post('good', `good${i}`)).status, 200);
  t.equal(ended, 0, 'before any of them has run out of time');
  t.equal((await post('good', 'wait2500')).status, 200, 'also what takes long');
  t.equal(ended, 0);
  await service.stop();
  await Promise.all(attack);
});

t.test('accomplices: programs that look short and are not lose their thread, and their turn', async (t) => {
  const keys = testKeys(t, { h0: {}, h1: {}, h2: {}, h3: {}, good: {} });
  const env = {
    BPF_JITD_KEYS_FILE: keys.path,
    BPF_JITD_WORKERS: '2',
    BPF_JITD_TIMEOUT: '30000',
    BPF_JITD_METRICS_ACCESS: 'open',
  };
  const service = await testService(t, env, true);
  const post = (key: string, name: string): Promise<Response> => service.post(raw(name), keys.bearer(key));
  await post('good', 'up');
  let ended = 0;
  const attack = ['h0', 'h1', 'h2', 'h3'].map((key) =>
    post(key, `spin_${key}`).then(
      () => ended++,
      () => 0, // cut off by the end of the test
    ),
  );
  for (let i = 0; i < 20; i++) t.equal((await post('good', `good${i}`)).status, 200);
  t.equal(ended, 0, 'before any of them has run out of time');
  const replaced = await (await fetch(`${service.url}/metrics`)).text();
  t.match(replaced, /bpf_jitd_worker_replacements_total\{reason="turn"\} [1-9]/, 'and is told of');
  await service.stop();
  await Promise.all(attack);
});

t.test('six tenants under a hostile one: equal progress', async (t) => {
  const names = ['t0', 't1', 't2', 't3', 't4', 't5'];
  const keys = testKeys(t, { hostile: {}, ...Object.fromEntries(names.map((name) => [name, {}])) });
  const service = await testService(t, { BPF_JITD_KEYS_FILE: keys.path, BPF_JITD_WORKERS: '2' }, true);
  const done = new Map<string, number>(names.map((name) => [name, 0]));
  let on = true;
  let next = 0;
  const ask = async (key: string, work: string): Promise<void> => {
    while (on) {
      // Of its own: what was asked before is not compiled again.
      const body = { program: { ...(raw(work)['program'] as object), license: `GPL ${next++}` } };
      const response = await service.post(body, keys.bearer(key)).catch(() => null);
      if (response?.status === 200 && on) done.set(key, (done.get(key) ?? 0) + 1);
      await response?.arrayBuffer().catch(() => undefined);
    }
  };
  const clients = [
    ...Array.from({ length: 24 }, () => ask('hostile', 'wait400')),
    ...names.flatMap((name) => [ask(name, 'wait10'), ask(name, 'wait10'), ask(name, 'wait10')]),
  ];
  while ([...names].some((name) => done.get(name)! < 40)) await new Promise((wait) => setTimeout(wait, 20));
  const shares = names.map((name) => done.get(name)!);
  on = false;
  t.ok(
    Math.min(...shares) >= 0.8 * Math.max(...shares),
    `${shares.join(' ')}; the hostile one ${done.get('hostile') ?? 0}`,
  );
  await service.stop();
  await Promise.all(clients);
});

t.test("a processor's time is what a compilation may use, however many wait for it", async (t) => {
  const service = await testService(t, { BPF_JITD_CPU_TIMEOUT: '300' }, true);
  const response = await service.post(raw('spin'));
  t.equal(response.status, 504);
  t.match(await response.json(), { code: 'DEADLINE_EXCEEDED', detail: /300 ms of the processor/ });
});
