/** Jobs, kept in memory and in Redis alike: what clients see of them does not depend on where they are. */
import { readFileSync } from 'node:fs';
import { Client, credentials, status } from '@grpc/grpc-js';
import t from 'tap';
import { decode, encode, messageType, type Message } from '../../src/service/contract/schema.js';
import { skip, sleep, TestRedis } from './fixtures/redis.js';
import { raw, testService, XDP_PASS, type TestService } from './fixtures/service.js';

t.setTimeout(180_000);

const same = (bytes: Buffer): Buffer => bytes;

interface Item {
  readonly index: number;
  readonly state: string;
  readonly digest?: string;
  readonly programs?: readonly { readonly name: string; readonly accepted: boolean }[];
  readonly error?: { readonly code: string };
}
interface Job {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly finished: number;
  readonly failed: number;
  readonly items: readonly Item[];
}

const submit = (service: TestService, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${service.url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const batch = (...names: string[]): unknown => ({ requests: names.map(raw) });
const get = async (service: TestService, id: string): Promise<Job> =>
  (await (await fetch(`${service.url}/jobs/${id}`)).json()) as Job;
const idOf = async (response: Response | Promise<Response>): Promise<string> =>
  ((await (await response).json()) as Job).id;

async function finished(service: TestService, id: string): Promise<Job> {
  for (;;) {
    const job = await get(service, id);
    if (!['QUEUED', 'RUNNING'].includes(job.state)) return job;
    await sleep(20);
  }
}

interface Event {
  readonly id: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** All events of a stream that ends by itself, or the first so many. */
async function events(service: TestService, id: string, last = '', count = Infinity): Promise<Event[]> {
  const headers = { 'last-event-id': last };
  const response = await fetch(`${service.url}/jobs/${id}/events`, { headers: last === '' ? {} : headers });
  const found: Event[] = [];
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const match = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (match === null) continue;
      found.push({ id: match[1]!, name: match[2]!, data: JSON.parse(match[3]!) as Record<string, unknown> });
      if (found.length === count) return found;
    }
  }
  return found;
}

for (const kept of ['memory', 'Redis']) {
  t.test(`jobs in ${kept}`, { skip: kept === 'Redis' && skip }, async (t) => {
    const env: Record<string, string> = {
      BPF_JITD_JOB_CLIENT_QUEUE: '40',
      BPF_JITD_JOB_ITEMS: '30',
      BPF_JITD_TRUSTED_PROXIES: '127.0.0.1',
    };
    if (kept === 'Redis') env['BPF_JITD_REDIS_URL'] = (await TestRedis.start(t)).url;
    const service = await testService(t, env, true);
    await sleep(300);

    const accepted = await submit(service, batch('a', 'throw', 'c'));
    t.equal(accepted.status, 202);
    const { id } = (await accepted.json()) as Job;
    t.equal(accepted.headers.get('location'), `/jobs/${id}`);
    const job = await finished(service, id);
    t.match(job, { state: 'FAILED', total: 3, finished: 3, failed: 1 });
    t.match(job.items, [
      { index: 0, state: 'SUCCEEDED', programs: [{ name: 'a', accepted: true }] },
      { index: 1, state: 'FAILED', error: { code: 'INTERNAL' } },
      { index: 2, state: 'SUCCEEDED', programs: [{ name: 'c', accepted: true }] },
    ]);
    const answer = await fetch(`${service.url}/compilations/${job.items[0]!.digest!}`);
    t.match(await answer.json(), { digest: job.items[0]!.digest, programs: [{ name: 'a' }] });
    t.equal((await service.post(raw('a'))).headers.get('etag'), answer.headers.get('etag'), 'the same as in one go');

    const all = await events(service, id);
    t.strictSame(
      all.map(({ name }) => name),
      ['item', 'item', 'item', 'job'],
    );
    t.match(all[3]!.data, { id, state: 'FAILED' });
    t.strictSame(await events(service, id, all[1]!.id), all.slice(2), 'from the last event seen');
    t.strictSame(await events(service, id, all[3]!.id), []);

    const live = await idOf(submit(service, batch('wait200', 'wait201')));
    const seen = await events(service, live, '', 1);
    t.match(seen, [{ name: 'item', data: { state: 'SUCCEEDED' } }]);
    t.match(await get(service, live), { state: 'RUNNING', finished: 1, items: [{}, { state: 'RUNNING' }] });
    const rest = await events(service, live, seen[0]!.id);
    t.match(rest, [{ name: 'item' }, { name: 'job', data: { state: 'SUCCEEDED', finished: 2 } }]);

    const long = await idOf(submit(service, batch('spin', 'never')));
    while ((await get(service, long)).state === 'QUEUED') await sleep(20);
    const ended = await fetch(`${service.url}/jobs/${long}`, { method: 'DELETE' });
    t.match(await ended.json(), { state: 'CANCELLED', finished: 2, items: [{ state: 'CANCELLED' }] });
    t.equal((await fetch(`${service.url}/jobs/${long}`, { method: 'DELETE' })).status, 200, 'twice is once');
    t.match(await events(service, long), [{ name: 'job', data: { state: 'CANCELLED' } }]);

    const key = { 'idempotency-key': 'build-7' };
    const once = await idOf(submit(service, batch('once'), key));
    t.equal(await idOf(submit(service, batch('once'), key)), once);
    t.equal((await submit(service, batch('else'), key)).status, 422);
    t.not(await idOf(submit(service, batch('once'), { ...key, 'x-forwarded-for': '10.0.0.9' })), once);

    const crowd = await Promise.all(
      [30, 31].map((ms) => submit(service, batch(...Array.from({ length: 15 }, (_, i) => `wait${ms}.${i}`)))),
    );
    const other = await idOf(submit(service, batch('mine'), { 'x-forwarded-for': '10.0.0.7' }));
    const full = await submit(service, batch(...Array.from({ length: 30 }, (_, i) => `more${i}`)));
    t.equal(full.status, 429);
    t.match(await full.json(), { code: 'RATE_LIMITED' });
    await finished(service, other);
    const crowded = await Promise.all(crowd.map(async (response) => get(service, await idOf(response))));
    const before = crowded.reduce((sum, { finished }) => sum + finished, 0);
    t.ok(before <= 8, `another's one waits for its turn, not for all ${before} of 30`);
    for (const { id } of crowded) t.match(await finished(service, id), { state: 'SUCCEEDED' });

    const bad = await submit(service, { requests: [raw('a'), { program: { instructions: 'AAA=' } }] });
    t.match(await bad.json(), { code: 'INVALID_FIELD', field: 'requests[1].program.instructions' });
    t.equal((await submit(service, { requests: [] })).status, 400);
    t.equal((await submit(service, batch(...Array.from({ length: 31 }, (_, i) => `n${i}`)))).status, 400);
    t.equal((await submit(service, { ...(batch('a') as object), callbackUrl: 'http://169.254.169.254/' })).status, 400);
    for (const nobody of ['no', '00000000-0000-4000-8000-000000000000']) {
      t.equal((await fetch(`${service.url}/jobs/${nobody}`)).status, 404);
      t.equal((await fetch(`${service.url}/jobs/${nobody}/events`)).status, 404);
    }
    t.equal((await fetch(`${service.url}/jobs/${id}/events`, { headers: { 'last-event-id': 'x' } })).status, 400);

    const object = readFileSync(new URL('../objects/xdp_count.o', import.meta.url));
    const single = await fetch(`${service.url}/jobs?programs=xdp_main&priority=HIGH`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: object,
    });
    t.match(await single.json(), { total: 1, priority: 'HIGH' });

    const client = new Client(service.grpcAddress, credentials.createInsecure());
    const pack = (name: string, message: Message): Buffer =>
      Buffer.from(encode(messageType(`bpfjit.v1.${name}`), message));
    const call = (method: string, bytes: Buffer): Promise<Message> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(`/bpfjit.v1.JitService/${method}`, same, same, bytes, (error, answer) => {
          if (error === null) resolve(decode(messageType('bpfjit.v1.Job'), answer!));
          else reject(error);
        });
      });
    const request = { program: { name: 'g', type: 6, instructions: XDP_PASS, license: 'GPL' } };
    const queued = await call('SubmitJob', pack('SubmitJobRequest', { requests: [request] }));
    const watched: Message[] = [];
    const path = '/bpfjit.v1.JitService/WatchJob';
    const stream = client.makeServerStreamRequest(path, same, same, pack('WatchJobRequest', { id: queued['id'] }));
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      watched.push(decode(messageType('bpfjit.v1.JobEvent'), bytes));
    }
    t.match(watched, [{ item: { state: 3, programs: [{ name: 'g' }] } }, { job: { id: queued['id'], state: 3 } }]);
    t.match(await call('GetJob', pack('GetJobRequest', { id: queued['id'] })), { finished: 1 });
    t.match(await call('CancelJob', pack('CancelJobRequest', { id: queued['id'] })), { state: 3 });
    await t.rejects(call('GetJob', pack('GetJobRequest', { id: 'none' })), { code: status.NOT_FOUND });
    client.close();

    const text = await service.service.metrics.registry.metrics();
    t.match(text, /bpf_jitd_jobs_total\{state="cancelled"\} 1\b/);
    t.match(text, /bpf_jitd_job_items_open 0\b|bpf_jitd_job_items_open 1\b/);
  });
}
