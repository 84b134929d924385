/** gRPC by our own client and by a foreign one (Python's grpcio), which learns the API by reflection. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import t from 'tap';
import { decode, encode, messageType, type Message } from '../../src/service/contract/schema.js';
import { testService, XDP_PASS } from './fixtures/service.js';

const run = promisify(execFile);
const path = (method: string): string => `/bpfjit.v1.JitService/${method}`;
const pack = (name: string, message: Message): Buffer => Buffer.from(encode(messageType(`bpfjit.v1.${name}`), message));
const unpack = (name: string, bytes: Buffer): Message => decode(messageType(`bpfjit.v1.${name}`), bytes);
const identity = (bytes: Buffer): Buffer => bytes;
const raw = (name: string): Message => ({ program: { name, type: 6, instructions: XDP_PASS, license: 'GPL' } });

interface Detail {
  readonly type_url: string;
  readonly value: Uint8Array;
}

function details(error: ServiceError): Map<string, Message> {
  const bytes = error.metadata.get('grpc-status-details-bin')[0] as Buffer;
  const packed = decode(messageType('google.rpc.Status'), bytes)['details'] as Detail[];
  return new Map(
    packed.map(({ type_url, value }) => {
      const name = type_url.slice(type_url.lastIndexOf('/') + 1);
      return [name, decode(messageType(name), value)];
    }),
  );
}

t.test('our own client', async (t) => {
  const service = await testService(t, { BPF_JITD_QUEUE: '0' }, true);
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const call = (method: string, bytes: Buffer, deadline = Infinity): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const options = deadline === Infinity ? {} : { deadline: Date.now() + deadline };
      client.makeUnaryRequest(path(method), identity, identity, bytes, new Metadata(), options, (error, answer) => {
        if (error === null) resolve(answer!);
        else reject(error);
      });
    });
  const refusal = (work: Promise<unknown>): Promise<ServiceError> =>
    work.then(
      () => Promise.reject(new Error('was not refused')),
      (error: unknown) => error as ServiceError,
    );

  const answer = unpack('CompileResponse', await call('Compile', pack('CompileRequest', raw('a'))));
  t.match(answer, { programs: [{ name: 'a', accepted: true }] });
  const again = await call('GetCompilation', pack('GetCompilationRequest', { digest: answer['digest'] }));
  t.strictSame(unpack('CompileResponse', again), answer);
  const json = await (await fetch(`${service.url}/compilations/${String(answer['digest'])}`)).json();
  t.match(json, { digest: answer['digest'] }, 'both transports share answers');

  const targets = unpack('ListTargetsResponse', await call('ListTargets', Buffer.alloc(0)));
  t.match(targets, { targets: [{ name: 'linux-6.12-arm64' }], limits: { requestBytes: 32 * 1024 * 1024 } });

  const bad = await refusal(call('Compile', pack('CompileRequest', { program: { instructions: Buffer.alloc(3) } })));
  t.equal(bad.code, status.INVALID_ARGUMENT);
  t.match(details(bad).get('google.rpc.ErrorInfo'), { reason: 'INVALID_FIELD', domain: 'bpf-jitd.dev' });
  t.match(details(bad).get('google.rpc.BadRequest'), { fieldViolations: [{ field: 'program.instructions' }] });

  const late = await refusal(call('Compile', pack('CompileRequest', raw('spin')), 400));
  t.equal(late.code, status.DEADLINE_EXCEEDED);
  t.match(unpack('CompileResponse', await call('Compile', pack('CompileRequest', raw('b')))), {
    programs: [{ name: 'b' }],
  });

  const running = call('Compile', pack('CompileRequest', raw('wait700')));
  await new Promise((done) => setTimeout(done, 200));
  const full = await refusal(call('Compile', pack('CompileRequest', raw('c'))));
  t.equal(full.code, status.UNAVAILABLE);
  t.match(details(full).get('google.rpc.ErrorInfo'), { reason: 'QUEUE_FULL' });
  t.ok(details(full).get('google.rpc.RetryInfo'));
  await running;

  const spinning = client.makeUnaryRequest(
    path('Compile'),
    identity,
    identity,
    pack('CompileRequest', raw('spin2')),
    () => undefined,
  );
  await new Promise((done) => setTimeout(done, 200));
  t.equal(service.service.pool.state.running, 1);
  spinning.cancel();
  await new Promise((done) => setTimeout(done, 300));
  t.equal(service.service.pool.state.running, 0, 'cancelling stops the work');
});

t.test('streams', async (t) => {
  const service = await testService(t, {}, true);
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const batch = client.makeBidiStreamRequest(path('CompileBatch'), identity, identity);
  for (let i = 0; i < 100; i++)
    batch.write(pack('BatchRequest', { id: `r${i}`, request: i === 50 ? {} : raw(`p${i}`) }));
  batch.end();
  const seen = new Map<unknown, Message>();
  for await (const bytes of batch as AsyncIterable<Buffer>) {
    const answer = unpack('BatchResponse', bytes);
    seen.set(answer['id'], answer);
  }
  t.equal(seen.size, 100);
  t.match(seen.get('r7'), { response: { programs: [{ name: 'p7', accepted: true }] } });
  t.match(seen.get('r50'), { error: { code: status.INVALID_ARGUMENT, message: /object/ } });

  const bytes = Buffer.from('no BTF');
  const upload = await new Promise<ServiceError | null>((resolve) => {
    const stream = client.makeClientStreamRequest(path('UploadBtf'), identity, identity, (error) => {
      resolve(error);
    });
    stream.write(
      pack('UploadBtfRequest', {
        digest: createHash('sha256').update(bytes).digest('hex'),
        chunk: bytes.subarray(0, 3),
      }),
    );
    stream.write(pack('UploadBtfRequest', { chunk: bytes.subarray(3) }));
    stream.end();
  });
  t.match(details(upload!).get('google.rpc.ErrorInfo'), { reason: 'INVALID_BTF' });
});

const PYTHON = '/usr/bin/python3';
const hasGrpc = (): boolean => {
  try {
    execFileSync(PYTHON, ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

t.test('a foreign client', { skip: hasGrpc() ? false : 'python3-grpcio is not installed (test/setup)' }, async (t) => {
  const service = await testService(t, { BPF_JITD_BODY_LIMIT: '100000' }, true);
  const script = fileURLToPath(new URL('./fixtures/foreign-client.py', import.meta.url));
  const { stdout } = await run(PYTHON, [script, service.grpcAddress], { timeout: 60_000 });
  const seen = JSON.parse(stdout) as Message;
  t.match(seen, {
    services: ['bpfjit.v1.JitService', 'grpc.health.v1.Health'],
    health: 'SERVING',
    answer: { programs: [{ name: 'foreign', accepted: true }] },
    zipped: true,
    code: 'INVALID_ARGUMENT',
    told: ['INVALID_FIELD', 'bpf-jitd.dev', 'google.rpc.BadRequest'],
    late: 'DEADLINE_EXCEEDED',
    cancelled: true,
    after: true,
    too_large: 'RESOURCE_EXHAUSTED',
  });
  for (let i = 0; i < 40 && service.service.pool.state.running > 0; i++)
    await new Promise((done) => setTimeout(done, 50));
  t.equal(service.service.pool.state.running, 0, 'what was cancelled or late is not worked on');
});
