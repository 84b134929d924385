/** Clients that stall, in all the ways there are, and more of them than there may be: each costs a bounded time. */
import { connect, type Socket } from 'node:net';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import t from 'tap';
import { raw, testService } from './fixtures/service.js';

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What a server says on a connection until it closes it, and after how many milliseconds it does. */
async function said(url: string, ...pieces: readonly string[]): Promise<{ text: string; ms: number }> {
  const { hostname, port } = new URL(url);
  const started = performance.now();
  let text = '';
  const socket: Socket = connect(Number(port), hostname);
  socket.on('data', (data) => (text += data.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise((done) => socket.once('close', done));
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(50);
  }
  await closed;
  return { text, ms: performance.now() - started };
}

t.test('slow clients', async (t) => {
  const env = {
    BPF_JITD_RECEIVE_TIMEOUT: '900',
    BPF_JITD_TIMEOUT: '1500',
    BPF_JITD_CONNECTIONS: '20',
    BPF_JITD_BODY_MEMORY: '200000',
  };
  const service = await testService(t, env, true);
  for (let i = 0; i < 20 && (await service.post(raw('warm'))).status !== 200; i++) await sleep(500); // the worker comes up

  const silent = await said(service.url, 'POST /compile HT', 'TP/1.1\r\nhost: x\r\n');
  t.match(silent.text, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s, 'headers that do not end');
  t.ok(silent.ms < 5000, `${silent.ms} ms`);
  const head = 'POST /compile HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n';
  const half = await said(service.url, head, '{"program"', ':');
  t.match(half.text, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s, 'a body that does not end');
  t.ok(half.ms < 5000, `${half.ms} ms`);
  t.match((await said(service.url, 'NONSENSE\r\n\r\n')).text, /^HTTP\/1\.1 400 .*MALFORMED_REQUEST/s);
  const flood = `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
  t.match((await said(service.url, flood)).text, /^HTTP\/1\.1 431 .*HEADERS_TOO_LARGE/s);
  t.match(
    (await said(service.url, 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).text,
    /400 .*problem\+json/s,
  );

  const large = (name: string): string => JSON.stringify({ ...raw(name), programs: [' '.repeat(150_000)] });
  const head150 = `POST /compile HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 150000\r\n\r\n`;
  const first = said(service.url, head150, `{${' '.repeat(149_000)}`);
  await sleep(100);
  const more = await service.post(large('b'));
  t.equal(more.status, 503, 'more large bodies at a time than there is memory for');
  t.match(await more.text(), /OVERLOADED/);
  t.equal((await service.post(raw('small'))).status, 200, 'small ones pass');
  await first;
  let later = await service.post(large('b'));
  for (let i = 0; i < 100 && later.status !== 400; i++) {
    await sleep(50);
    later = await service.post(large('b'));
  }
  t.equal(later.status, 400, 'what stalled has left');

  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const identity = (bytes: Buffer): Buffer => bytes;
  const upload = await new Promise<ServiceError | null>((resolve) => {
    const path = '/bpfjit.v1.JitService/UploadBtf';
    client.makeClientStreamRequest(path, identity, identity, (error) => {
      resolve(error);
    });
  });
  t.equal(upload?.code, status.DEADLINE_EXCEEDED, 'an upload of which nothing comes');
  const batch = client.makeBidiStreamRequest('/bpfjit.v1.JitService/CompileBatch', identity, identity);
  const ended = await new Promise<ServiceError>((resolve) => {
    batch.on('error', (error) => {
      resolve(error as ServiceError);
    });
    batch.resume();
  });
  t.equal(ended.code, status.DEADLINE_EXCEEDED, 'a stream on which nothing happens');

  const { hostname, port } = new URL(service.url);
  const crowd = Array.from({ length: 40 }, () => connect(Number(port), hostname).on('error', () => undefined));
  const gone = crowd.map((socket) => new Promise((done) => socket.once('close', done)));
  await Promise.race(gone);
  await sleep(100);
  const left = crowd.filter((socket) => !socket.destroyed && socket.readable).length;
  t.ok(left <= 20, `${left} connections are kept`);
  for (const socket of crowd) socket.destroy();
  await sleep(50);
  t.equal((await service.post(raw('after'))).status, 200);
});
