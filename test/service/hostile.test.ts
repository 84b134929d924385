/**
 * Small requests that once stopped the service, or had it hold much: each is refused or answered, and meanwhile the event loop goes
 * on turning: what its thread did is told by that thread's processor time, which other processes do not lengthen.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Client, credentials } from '@grpc/grpc-js';
import t from 'tap';
import { CompileRequestType, encode, messageType } from '../../src/service/contract/schema.js';
import { raw, testService, XDP_PASS, type TestService } from './fixtures/service.js';

const MIB = 1024 * 1024;
/** An empty zstd frame that asks for a window of 32 MiB. */
const EMPTY_FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 15 << 3, 0x01, 0x00, 0x00]);

/** Milliseconds of processor time that the event loop's thread has taken (proc(5): utime and stime, in hundredths of a second). */
function loopTime(): number {
  const fields = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function problem(response: Response): Promise<string> {
  return ((await response.json()) as { code?: string }).code ?? 'none';
}

async function warm(service: TestService): Promise<void> {
  const large = { ...raw('warm'), programs: [' '.repeat(20_000)] };
  await service.post(large); // the threads that read come up
}

t.test('modules that are bombs', async (t) => {
  const service = await testService(t);
  const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 }).toString('base64');
  const modules = Array.from({ length: 16 }, (_, i) => ({ name: `m${i}`, btf: bomb }));
  const body = gzipSync(JSON.stringify({ ...raw('p'), target: { modules } }));
  t.ok(body.length < 100_000, `${body.length} bytes`);
  await warm(service);
  const before = process.memoryUsage().arrayBuffers;
  const began = loopTime();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 10);
  const answer = await service.post(body, { 'content-encoding': 'gzip' });
  clearInterval(watch);
  t.equal(answer.status, 422);
  t.match(await problem(answer), /INVALID_BTF/);
  t.ok(loopTime() - began < 1000, 'the event loop did not inflate them');
  t.ok(most - before < 64 * MIB, `main thread: ${most - before} bytes`);
  t.equal((await service.post(raw('after'))).status, 200);
});

t.test('a deadline stops inflating', async (t) => {
  const service = await testService(t);
  const bomb = gzipSync(Buffer.alloc(120 * MIB), { level: 9 }).toString('base64');
  const body = JSON.stringify({ ...raw('p'), target: { modules: [{ name: 'm', btf: bomb }] } });
  await warm(service);
  const answer = await service.post(body, { prefer: 'wait=0' });
  t.equal(answer.status, 504);
  t.equal((await service.post(raw('after'))).status, 200);
});

t.test('codings that are cheap to send', async (t) => {
  const service = await testService(t);
  await warm(service);
  const many = Buffer.concat(Array<Buffer>(7000).fill(EMPTY_FRAME));
  const members = Buffer.concat(Array<Buffer>(20_000).fill(gzipSync('')));
  const cases: [string, string, Buffer][] = [
    ['zstd', 'BODY_TOO_LARGE', many],
    ['gzip', 'MALFORMED_BODY', members],
    ['br', 'BODY_TOO_LARGE', brotliCompressSync(Buffer.alloc(40 * MIB))],
    ['gzip', 'BODY_TOO_LARGE', gzipSync(Buffer.alloc(40 * MIB))],
  ];
  for (const [coding, code, body] of cases) {
    const headers = { 'content-encoding': coding };
    const before = loopTime();
    t.equal(await problem(await service.post(body, headers)), code, `${coding}, ${body.length} bytes`);
    const took = loopTime() - before;
    t.ok(took < 1000, `the event loop's thread was at it for ${took} ms`);
  }
});

t.test('idle connections reserve nothing', async (t) => {
  const service = await testService(t, { BPF_JITD_BODY_MEMORY: String(2 * MIB), BPF_JITD_BODY_LIMIT: String(MIB) });
  const { hostname, port } = new URL(service.url);
  const head = 'POST /compile HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n';
  const idle = Array.from({ length: 40 }, () => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`);
    return socket;
  });
  await new Promise((done) => setTimeout(done, 300));
  const large = await service.post({ ...raw('p'), programs: [' '.repeat(300_000)] });
  t.equal(await problem(large), 'INVALID_FIELD', 'a large body is read');
  for (const socket of idle) socket.destroy();
});

t.test('a stream that sends and never reads is not read on', async (t) => {
  const service = await testService(t);
  const nops = Buffer.concat([...Array<Buffer>(2000).fill(Buffer.from('b700000001000000', 'hex')), XDP_PASS]);
  const request = { program: { name: 'big', type: 6, license: 'GPL', instructions: nops }, options: { logLevel: 2 } };
  const bytes = Buffer.from(messageType('bpfjit.v1.BatchRequest').encode({ id: 'i', request }).finish());
  const frame = Buffer.concat([Buffer.alloc(5), bytes]);
  frame.writeUInt32BE(bytes.length, 1);
  const session = connectHttp2(`http://${service.grpcAddress}`);
  t.teardown(() => {
    session.destroy();
  });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/bpfjit.v1.JitService/CompileBatch',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.pause();
  let sent = 0;
  for (let stalled = false; !stalled && sent < 3000; sent++) {
    if (stream.write(frame)) continue;
    const drained = once(stream, 'drain').then(() => false);
    stalled = await Promise.race([drained, new Promise<true>((done) => setTimeout(done, 5000, true))]);
  }
  t.ok(sent < 3000, `${sent} requests of ${frame.length} bytes were taken`);
  t.equal((await service.post(raw('after'))).status, 200);
});

t.test('an upload in pieces of one byte', async (t) => {
  const service = await testService(t);
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const same = (bytes: Buffer): Buffer => bytes;
  const PIECES = 10_000;
  const chunk = Buffer.from(
    messageType('bpfjit.v1.UploadBtfRequest')
      .encode({ chunk: Buffer.of(1) })
      .finish(),
  );
  const code = await new Promise<number>((resolve) => {
    const call = client.makeClientStreamRequest('/bpfjit.v1.JitService/UploadBtf', same, same, (error) => {
      resolve(error?.code ?? 0);
    });
    void (async () => {
      for (let i = 0; i < PIECES; i++) if (!call.write(chunk)) await once(call, 'drain');
      call.end();
    })();
  });
  t.equal(code, 3, 'it is no BTF');
});

t.test('gRPC messages hold what has come of them', async (t) => {
  const service = await testService(t, { BPF_JITD_BODY_MEMORY: String(2 * MIB), BPF_JITD_BODY_LIMIT: String(MIB) });
  const session = connectHttp2(`http://${service.grpcAddress}`);
  t.teardown(() => {
    session.destroy();
  });
  session.on('error', () => undefined);
  const statuses: string[] = [];
  for (let i = 0; i < 8; i++) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/bpfjit.v1.JitService/Compile',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    const note = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) statuses.push(String(headers['grpc-status']));
    };
    stream.on('response', note).on('trailers', note);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(900_000, 1);
    stream.write(head);
    stream.write(Buffer.alloc(600_000)); // and no more
  }
  for (let i = 0; i < 200 && statuses.length === 0; i++) await new Promise((done) => setTimeout(done, 50));
  t.ok(statuses.length > 0 && statuses.every((status) => status === '14'), `refused: ${statuses.join(', ')}`);
  const small = encode(CompileRequestType, { program: { name: 'p', type: 6, license: 'GPL', instructions: XDP_PASS } });
  t.ok(small.length < 100);
  t.equal((await service.post(raw('after'))).status, 200);
});
