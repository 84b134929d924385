/** Traces: spans of a request, its cache lookups, queue and worker, over both transports, as a receiver of OTLP sees them. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import t from 'tap';
import { encode, messageType } from '../../src/service/contract/schema.js';
import { openTracing } from '../../src/service/telemetry/tracing.js';
import { receiver, type ReceivedSpan } from './fixtures/otlp.js';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${PARENT}-01`;

t.test('over HTTP and gRPC', async (t) => {
  const otlp = await receiver();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
    OTEL_SERVICE_NAME: 'bpf-test',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  t.teardown(() => {
    otlp.close();
    for (const name of Object.keys(process.env))
      if (name.startsWith('OTEL_')) Reflect.deleteProperty(process.env, name);
  });
  const service = await testService(t);
  const spansOf = async (trace: string, count: number): Promise<ReceivedSpan[]> => {
    const found = (): ReceivedSpan[] => otlp.spans.filter((span) => span.trace === trace);
    for (let i = 0; i < 200 && found().length < count; i++) await new Promise((done) => setTimeout(done, 50));
    return found();
  };

  const secret = raw('secret_program');
  const response = await service.post(secret, { traceparent });
  const answered = response.headers.get('traceresponse')!.split('-');
  t.equal(answered[1], TRACE, 'the trace goes on');
  const spans = await spansOf(TRACE, 13);
  t.strictSame(
    spans.map(({ name }) => name).sort(),
    [
      ...['POST /compile', 'cache disk', 'cache memory', 'cache store', 'encode', 'jit'],
      ...['link', 'load', 'prepare', 'queue', 'rewrite', 'verify', 'worker'],
    ].sort(),
  );
  const named = (name: string): ReceivedSpan => spans.find((span) => span.name === name)!;
  const request = named('POST /compile');
  t.equal(request.id, answered[2]);
  t.equal(request.parent, PARENT);
  t.match(request.attributes, {
    'http.request.method': 'POST',
    'http.route': '/compile',
    'http.response.status_code': '200',
    'bpf_jitd.source': 'compiled',
  });
  t.match(request.resource, { 'service.name': 'bpf-test' });
  for (const name of ['cache memory', 'cache disk', 'queue', 'worker']) t.equal(named(name).parent, request.id, name);
  const stages = ['prepare', 'load', 'verify', 'rewrite', 'jit', 'link', 'encode'].map(named);
  const worker = named('worker');
  for (const [i, stage] of stages.entries()) {
    t.equal(stage.parent, worker.id, stage.name);
    const before = stages[i - 1]?.end ?? worker.start;
    t.ok(stage.start >= before - 1000n && stage.end <= worker.end + 1000n, `${stage.name} lies where it was`);
  }
  t.ok(named('queue').end - worker.start < 1000n, 'the worker begins where the queue ends');
  t.match(worker.attributes, { 'bpf_jitd.programs.accepted': '1', 'bpf_jitd.verified_instructions': '2' });
  const told = JSON.stringify(spans, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  t.notMatch(told, /secret_program|twAAAAIAAA/, 'nothing of the program');
  t.ok(service.logged.some((line) => line.includes(`"trace_id":"${TRACE}"`) && line.includes('answered')));

  const hit = await service.post(secret);
  const [, again = ''] = hit.headers.get('traceresponse')!.split('-');
  t.not(again, TRACE);
  t.match(await spansOf(again, 1), [{ name: 'POST /compile', attributes: { 'bpf_jitd.source': 'memory' } }]);

  const refused = await service.post('{', { traceparent: 'nonsense' });
  const [, bad = ''] = refused.headers.get('traceresponse')!.split('-');
  t.match(await spansOf(bad, 1), [{ parent: '', status: 0, attributes: { 'error.type': 'MALFORMED_BODY' } }]);

  const third = TRACE.replace('0af', '2af');
  const job = await fetch(`${service.url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${third}-${PARENT}-01` },
    body: JSON.stringify({ requests: [raw('in_a_job')] }),
  });
  t.equal(job.status, 202);
  const parts = await spansOf(third, 14);
  const submitted = parts.find(({ name }) => name === 'POST /jobs')!;
  t.match(
    parts.find(({ name }) => name === 'job item')!,
    { parent: submitted.id },
    'a job goes on with its trace',
  );
  t.ok(parts.some(({ name }) => name === 'verify'));

  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const metadata = new Metadata();
  const other = TRACE.replace('0af', '1af');
  metadata.set('traceparent', `00-${other}-${PARENT}-01`);
  const type = messageType('bpfjit.v1.CompileRequest');
  const program = { name: 'g', type: 6, instructions: XDP_PASS, license: 'GPL' };
  const bytes = Buffer.from(encode(type, { program }));
  const same = (buffer: Buffer): Buffer => buffer;
  const trailer = await new Promise<Metadata>((done, failed) => {
    client
      .makeUnaryRequest('/bpfjit.v1.JitService/Compile', same, same, bytes, metadata, (error) => {
        if (error !== null) failed(error);
      })
      .on('status', (status) => {
        done(status.metadata);
      });
  });
  t.match(String(trailer.get('traceresponse')[0]), new RegExp(`^00-${other}-`));
  t.match(String(trailer.get('server-timing')[0]), /^total;dur=[\d.]+, queue;dur=.*verify;dur=/);
  const calls = await spansOf(other, 13);
  const root = calls.find(({ name }) => name === 'bpfjit.v1.JitService/Compile')!;
  t.match(root, { parent: PARENT, attributes: { 'rpc.system': 'grpc', 'rpc.grpc.status_code': '0' } });
  t.equal(calls.length, 13);
});

t.test('off unless asked for', async (t) => {
  t.equal(await openTracing({}), null);
  t.equal(await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }), null);
  t.equal(await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_TRACES_EXPORTER: 'none' }), null);
  const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  await t.rejects(openTracing(grpc), /must be http\/protobuf/);
  const service = await testService(t);
  t.equal((await service.post(raw('quiet'), { traceparent })).headers.get('traceresponse'), null);
});
