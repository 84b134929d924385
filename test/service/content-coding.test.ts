/** Content-Encoding in both directions: every coding, bombs, damage, and entity tags. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { Zstd } from '@hpcc-js/wasm-zstd';
import t from 'tap';
import { decodeZstd } from '../../src/service/zstd.js';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** Past fetch, which decodes by itself. */
function ask(url: string, method: string, headers: Record<string, string>, body?: Uint8Array): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Long enough that its answer is worth compressing. */
const long = (name: string): Buffer => {
  const { program } = raw(name) as { program: object };
  const nops = Buffer.concat([...Array<Buffer>(200).fill(Buffer.from('b700000001000000', 'hex')), XDP_PASS]);
  return Buffer.from(JSON.stringify({ program: { ...program, instructions: nops.toString('base64') } }));
};

t.test('content codings', async (t) => {
  const zstd = await Zstd.load();
  const service = await testService(t, { BPF_JITD_BODY_LIMIT: '200000' });
  const json = { 'content-type': 'application/json' };
  const post = (headers: Record<string, string>, body: Uint8Array): Promise<Reply> =>
    ask(`${service.url}/compile`, 'POST', { ...json, ...headers }, body);
  const code = ({ bytes }: Reply): unknown => (JSON.parse(bytes.toString()) as { code?: unknown }).code;
  const encoders: Readonly<Record<string, (bytes: Buffer) => Uint8Array>> = {
    gzip: (bytes) => gzipSync(bytes),
    'x-gzip': (bytes) => gzipSync(bytes),
    deflate: (bytes) => deflateSync(bytes),
    br: (bytes) => brotliCompressSync(bytes),
    zstd: (bytes) => zstd.compress(bytes),
  };
  const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer | Promise<Buffer>>> = {
    gzip: (bytes) => gunzipSync(bytes),
    br: (bytes) => brotliDecompressSync(bytes),
    zstd: (bytes) => decodeZstd(bytes, 1e7),
  };
  const plain = await post({}, long('p'));
  t.equal(plain.status, 200);
  t.ok(plain.bytes.length > 1024);
  t.equal(plain.headers.vary, 'accept, accept-encoding');

  await t.test('in', async (t) => {
    for (const [coding, encode] of Object.entries(encoders)) {
      const answer = await post({ 'content-encoding': coding }, encode(long('p')));
      t.equal(answer.status, 200, coding);
      t.match(answer.headers['cache-status'], /hit; detail=memory/, 'the same bytes, the same question');
    }
    const frame = encoders['zstd']!(long('p'));
    const twice = await post({ 'content-encoding': 'zstd' }, Buffer.concat([frame, frame]));
    t.equal(code(twice), 'MALFORMED_BODY', 'two frames are one text after another');
  });

  await t.test('bombs and damage', async (t) => {
    const zeros = Buffer.alloc(64 * 1024 * 1024);
    for (const [coding, encode] of Object.entries(encoders)) {
      const bomb = encode(zeros);
      if (bomb.length > 200_000) continue;
      const before = process.memoryUsage().arrayBuffers;
      const answer = await post({ 'content-encoding': coding }, bomb);
      t.strictSame([answer.status, code(answer)], [413, 'BODY_TOO_LARGE'], `${coding}: ${bomb.length} bytes`);
      t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024, 'and most of it never was');
      const cut = await post({ 'content-encoding': coding }, encode(long('cut')).subarray(0, -7));
      t.equal(code(cut), 'MALFORMED_BODY', `${coding}, cut short`);
      t.equal(code(await post({ 'content-encoding': coding }, long('p'))), 'MALFORMED_BODY', `no ${coding} at all`);
    }
    // A frame that says it needs a window of 1 GiB: magic, descriptor, window, one empty block.
    const greedy = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00]);
    t.equal(code(await post({ 'content-encoding': 'zstd' }, greedy)), 'BODY_TOO_LARGE');
    const unknown = await post({ 'content-encoding': 'lzma' }, long('p'));
    t.equal(unknown.status, 415);
    t.equal(unknown.headers['accept-encoding'], 'gzip, deflate, br, zstd');
    t.equal((await post({ 'content-encoding': 'gzip, br' }, long('p'))).status, 415);
    const form = { 'content-type': 'multipart/form-data; boundary=x', 'content-encoding': 'gzip' };
    t.equal((await post(form, gzipSync('--x--\r\n'))).status, 415);
    const type = { 'content-type': 'text/xml', 'content-encoding': 'gzip' };
    t.equal((await post(type, gzipSync(long('p')))).status, 415);
    t.equal(
      (await ask(`${service.url}/livez`, 'GET', { 'content-encoding': 'lzma' })).status,
      200,
      'no body, no coding',
    );
  });

  await t.test('damaged bodies that nobody reads', async (t) => {
    for (const [coding, encode] of Object.entries(encoders)) {
      for (const [method, type] of [
        ['TRACE', 'application/json'],
        ['POST', 'text/xml'],
      ] as const) {
        const cut = encode(Buffer.from('{}')).subarray(0, -1);
        const socket = connect(Number(new URL(service.url).port));
        const head = `${method} /compile HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-encoding: ${coding}\r\n`;
        socket.write(Buffer.concat([Buffer.from(`${head}content-length: ${cut.length}\r\n\r\n`), cut]));
        const [answer] = (await once(socket, 'data')) as [Buffer];
        t.match(answer.toString(), method === 'TRACE' ? /^HTTP\/1.1 405/ : /^HTTP\/1.1 415/);
        await new Promise((done) => setTimeout(done, 50));
        socket.destroy();
      }
    }
    t.equal((await ask(`${service.url}/livez`, 'GET', {})).status, 200, 'end nothing');
  });

  await t.test('out', async (t) => {
    const coded = async (accept: string, name = 'p'): Promise<Reply> => post({ 'accept-encoding': accept }, long(name));
    for (const [coding, decode] of Object.entries(decoders)) {
      const first = await coded(coding);
      t.equal(first.headers['content-encoding'], coding);
      t.equal(first.headers.etag, `W/${String(plain.headers.etag)}`);
      t.strictSame(await decode(first.bytes), plain.bytes, coding);
      const again = await coded(coding);
      t.strictSame([again.bytes, again.headers.etag], [first.bytes, first.headers.etag], 'a hit');
      t.equal(again.headers.vary, 'accept, accept-encoding');
      const cold = await coded(coding, `cold${coding}`);
      t.match(cold.headers['cache-status'], /stored/);
      t.match(JSON.parse((await decode(cold.bytes)).toString()), { programs: [{ name: `cold${coding}` }] });
      const same = await post({ 'accept-encoding': coding, 'if-none-match': String(first.headers.etag) }, long('p'));
      t.equal(same.status, 304);
      t.equal(same.headers['content-encoding'], undefined);
    }
    t.equal((await coded('deflate, gzip, br, zstd')).headers['content-encoding'], 'br');
    t.equal((await coded('gzip;q=1, br;q=0.5')).headers['content-encoding'], 'gzip');
    t.equal((await coded('br;q=0, *')).headers['content-encoding'], 'zstd');
    t.equal((await coded('identity, gzip;q=0.5')).headers['content-encoding'], undefined);
    t.equal((await coded('snappy')).headers['content-encoding'], undefined);
    t.equal((await coded('identity;q=0, gzip;q=nonsense')).headers['content-encoding'], undefined);
    const document = await ask(`${service.url}/openapi.json`, 'GET', { 'accept-encoding': 'gzip' });
    t.equal(document.headers['content-encoding'], 'gzip');
    t.equal(document.headers.vary, 'accept-encoding');
    t.match(JSON.parse(gunzipSync(document.bytes).toString()), { openapi: '3.1.0' });
    const problem = await post({ 'accept-encoding': 'gzip' }, Buffer.from('{'));
    t.equal(problem.headers['content-encoding'], undefined, 'small ones go as they are');
  });
});
