/** Webhooks: signed, tried again, and called nowhere but where the operator lets them. */
import { createServer, type IncomingMessage } from 'node:http';
import t from 'tap';
import { STATE, type JobRecord } from '../../src/service/jobs/job.js';
import { checkCallback, deliver, isPrivate, sign, type WebhookPolicy } from '../../src/service/jobs/webhook.js';
import { raw, testService } from './fixtures/service.js';

t.setTimeout(120_000);

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

interface Call {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers with these statuses, the last for ever. */
async function receiver(
  t: { teardown(work: () => unknown): void },
  ...statuses: number[]
): Promise<{ port: number; calls: Call[] }> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      calls.push({ url: request.url!, headers: request.headers, body });
      const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  return { port: (server.address() as { port: number }).port, calls };
}

const record = (callbackUrl: string): JobRecord => ({
  ...{ id: 'id', tenant: '', priority: 0, callbackUrl, state: STATE.SUCCEEDED, total: 0, createdAt: 0, finishedAt: 1 },
  ...{ items: new Map(), running: new Set() },
});
const policy = (over: Partial<WebhookPolicy> = {}): WebhookPolicy => ({
  hosts: ['127.0.0.1', 'localhost'],
  secrets: [SECRET],
  allowPrivate: true,
  ...over,
});

t.test('a job tells when it is finished, and again until it is heard', async (t) => {
  const { port, calls } = await receiver(t, 500, 200);
  const service = await testService(
    t,
    { BPF_JITD_WEBHOOK_HOSTS: '127.0.0.1', BPF_JITD_WEBHOOK_SECRET: SECRET, BPF_JITD_WEBHOOK_PRIVATE: 'yes' },
    true,
  );
  const submitted = await fetch(`${service.url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requests: [raw('a')], callbackUrl: `http://127.0.0.1:${port}/done` }),
  });
  t.equal(submitted.status, 202);
  const { id } = (await submitted.json()) as { id: string };
  for (let i = 0; i < 200 && calls.length < 2; i++) await new Promise((done) => setTimeout(done, 50));
  t.equal(calls.length, 2);
  for (const { url, headers, body } of calls) {
    t.equal(url, '/done');
    t.match(JSON.parse(body), { type: 'job.finished', data: { id, state: 'SUCCEEDED', items: [{ index: 0 }] } });
    t.equal(headers['webhook-id'], `job_${id}`, 'the same for each try');
    const seconds = Number(headers['webhook-timestamp']);
    t.ok(Math.abs(seconds - Date.now() / 1000) < 60);
    t.equal(headers['webhook-signature'], sign(`job_${id}`, seconds, body, [SECRET])['webhook-signature']);
  }
});

t.test('the signature is that of the specification', (t) => {
  const headers = sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}', [SECRET]);
  t.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  t.end();
});

t.test('what may not be called', async (t) => {
  const no = (url: string, over: Partial<WebhookPolicy> = {}): void => {
    t.throws(() => checkCallback(url, policy(over)), { code: 'INVALID_FIELD', place: { field: 'callbackUrl' } }, url);
  };
  no('http://localhost/', { hosts: [] });
  for (const url of ['ftp://localhost/', 'nonsense', 'http://user@localhost/', 'http://localhost.evil.com/']) no(url);
  no('http://127.0.0.1/', { allowPrivate: false });
  no('http://2130706433/', { allowPrivate: false });
  no('http://example.com/', { hosts: ['*.example.com'] });
  t.doesNotThrow(() =>
    checkCallback('https://ci.example.com/x', policy({ hosts: ['*.example.com'], allowPrivate: false })),
  );

  const { port, calls } = await receiver(t, 302);
  await t.rejects(deliver(record(`http://127.0.0.1:${port}/`), policy()), { message: /302/ });
  t.strictSame(
    calls.map(({ url }) => url),
    ['/'],
    'redirects are not followed',
  );
  await t.rejects(deliver(record(`http://localhost:${port}/`), policy({ allowPrivate: false })), /not public/);
  t.equal(calls.length, 1, 'a name that leads to this machine');
});

t.test('addresses that are not public', (t) => {
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '100.64.0.1',
    '192.168.1.1',
    '255.255.255.255',
    '0.0.0.0',
  ]) {
    t.ok(isPrivate(address), address);
  }
  for (const address of [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
  ]) {
    t.ok(isPrivate(address), address);
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])
    t.notOk(isPrivate(address), address);
  t.end();
});
