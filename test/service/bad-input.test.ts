/** What clients send that is not right: each a clear problem that names the place. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly field?: string;
  readonly failure?: { readonly section?: string; readonly code?: string };
}

const object = readFileSync(new URL('../objects/xdp_count.o', import.meta.url));

t.test('bad input', async (t) => {
  const service = await testService(t, { BPF_JITD_BODY_LIMIT: '200000' });
  const expect = async (response: Response, status: number, code: string, field?: string): Promise<Problem> => {
    const problem = (await response.json()) as Problem;
    t.equal(response.headers.get('content-type'), 'application/problem+json');
    t.match(problem, { status, code, ...(field === undefined ? {} : { field }) }, `${code} ${problem.detail}`);
    t.equal(response.status, status);
    return problem;
  };
  const program = (more: Record<string, unknown>): unknown => ({
    program: { ...(raw('p')['program'] as object), ...more },
  });
  const elf = (bytes: Uint8Array, query = ''): Promise<Response> =>
    fetch(`${service.url}/compile${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(bytes),
    });

  await expect(await service.post('{"program": '), 400, 'MALFORMED_BODY');
  await expect(await service.post(Buffer.from([0x22, 0xff, 0x22])), 400, 'MALFORMED_BODY');
  await expect(await service.post('[]'), 400, 'INVALID_FIELD', '');
  await expect(await service.post({}), 400, 'INVALID_FIELD', 'object');
  await expect(await service.post({ object: '' }), 400, 'INVALID_FIELD', 'object');
  await expect(await service.post({ progam: {} }), 400, 'INVALID_FIELD', 'progam');
  await expect(await service.post({ ...raw('p'), object: 'AAAA' }), 400, 'INVALID_FIELD', 'program');
  await expect(
    await service.post({ ...raw('p'), target: { kernel: 'linux-0.1' } }),
    422,
    'UNKNOWN_TARGET',
    'target.kernel',
  );
  await expect(
    await service.post({ ...raw('p'), target: { btfDigest: 'abc' } }),
    400,
    'INVALID_FIELD',
    'target.btfDigest',
  );
  await expect(
    await service.post({ ...raw('p'), target: { btfDigest: 'a'.repeat(64) } }),
    422,
    'UNKNOWN_BTF',
    'target.btfDigest',
  );
  await expect(await service.post({ ...raw('p'), options: { logLevel: 8 } }), 400, 'INVALID_FIELD', 'options.logLevel');
  await expect(
    await service.post({ ...raw('p'), link: { functions: ['12'] } }),
    400,
    'INVALID_FIELD',
    'link.functions[0]',
  );
  const short = XDP_PASS.subarray(0, 12).toString('base64');
  await expect(await service.post(program({ instructions: short })), 400, 'INVALID_FIELD', 'program.instructions');
  await expect(await service.post(program({ instructions: '' })), 400, 'INVALID_FIELD', 'program.instructions');
  const huge = program({ maps: [{ mapExtra: '18446744073709551616' }] });
  await expect(await service.post(huge), 400, 'INVALID_FIELD', 'program.maps[0].mapExtra');
  await expect(await service.post('x'.repeat(200_001)), 413, 'BODY_TOO_LARGE');
  await expect(await service.post('<a/>', { 'content-type': 'text/xml' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  await expect(await service.post(raw('p'), { accept: 'text/html' }), 406, 'NOT_ACCEPTABLE');
  const forgotten = await service.post(raw('p'), { 'content-type': 'application/x-www-form-urlencoded' });
  t.match((await expect(forgotten, 415, 'UNSUPPORTED_MEDIA_TYPE')).detail, 'content-type: application/json');
  const shortened = await expect(await service.post(program({ type: 'xdp' })), 400, 'INVALID_FIELD', 'program.type');
  t.equal(shortened.detail, 'program.type: "xdp" is no ProgramType; BPF_PROG_TYPE_XDP is');
  const none = await expect(await service.post(program({ type: 'ebpf' })), 400, 'INVALID_FIELD', 'program.type');
  t.equal(none.detail, 'program.type: "ebpf" is no ProgramType');
  const protobuf = { 'content-type': 'application/x-protobuf' };
  await expect(await service.post(Buffer.from([0x0a, 0x7f]), protobuf), 400, 'MALFORMED_BODY');
  await expect(await fetch(`${service.url}/nowhere`), 404, 'NOT_FOUND');
  await expect(await fetch(`${service.url}/jobs/1/2`), 404, 'NOT_FOUND');
  for (const [method, path, allow] of [
    ['GET', '/compile', 'POST'],
    ['OPTIONS', '/targets?all', 'GET, HEAD'],
    ['PUT', '/jobs/1', 'DELETE, GET, HEAD'],
    ['POST', '/docs/static/index.css', 'GET, HEAD'],
  ] as const) {
    const refused = await fetch(`${service.url}${path}`, { method });
    t.equal(refused.headers.get('allow'), allow);
    await expect(refused, 405, 'METHOD_NOT_ALLOWED');
  }
  await expect(await fetch(`${service.url}/compilations/xyz`), 400, 'INVALID_DIGEST');
  await expect(await fetch(`${service.url}/compilations/${'0'.repeat(64)}`), 404, 'NOT_FOUND');
  await expect(await elf(object, '?nonsense=1'), 400, 'INVALID_FIELD', 'query.nonsense');
  await expect(await elf(object, '?logLevel=x'), 400, 'INVALID_FIELD', 'options.logLevel');
  await expect(await elf(Buffer.alloc(0)), 400, 'INVALID_FIELD', 'object');

  const changed = (at: number, ...bytes: readonly number[]): Buffer => {
    const copy = Buffer.from(object);
    bytes.forEach((byte, i) => (copy[at + i] = byte));
    return copy;
  };
  const objects: readonly [string, Buffer][] = [
    ['no ELF', Buffer.from('#!/bin/sh\n')],
    ['a header cut short', object.subarray(0, 40)],
    ['sections cut off', object.subarray(0, object.length / 2)],
    ['x86-64', changed(18, 0x3e, 0)],
    ['big-endian BPF', changed(5, 2)],
    ['32-bit', changed(4, 1)],
    ['a section table near 2^64', changed(0x28, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ];
  for (const [name, bytes] of objects) {
    const problem = await expect(await elf(bytes), 422, 'INVALID_OBJECT', 'object');
    t.ok(problem.failure?.code, `${name}: ${problem.failure?.code ?? ''} ${problem.detail}`);
  }

  const wrong = await fetch(`${service.url}/btf/${'1'.repeat(64)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: 'BTF',
  });
  await expect(wrong, 422, 'DIGEST_MISMATCH');
  const garbage = gzipSync('no BTF at all');
  const digest = createHash('sha256').update(garbage).digest('hex');
  const kept = await fetch(`${service.url}/btf/${digest}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: garbage,
  });
  await expect(kept, 422, 'INVALID_BTF');

  // A map index out of range is what bpf(2) refuses: a good answer, whose words name the place.
  const index = Buffer.concat([Buffer.from('18110000070000000000000000000000', 'hex'), XDP_PASS]);
  const answer = (await (
    await service.post({ ...(program({ instructions: index.toString('base64') }) as object), options: { logLevel: 1 } })
  ).json()) as {
    readonly programs: readonly {
      readonly accepted: boolean;
      readonly errno: number;
      readonly failure: { readonly message?: string };
    }[];
  };
  t.match(answer.programs[0], { accepted: false, failure: { message: /^fd \d+ is not pointing to valid bpf_map$/ } });
});
