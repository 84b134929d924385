/** API keys over HTTP and gRPC: who is let in, to what, how often, and how keys change while the service runs. */
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import t from 'tap';
import { CompileRequestType, decode, encode, messageType, type Message } from '../../src/service/contract/schema.js';
import { testKeys } from './fixtures/keys.js';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

const KEYS = {
  ci: {},
  reader: { scopes: ['read'] as const },
  scraper: { scopes: ['metrics'] as const },
  slow: { rate: 0.01, burst: 3 },
  narrow: { concurrency: 1 },
  old: { expires: '2020-01-01T00:00:00Z' },
  revoked: { revoked: '2026-01-01T00:00:00Z' },
  leaving: {},
};
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

t.test('API keys', async (t) => {
  const keys = testKeys(t, KEYS);
  const service = await testService(t, { BPF_JITD_KEYS_FILE: keys.path }, true);
  const post = (name: string, program = 'p'): Promise<Response> => service.post(raw(program), keys.bearer(name));
  const refused = async (response: Response, status: number, code: string): Promise<Response> => {
    const problem = (await response.json()) as { code: string; status: number; detail: string };
    t.match(problem, { status, code }, problem.detail);
    t.equal(response.status, status);
    return response;
  };

  await t.test('who is let in', async (t) => {
    const made = await post('ci');
    t.equal(made.status, 200);
    t.equal((await post('ci')).headers.get('cache-status'), 'bpf-jitd; hit; detail=memory');
    const none = await refused(await service.post(raw('p')), 401, 'UNAUTHENTICATED');
    t.equal(none.headers.get('www-authenticate'), 'Bearer');
    await refused(await post('old'), 401, 'UNAUTHENTICATED');
    await refused(await post('revoked'), 401, 'UNAUTHENTICATED');
    const forged = `${keys.token('ci').slice(0, -1)}${keys.token('ci').endsWith('A') ? 'B' : 'A'}`;
    await refused(await service.post(raw('p'), { authorization: `Bearer ${forged}` }), 401, 'UNAUTHENTICATED');
    const url = `${service.url}/compilations/${made.headers.get('etag')!.slice(1, -1)}`;
    await refused(await fetch(url), 401, 'UNAUTHENTICATED');
    t.equal((await fetch(url, { headers: keys.bearer('reader') })).status, 200);
    for (const path of ['/livez', '/readyz', '/openapi.json', '/docs']) {
      t.equal((await fetch(service.url + path)).status, 200, path);
    }
  });

  await t.test('to what', async (t) => {
    await refused(await post('reader'), 403, 'FORBIDDEN');
    await refused(await fetch(`${service.url}/targets`, { headers: keys.bearer('scraper') }), 403, 'FORBIDDEN');
    await refused(await fetch(`${service.url}/metrics`), 401, 'UNAUTHENTICATED');
    await refused(await fetch(`${service.url}/metrics`, { headers: keys.bearer('ci') }), 403, 'FORBIDDEN');
    t.equal((await fetch(`${service.url}/metrics`, { headers: keys.bearer('scraper') })).status, 200);
  });

  await t.test('how often', async (t) => {
    const left: unknown[] = [];
    for (let i = 0; i < 3; i++) left.push((await post('slow')).headers.get('ratelimit-remaining'));
    t.strictSame(left, ['2', '1', '0'], 'hits say it, too');
    const over = await refused(await post('slow'), 429, 'RATE_LIMITED');
    t.equal(over.headers.get('ratelimit-limit'), '3');
    t.ok(Number(over.headers.get('retry-after')) > 50);
    t.ok(Number(over.headers.get('ratelimit-reset')) > 250);
    const running = post('narrow', 'wait400');
    await sleep(150);
    await refused(await post('narrow', 'other'), 429, 'CONCURRENCY_LIMITED');
    t.equal((await running).status, 200);
    t.equal((await post('narrow', 'other')).status, 200, 'the first has left');
    const gone = new AbortController();
    const left2 = fetch(`${service.url}/compile`, {
      method: 'POST',
      headers: { ...keys.bearer('narrow'), 'content-type': 'application/json' },
      body: JSON.stringify(raw('spin')),
      signal: gone.signal,
    }).catch(() => 'gone');
    await sleep(200);
    gone.abort();
    t.equal(await left2, 'gone');
    await sleep(100);
    t.equal((await post('narrow', 'other')).status, 200, 'who goes away has left, too');
  });

  await t.test('gRPC', async (t) => {
    const client = new Client(service.grpcAddress, credentials.createInsecure());
    t.teardown(() => {
      client.close();
    });
    const identity = (bytes: Buffer): Buffer => bytes;
    const program = (name: string): Message => ({ program: { name, type: 6, instructions: XDP_PASS, license: 'GPL' } });
    const metadata = (name: string | null): Metadata => {
      const out = new Metadata();
      if (name !== null) out.set('authorization', keys.bearer(name).authorization);
      return out;
    };
    const call = (name: string | null, method = 'Compile', what = 'g'): Promise<ServiceError | Buffer> =>
      new Promise((resolve) => {
        const bytes = method === 'Compile' ? Buffer.from(encode(CompileRequestType, program(what))) : Buffer.alloc(0);
        const path = `/bpfjit.v1.JitService/${method}`;
        client.makeUnaryRequest(path, identity, identity, bytes, metadata(name), (error, answer) => {
          resolve(error ?? answer!);
        });
      });
    const reason = (error: ServiceError | Buffer): unknown => {
      if (Buffer.isBuffer(error)) return 'answered';
      const bytes = error.metadata.get('grpc-status-details-bin')[0] as Buffer;
      const [detail] = decode(messageType('google.rpc.Status'), bytes)['details'] as { value: Uint8Array }[];
      return [error.code, decode(messageType('google.rpc.ErrorInfo'), detail!.value)['reason']];
    };
    t.ok(Buffer.isBuffer(await call('ci')));
    t.strictSame(reason(await call(null)), [status.UNAUTHENTICATED, 'UNAUTHENTICATED']);
    t.strictSame(reason(await call('reader')), [status.PERMISSION_DENIED, 'FORBIDDEN']);
    t.ok(Buffer.isBuffer(await call('reader', 'ListTargets')));
    t.strictSame(reason(await call('slow')), [status.RESOURCE_EXHAUSTED, 'RATE_LIMITED']);
    const running = call('narrow', 'Compile', 'wait401');
    await sleep(150);
    t.strictSame(reason(await call('narrow')), [status.RESOURCE_EXHAUSTED, 'CONCURRENCY_LIMITED']);
    t.ok(Buffer.isBuffer(await running));
    t.ok(Buffer.isBuffer(await call('narrow')));

    const batch = client.makeBidiStreamRequest(
      '/bpfjit.v1.JitService/CompileBatch',
      identity,
      identity,
      metadata('narrow'),
    );
    const type = messageType('bpfjit.v1.BatchRequest');
    for (let i = 0; i < 5; i++) batch.write(Buffer.from(encode(type, { id: String(i), request: program(`b${i}`) })));
    batch.end();
    let answers = 0;
    for await (const bytes of batch as AsyncIterable<Buffer>) {
      if (decode(messageType('bpfjit.v1.BatchResponse'), bytes)['response'] !== undefined) answers++;
    }
    t.equal(answers, 5, 'a batch goes as fast as its key may');
  });

  await t.test('keys change while the service runs', async (t) => {
    const until = async (status: number, name: string): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        if ((await post(name)).status === status) return;
        await sleep(50);
      }
      t.fail(`${name} does not come to ${status}`);
    };
    t.equal((await post('leaving')).status, 200);
    keys.write('{ "keys": [ torn');
    await sleep(1500);
    t.equal((await post('leaving')).status, 200, 'a bad file leaves the old keys in use');
    t.ok(service.logged.some((line) => line.includes('the old keys stay in use') && line.includes('is not JSON')));
    t.match(
      await (await fetch(`${service.url}/metrics`, { headers: keys.bearer('scraper') })).text(),
      /bpf_jitd_reload_ok\{file="keys"\} 0/,
    );
    keys.records.splice(
      keys.records.findIndex(({ name }) => name === 'leaving'),
      1,
    );
    keys.write();
    await until(401, 'leaving');
    t.equal((await post('ci')).status, 200);
    await refused(await post('slow'), 429, 'RATE_LIMITED');
  });

  await t.test('guessing is slowed down, without a word about valid keys', async (t) => {
    const guess = (): Promise<Response> =>
      service.post(raw('p'), { authorization: `Bearer bpfjit_${'0'.repeat(12)}_x` });
    const codes = new Set<number>();
    for (let i = 0; i < 30; i++) codes.add((await guess()).status);
    t.ok(codes.has(429));
    const late = await refused(await guess(), 429, 'RATE_LIMITED');
    t.ok(late.headers.get('retry-after'));
    for (let i = 0; i < 10; i++) t.equal((await post('ci')).status, 200, 'whoever has a key does not notice');
    await refused(await guess(), 429, 'RATE_LIMITED');
  });
  const secrets = keys.records.map(({ name }) => keys.token(name!).slice(20));
  t.notOk(
    service.logged.some((line) => secrets.some((secret) => line.includes(secret))),
    'no secret was logged',
  );
});

t.test('metrics may be open, and no keys file is an error to name', async (t) => {
  const keys = testKeys(t, { ci: {} });
  const service = await testService(t, { BPF_JITD_KEYS_FILE: keys.path, BPF_JITD_METRICS_ACCESS: 'open' }, true);
  t.equal((await fetch(`${service.url}/metrics`)).status, 200);
  await t.rejects(testService(t, { BPF_JITD_KEYS_FILE: '/nowhere/keys.json' }), /BPF_JITD_KEYS_FILE: .*ENOENT/);
  const none = testKeys(t, {});
  const apart = { BPF_JITD_KEYS_FILE: none.path, BPF_JITD_CACHE_SCOPE: 'key' };
  await t.rejects(testService(t, apart), /BPF_JITD_CACHE_SCOPE=key: .*holds no keys/);
});
