/** What programs are attached to and what modules they use, asked over HTTP. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { testService } from './fixtures/service.js';

const file = (name: string): Buffer => readFileSync(new URL(`../${name}`, import.meta.url));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const OCTETS = { 'content-type': 'application/octet-stream' };
const conntrack = brotliDecompressSync(file('modules/nf_conntrack.btf.br'));

interface Answer {
  readonly programs: readonly { readonly accepted: boolean; readonly failure?: { readonly code?: string } }[];
  readonly code?: string;
  readonly field?: string;
}

t.test('a program of another object as the target', async (t) => {
  const service = await testService(t);
  const object = base64(file('attach/attached.o'));
  const ask = async (programs: string[], attachProgram: object): Promise<Answer> =>
    (await (await service.post({ object, programs, attachProgram })).json()) as Answer;
  const target = { object: base64(file('attach/targets.o')), name: 'xdp_main' };
  t.match(await ask(['replaced'], target), { programs: [{ accepted: true }] });
  t.match(await ask(['of_nothing'], { ...target, function: 'check' }), { programs: [{ accepted: true }] });
  const extension = { name: 'replaced', attachProgram: target };
  t.match(await ask(['enters_extension'], extension), { programs: [{ accepted: true }] }, 'of the same object');
  t.match(await ask(['replaced'], { ...target, name: 'no_such' }), { code: 'INVALID_OBJECT' });
  t.match(await ask(['replaced'], {}), { code: 'INVALID_FIELD', field: 'attachProgram.name' });
  const deep = [1, 2, 3].reduce((inner) => ({ ...target, attachProgram: inner }), target as object);
  t.match(await ask(['replaced'], deep), { code: 'INVALID_FIELD', field: /attachProgram\.attachProgram/ });

  const form = new FormData();
  form.append('object', new Blob([file('attach/attached.o')]));
  form.append('attachObject', new Blob([file('attach/targets.o')]));
  const url = `${service.url}/compile?programs=replaced&attachProgram=xdp_main`;
  const answer = (await (await fetch(url, { method: 'POST', body: form })).json()) as Answer;
  t.match(answer, { programs: [{ accepted: true }] }, 'as a form');
  form.append('btf', new Blob(['no btf']));
  const refused = (await (await fetch(url, { method: 'POST', body: form })).json()) as Answer;
  t.match(refused, { code: 'INVALID_BTF' }, 'with all three files');
});

t.test('modules, in the request or uploaded', async (t) => {
  const service = await testService(t);
  const object = base64(file('modules/modules.o'));
  const ask = async (programs: string[], modules: readonly object[]): Promise<Answer> =>
    (await (await service.post({ object, programs, target: { modules } })).json()) as Answer;
  const name = 'nf_conntrack';
  t.match(await ask(['leaves'], []), { programs: [{ failure: { code: 'EXTERN_NOT_FOUND' } }] }, 'without');
  const packed = gzipSync(conntrack);
  t.match(await ask(['leaves'], [{ name, btf: base64(packed) }]), { programs: [{ accepted: true }] });
  const digest = createHash('sha256').update(packed).digest('hex');
  t.match(await ask(['leaves'], [{ name, btfDigest: digest }]), {
    code: 'UNKNOWN_BTF',
    field: 'target.modules[0].btfDigest',
  });
  t.equal((await fetch(`${service.url}/btf/${digest}`, { method: 'PUT', headers: OCTETS, body: packed })).status, 201);
  t.match(await ask(['leaves'], [{ name, btfDigest: digest }]), { programs: [{ accepted: true }] });
  const broken = { name, btf: base64(conntrack.subarray(0, 1000)) };
  t.match(await ask(['leaves'], [broken]), { code: 'INVALID_BTF', field: 'target.modules[0].btf' });
  t.match(await ask(['leaves'], [{ name: 'no name', btf: 'AAAA' }]), { field: 'target.modules[0].name' });
  t.match(await ask(['leaves'], [{ name }]), { code: 'INVALID_FIELD', field: 'target.modules[0].btf' });
});
