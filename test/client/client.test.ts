/** The published client against a real service, and against a server that refuses, stalls and vanishes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { ProblemError } from '../../src/client/index.js';
import { BpfJitd, type BpfJitdOptions } from '../../src/client/index.js';
import { readObjectFile } from '../objects/golden.js';
import { readTargets } from '../../src/service/targets.js';
import { testService, XDP_PASS } from '../service/fixtures/service.js';

const PASS = { program: { name: 'pass', type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: XDP_PASS } } as const;

t.test('against the service', async (t) => {
  const service = await testService(t);
  const jitd = new BpfJitd(service.url);
  const answer = await jitd.compile({ ...PASS, options: { logLevel: 1 } });
  const program = answer.programs[0]!;
  t.match(program, { name: 'pass', accepted: true, errno: 0, type: 'BPF_PROG_TYPE_XDP', section: '' });
  t.equal(program.failure, undefined);
  t.match(program.log, /processed 2 insns/);
  t.equal(Buffer.compare(program.translated, XDP_PASS), 0, 'bytes are bytes');
  t.ok(program.functions[0]!.code instanceof Uint8Array);
  t.equal(program.stats?.processedInstructions, 2);
  t.strictSame(program.relocations, [], 'what JSON leaves out is there');

  t.equal(await jitd.compile({ ...PASS, options: { logLevel: 1 } }), answer, 'what was kept is good still');
  t.strictSame(await jitd.compilation(answer.digest), answer);
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  t.match(metrics, /bpf_jitd_http_requests_total\{method="POST",route="\/compile",status="304"\} 1/);

  const object = readObjectFile('xdp_count.o');
  const whole = await jitd.compile({ object });
  t.match(whole, { maps: [{ name: 'counters' }] });
  t.match(await jitd.targets(), [{ name: 'linux-6.12-arm64', pageSize: 4096 }]);

  const refused = await jitd.compile({ ...PASS, target: { btf: readObjectFile('core.o') } }).catch((e: unknown) => e);
  t.match(refused, { code: 'INVALID_BTF', field: 'target.btf', detail: /not a kernel's BTF/ });
  const digest = await jitd.uploadBtf(Uint8Array.from(readTargets()[0]!.files.get('vmlinux.btf')!));
  t.match(digest, /^[0-9a-f]{64}$/);
  t.match(await jitd.compile({ ...PASS, target: { btfDigest: digest } }), { programs: [{ accepted: true }] });

  const bad = await jitd.compile({ program: { instructions: new Uint8Array(3) } }).catch((error: unknown) => error);
  t.match(bad, { name: 'ProblemError', code: 'INVALID_FIELD', status: 400, field: 'program.instructions' });
  t.match((bad as ProblemError).requestId, /^[\w-]{36}$/);
  const noObject = await jitd.compile({ object: new Uint8Array([1, 2, 3]) }).catch((error: unknown) => error);
  t.match(noObject, { code: 'INVALID_OBJECT', failure: { stage: 'LOAD', message: String } });

  const job = await jitd.submitJob({ requests: [PASS, { object }] });
  const done = await jitd.waitForJob(job.id);
  t.match(done, { state: 'SUCCEEDED', total: 2, finished: 2, failed: 0 });
  t.match(await jitd.compilation(done.items[0]!.digest), { programs: [{ name: 'pass', accepted: true }] });
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function stub(
  t: { teardown(work: () => void): void },
  handler: Handler,
  options: BpfJitdOptions = {},
): Promise<{ jitd: BpfJitd; count(): number }> {
  let count = 0;
  const server = createServer((request, response) => {
    handler(request, response, ++count);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { jitd: new BpfJitd(`http://127.0.0.1:${port}/behind/a/proxy`, options), count: () => count };
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body));
};
const FULL = { code: 'QUEUE_FULL', detail: 'full' };

t.test('tries again where that makes sense, and only there', async (t) => {
  const seen: (string | undefined)[] = [];
  const busy = await stub(
    t,
    (request, response, count) => {
      seen.push(request.url, request.headers.authorization, request.headers['prefer'] as string);
      if (count < 3) json(response, 503, FULL, { 'retry-after': '0' });
      else json(response, 200, { targets: [{ name: 'x' }] });
    },
    { key: 'secret', timeout: 5000 },
  );
  t.match(await busy.jitd.targets(), [{ name: 'x', release: '', cpuFeatures: [] }]);
  t.equal(busy.count(), 3);
  t.strictSame(seen.slice(0, 3), ['/behind/a/proxy/targets', 'Bearer secret', 'wait=5']);

  const bad = await stub(t, (_request, response) => {
    json(response, 400, { code: 'INVALID_FIELD', detail: 'no' });
  });
  await t.rejects(bad.jitd.targets(), { code: 'INVALID_FIELD' });
  t.equal(bad.count(), 1, 'a bad request stays bad');

  const dropped = await stub(t, (request, response, count) => {
    if (count === 1) request.socket.destroy();
    else json(response, 200, {});
  });
  t.strictSame(await dropped.jitd.targets(), []);

  const always = await stub(
    t,
    (_request, response) => {
      json(response, 503, FULL, { 'retry-after': '0' });
    },
    { retries: 1 },
  );
  await t.rejects(always.jitd.targets(), { code: 'QUEUE_FULL', retryAfter: 0 });
  t.equal(always.count(), 2);

  const long = await stub(
    t,
    (_request, response) => {
      json(response, 429, { code: 'RATE_LIMITED', detail: '' }, { 'retry-after': '60' });
    },
    { timeout: 2000 },
  );
  await t.rejects(long.jitd.targets(), { code: 'RATE_LIMITED' });
  t.equal(long.count(), 1, 'no wait that is longer than the time there is');

  const proxy = await stub(t, (_request, response) => {
    response.writeHead(418).end('<html>');
  });
  await t.rejects(proxy.jitd.targets(), { code: 'HTTP_418' });
});

t.test('time runs out, and callers change their minds', async (t) => {
  const silent = await stub(t, () => undefined);
  await t.rejects(silent.jitd.targets({ timeout: 100 }), { name: 'TimeoutError' });
  const gone = new AbortController();
  const call = silent.jitd.targets({ signal: gone.signal });
  gone.abort();
  await t.rejects(call, { name: 'AbortError' });
});

t.test('the package offers what lies in the sources', (t) => {
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    exports: Record<string, { default: string }>;
  };
  t.equal(exports['./client']?.default, './dist/client/index.js');
  t.end();
});
