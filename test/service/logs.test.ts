/** What clients send — programs, BTF, keys, whatever stands in headers and paths — is in no log and no metric. */
import { request as httpRequest } from 'node:http';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import t from 'tap';
import { encode, messageType, type Message } from '../../src/service/contract/schema.js';
import { testKeys } from './fixtures/keys.js';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

t.setTimeout(300_000);

/** Eight bytes that are letters, so that they can be an instruction, a name or a part of a header. */
const MARK = 'MARKtext';
const WRITTEN = [MARK, Buffer.from(MARK).toString('hex'), Buffer.from(MARK).toString('base64').slice(1, -2)];

t.test('logs', async (t) => {
  const keys = testKeys(t, { ci: {}, scraper: { scopes: ['metrics'] } });
  const env = { BPF_JITD_KEYS_FILE: keys.path, BPF_JITD_BODY_LIMIT: '20000', BPF_JITD_LOG_LEVEL: 'trace' };
  const service = await testService(t, env);
  const bearer = keys.bearer('ci');
  t.setTimeout(60_000);
  const post = async (body: unknown, headers: Record<string, string> = {}, path = '/compile'): Promise<number> => {
    const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const all = { ...bearer, 'content-type': 'application/json', ...headers };
    return (await fetch(service.url + path, { method: 'POST', headers: all, body: bytes as string })).status;
  };
  const statuses = new Set<number>();
  const seen = async (status: Promise<number>): Promise<void> => {
    statuses.add(await status);
  };
  const marked = Buffer.concat([Buffer.from(MARK), XDP_PASS]).toString('base64');
  await seen(post(raw(MARK)));
  await seen(
    post({ program: { ...(raw(MARK)['program'] as object), instructions: marked }, options: { logLevel: 2 } }),
  );
  await seen(post(`{"${MARK}": ${MARK}`));
  await seen(post({ [MARK]: MARK }));
  await seen(post({ program: { type: MARK } }));
  await seen(post({ ...raw('p'), target: { kernel: MARK } }));
  await seen(post({ ...raw('p'), target: { btf: Buffer.from(MARK).toString('base64') } }));
  await seen(post(MARK.repeat(4000)));
  await seen(post(MARK, { 'content-type': 'application/x-protobuf' }));
  await seen(post(MARK, { 'content-type': 'application/octet-stream' }, `/compile?programs=${MARK}`));
  await seen(post(MARK, { 'content-type': 'application/octet-stream' }, `/compile?${MARK}=${MARK}`));
  await seen(post(MARK, { 'content-type': `text/${MARK}` }));
  await seen(post(MARK, { 'content-encoding': 'gzip' }));
  await seen(post(MARK, { 'content-encoding': MARK }));
  await seen(post(raw('p'), { authorization: `Bearer ${MARK}` }));
  await seen(post(raw('p'), { accept: MARK, cookie: MARK, 'user-agent': MARK, 'x-forwarded-for': MARK }));
  await seen(
    post(`--x\r\ncontent-disposition: form-data; name="${MARK}"\r\n\r\n${MARK}\r\n--x--`, {
      'content-type': 'multipart/form-data; boundary=x',
    }),
  );
  await seen(post({ requests: [raw(MARK)] }, {}, '/jobs'));
  await seen(post(MARK, {}, `/${MARK}?${MARK}`));
  await seen(post(raw(MARK), { prefer: 'wait=0' }));
  await new Promise((done) => {
    const lost = httpRequest(`${service.url}/compile`, {
      method: 'POST',
      headers: { ...bearer, 'content-length': 99 },
    });
    lost.on('error', () => undefined).on('close', done);
    lost.write(MARK);
    setTimeout(() => lost.destroy(), 50);
  });

  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const identity = (bytes: Buffer): Buffer => bytes;
  const call = (name: string, message: Message | Buffer, authorization = bearer.authorization): Promise<unknown> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      metadata.set('authorization', authorization);
      metadata.set('x-mark', MARK);
      const bytes = Buffer.isBuffer(message)
        ? message
        : Buffer.from(encode(messageType(`bpfjit.v1.${name}Request`), message));
      client.makeUnaryRequest(`/bpfjit.v1.JitService/${name}`, identity, identity, bytes, metadata, (error) => {
        statuses.add(error?.code ?? 0);
        resolve(null);
      });
    });
  await call('Compile', { program: { name: MARK, type: 6, instructions: Buffer.from(MARK) } });
  await call('Compile', { object: Buffer.from(MARK) });
  await call('Compile', Buffer.from(MARK));
  await call('Compile', {}, MARK);
  await call('GetCompilation', { digest: MARK });
  await call(MARK, Buffer.from(MARK));

  for (const status of [200, 400, 401, 404, 406, 413, 415, 422]) t.ok(statuses.has(status), `${status} was among it`);
  t.ok(service.logged.length > 20);
  const metrics = await (await fetch(`${service.url}/metrics`, { headers: keys.bearer('scraper') })).text();
  const secrets = [...WRITTEN, keys.token('ci').slice(20), keys.token('scraper').slice(20)];
  for (const secret of secrets) {
    t.equal(
      service.logged.find((line) => line.includes(secret)),
      undefined,
      secret,
    );
    t.notOk(metrics.includes(secret));
  }
});
