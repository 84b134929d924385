/** multipart/form-data as clients send it, and as they should not. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { XDP_PASS, testService } from './fixtures/service.js';

const TYPE = { 'content-type': 'multipart/form-data; boundary=x' };

/** A part; one with a file's name is a file. */
const part = (name: string, content: string, file?: string): string =>
  `--x\r\ncontent-disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n${content}\r\n`;
const form = (...parts: string[]): string => `${parts.join('')}--x--\r\n`;

t.test('forms', async (t) => {
  const service = await testService(t, { BPF_JITD_BODY_LIMIT: '2000000' });
  const refusal = async (body: string, headers = TYPE): Promise<string> => {
    const response = await service.post(body, headers);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    return `${response.status} ${code} ${detail}`;
  };

  const object = part('object', 'no object', 'a.o');
  t.match(await refusal(form(object)), /422 INVALID_OBJECT/, 'a file arrives');
  t.match(await refusal(form(part('object', '', 'a.o'), part('logLevel', 'x'))), /400 INVALID_FIELD .*logLevel/);
  t.match(await refusal(form(object, part('logLevel', ''))), /422 INVALID_OBJECT/, 'an empty input says nothing');
  t.match(await refusal(form(part('logLevel', '1'), part('logLevel', '2'))), /query\.logLevel: is given twice/);
  t.match(await refusal(form(part('__proto__', 'a'))), /400 INVALID_FIELD query\.__proto__: unknown parameter/);
  t.match(await refusal(form(part('other', 'a', 'a.o'))), /files are named object, btf and attachObject/);

  t.match(await refusal(form(part('object', 'a'.repeat(2_000_001), 'a.o'))), /413 BODY_TOO_LARGE a part is larger/);
  t.match(await refusal(form(part('programs', 'a'.repeat(1_100_000)))), /413 BODY_TOO_LARGE/, 'no field is cut short');
  t.match(await refusal(form(object, object)), /400 INVALID_FIELD object: is given twice/);
  t.match(await refusal(form(...Array.from({ length: 4 }, () => object))), /413 BODY_TOO_LARGE too many/);
  t.match(await refusal(form(...Array.from({ length: 33 }, () => part('a', 'b')))), /413 BODY_TOO_LARGE too many/);

  t.match(await refusal(object), /400 MALFORMED_BODY/, 'no end');
  t.match(await refusal('nothing of the kind'), /400 MALFORMED_BODY/);
  t.match(await refusal(form(object), { 'content-type': 'multipart/form-data' }), /400 MALFORMED_BODY/, 'no boundary');
  t.equal((await service.post(XDP_PASS.toString('latin1'))).status, 400, 'and the service is well');

  const socket = connect(Number(new URL(service.url).port));
  await once(socket, 'connect');
  const head = `POST /compile HTTP/1.1\r\nhost: a\r\ncontent-type: ${TYPE['content-type']}\r\n`;
  const many = form(...Array.from({ length: 4 }, () => object));
  socket.write(`${head}content-length: ${many.length}\r\n\r\n${many}`);
  t.match(await answer(socket), /^HTTP\/1.1 413/);
  socket.write(`${head}content-length: ${form(object).length}\r\n\r\n${form(object)}`);
  t.match(await answer(socket), /^HTTP\/1.1 422/, 'a refused form leaves the connection as it should be');
  socket.write(`${head}content-length: 1000\r\n\r\n${object}`);
  socket.destroy();
  const before = Date.now();
  while (service.service.metrics.httpInFlight > 0 && Date.now() - before < 2000) await new Promise(setImmediate);
  t.equal(service.service.metrics.httpInFlight, 0, 'one whose client has gone is given up');
});

async function answer(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}
