/** With BPF_JITD_CACHE_SCOPE=key, nothing that one tenant asks tells what another has asked or uploaded. */
import { createHash } from 'node:crypto';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import t from 'tap';
import { encode, messageType } from '../../src/service/contract/schema.js';
import { BtfBuilder } from '../btf/builder.js';
import { testKeys } from './fixtures/keys.js';
import { raw, testService } from './fixtures/service.js';

t.test('tenants', async (t) => {
  const keys = testKeys(t, { red1: { tenant: 'red' }, red2: { tenant: 'red' }, blue: { tenant: 'blue' } });
  const service = await testService(t, { BPF_JITD_KEYS_FILE: keys.path, BPF_JITD_CACHE_SCOPE: 'key' }, true);
  const post = (name: string, body: unknown, more: Record<string, string> = {}): Promise<Response> =>
    service.post(body, { ...keys.bearer(name), ...more });
  const get = (name: string, path: string, more: Record<string, string> = {}): Promise<Response> =>
    fetch(service.url + path, { headers: { ...keys.bearer(name), ...more } });
  /** All that an answer shows, but what differs between any two. */
  const shown = async (response: Response): Promise<unknown> => {
    const headers = [...response.headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
    return [response.status, headers, (await response.text()).replace(/urn:request:[^"]+/, '')];
  };

  const first = await post('red1', raw('p'));
  const etag = first.headers.get('etag')!;
  const digest = etag.slice(1, -1);
  t.match(first.headers.get('cache-status'), /stored/);
  t.match((await post('red2', raw('p'))).headers.get('cache-status'), /hit/, 'another key of the same tenant');

  const unknown = '0'.repeat(64);
  for (const more of [{}, { 'if-none-match': etag }, { 'if-none-match': '*' }]) {
    t.strictSame(
      await shown(await get('blue', `/compilations/${digest}`, more)),
      await shown(await get('blue', `/compilations/${unknown}`, more)),
      'what another tenant has compiled is as unknown as what nobody has',
    );
  }
  t.equal((await get('red2', `/compilations/${digest}`)).status, 200);

  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const lookup = (name: string): Promise<number> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      metadata.set('authorization', keys.bearer(name).authorization);
      const request = Buffer.from(encode(messageType('bpfjit.v1.GetCompilationRequest'), { digest }));
      const identity = (bytes: Buffer): Buffer => bytes;
      const path = '/bpfjit.v1.JitService/GetCompilation';
      client.makeUnaryRequest(path, identity, identity, request, metadata, (error) => {
        resolve(error?.code ?? status.OK);
      });
    });
  t.equal(await lookup('red1'), status.OK);
  t.equal(await lookup('blue'), status.NOT_FOUND);

  const own = await post('blue', raw('p'), { 'if-none-match': etag });
  t.match(own.headers.get('cache-status'), /stored/, 'compiled for blue as if nobody had asked before');
  t.equal(own.headers.get('etag'), etag, 'the digest is a function of the request alone');

  const flying = await Promise.all([post('red1', raw('wait300')), post('blue', raw('wait300'))]);
  for (const answer of flying)
    t.match(answer.headers.get('cache-status'), /stored/, 'nor is anything joined in flight');
  const runs = await Promise.all(
    flying.map(async (answer) => ((await answer.json()) as { programs: [{ log: string }] }).programs[0].log),
  );
  t.equal(new Set(runs).size, 2);

  const builder = new BtfBuilder();
  builder.int('int', 4, 1);
  const btf = builder.build();
  const btfDigest = createHash('sha256').update(btf).digest('hex');
  const uploaded = await fetch(`${service.url}/btf/${btfDigest}`, {
    method: 'PUT',
    headers: { ...keys.bearer('red1'), 'content-type': 'application/octet-stream' },
    body: Buffer.from(btf),
  });
  t.equal(uploaded.status, 201);
  t.equal((await post('red2', { ...raw('q'), target: { btfDigest } })).status, 200);
  const refused = async (digest: string): Promise<unknown> =>
    JSON.parse(
      JSON.stringify(await shown(await post('blue', { ...raw('q'), target: { btfDigest: digest } }))).replaceAll(
        digest,
        '',
      ),
    );
  t.strictSame(await refused(btfDigest), await refused(unknown), 'nor is what another tenant uploaded');

  const job = await post('red1', raw('p'), {}).then(() =>
    fetch(`${service.url}/jobs`, {
      method: 'POST',
      headers: { ...keys.bearer('red1'), 'content-type': 'application/json' },
      body: JSON.stringify({ requests: [raw('j')] }),
    }),
  );
  t.equal(job.status, 202);
  const path = job.headers.get('location')!;
  t.equal((await get('red2', path)).status, 200);
  t.equal((await get('blue', path)).status, 404);
});
