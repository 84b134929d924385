/**
 * The API as nobody should use it: requests made from the OpenAPI document with everything wrong that can be, over HTTP, and
 * hostile protobuf over gRPC. Whatever comes, the answer is one that the document allows, never a defect, and the service is
 * well afterwards. Seeded; `SEED=n FUZZ_SECONDS=600 npx tap test/fuzz/api.test.ts` goes further.
 */
import { connect } from 'node:net';
import { Client, credentials, status } from '@grpc/grpc-js';
import type tap from 'tap';
import { t } from 'tap';
import { ERRORS } from '../../src/service/errors.js';
import { raw, testService, type TestService } from '../service/fixtures/service.js';
import { faultOf } from './api/judge.js';
import { fuzzRequest, type FuzzRequest } from './api/requests.js';
import { hostileMessage } from './api/wire.js';
import { Random } from './random.js';

const SEED = Number(process.env['SEED'] ?? 20_261_125);
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 7);
const HTTP_REQUESTS = process.env['FUZZ_SECONDS'] === undefined ? 3000 : Infinity;
const GRPC_CALLS = process.env['FUZZ_SECONDS'] === undefined ? 1500 : Infinity;
const AT_ONCE = 6;
/** A client that is told to wait, and then hears nothing, has found something. */
const PATIENCE_MS = 20_000;

t.setTimeout((SECONDS * 2 + 120) * 1000);

/** Runs until so many are done, or the time is over; answers how many were. */
async function manyTimes(count: number, one: (random: Random) => Promise<void>): Promise<number> {
  const until = performance.now() + SECONDS * 1000;
  let done = 0;
  const client = async (random: Random): Promise<void> => {
    for (; done < count && performance.now() < until; done++) await one(random);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => client(new Random(SEED + i))));
  return done;
}

/** Everything that comes back; the connection is closed for sending after the request. */
function exchange(service: TestService, { bytes, broken }: FuzzRequest): Promise<Buffer> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: !broken });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined); // reset: what came before it counts
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      resolve(Buffer.concat(chunks));
    });
    socket.setTimeout(PATIENCE_MS, () => {
      reject(new Error(`no answer in ${PATIENCE_MS} ms: ${bytes.toString('latin1').slice(0, 2000)}`));
      socket.destroy();
    });
    if (broken) socket.end(bytes);
    else socket.write(bytes);
  });
}

async function isWell(t: Pick<typeof tap, 'equal' | 'strictSame'>, service: TestService): Promise<void> {
  t.equal((await fetch(`${service.url}/livez`)).status, 200);
  let last = await service.post(raw('after'));
  for (let i = 0; i < 5 && last.status === 504; i++) last = await service.post(raw('after')); // a worker comes up again
  t.equal(last.status, 200);
  for (let i = 0; i < 100 && service.service.pool.state.running > 0; i++)
    await new Promise((done) => setTimeout(done, 50));
  t.equal(service.service.pool.state.running, 0, 'nothing is left running');
  t.strictSame(
    service.logged.filter((line) => line.includes('"defect"')),
    [],
  );
}

t.test('HTTP', async (t) => {
  const service = await testService(t, { BPF_JITD_TIMEOUT: '5000', BPF_JITD_BODY_LIMIT: '4000000' });
  const faults = new Map<string, string>();
  const done = await manyTimes(HTTP_REQUESTS, async (random) => {
    const request = fuzzRequest(random);
    const fault = await faultOf(request, await exchange(service, request));
    if (fault === null) return;
    const { method, path } = request.operation;
    faults.set(`${method} ${path}: ${fault}`.slice(0, 300), request.bytes.toString('latin1').slice(0, 2000));
  });
  t.comment(`${done} requests`);
  t.ok(done > 100);
  for (const [fault, request] of faults) t.fail(fault, { request });
  await isWell(t, service);
});

t.test('gRPC', async (t) => {
  const service = await testService(t, { BPF_JITD_TIMEOUT: '5000', BPF_JITD_BODY_LIMIT: '4000000' });
  const client = new Client(service.grpcAddress, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  t.teardown(() => {
    client.close();
  });
  const identity = (bytes: Buffer): Buffer => bytes;
  const stated = new Set<number>([status.OK, ...Object.values(ERRORS).map(({ grpc }) => grpc)]);
  stated.delete(status.INTERNAL);
  const unary = ['Compile', 'GetCompilation', 'ListTargets', 'SubmitJob', 'GetJob', 'CancelJob'];
  const faults = new Map<string, string>();
  const call = (method: string, messages: readonly Buffer[]): Promise<number> =>
    new Promise((resolve) => {
      const path = `/bpfjit.v1.JitService/${method}`;
      if (unary.includes(method)) {
        client.makeUnaryRequest(path, identity, identity, messages[0]!, (error) => {
          resolve(error?.code ?? status.OK);
        });
        return;
      }
      const upload = method === 'UploadBtf';
      const stream = upload
        ? client.makeClientStreamRequest(path, identity, identity, (error) => {
            resolve(error?.code ?? status.OK);
          })
        : client.makeBidiStreamRequest(path, identity, identity);
      if (!upload) {
        stream.on('status', ({ code }: { code: number }) => {
          resolve(code);
        });
        stream.on('data', () => undefined);
      }
      stream.on('error', () => undefined);
      for (const message of messages) stream.write(message);
      stream.end();
    });
  const done = await manyTimes(GRPC_CALLS, async (random) => {
    const method = random.pick([...unary, 'Compile', 'Compile', 'CompileBatch', 'UploadBtf']);
    const messages = Array.from({ length: 1 + random.below(3) }, () => hostileMessage(random));
    const code = await call(method, messages);
    if (!stated.has(code)) {
      faults.set(
        `${method}: ${status[code] ?? code}`,
        messages.map((bytes) => bytes.toString('hex').slice(0, 500)).join(' '),
      );
    }
  });
  t.comment(`${done} calls`);
  t.ok(done > 20);
  for (const [fault, messages] of faults) t.fail(fault, { messages });
  await isWell(t, service);
});
