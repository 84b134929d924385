/** One request for several kernels: an answer for each, as if it had been asked for alone, and what they say alike. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { BpfJitd } from '../../src/client/index.js';
import { CompileRequestType, CompileResponseType, encode, type Message } from '../../src/service/contract/schema.js';
import { writeJson } from '../../src/service/contract/json-write.js';
import { targetNames } from '../../src/service/targets.js';
import { raw, testService, XDP_PASS } from './fixtures/service.js';

t.setTimeout(240_000);

const UNCHECKED = readFileSync(fileURLToPath(new URL('../cli/objects/unchecked.o', import.meta.url)));
const [first, second] = targetNames() as [string, string];
const service = await testService(t);

interface Answer {
  readonly digest: string;
  readonly target: { readonly name: string };
  readonly programs: readonly { readonly name: string; readonly accepted: boolean; readonly log?: string }[];
  readonly failure?: { readonly code: string };
}
interface Many {
  readonly digest: string;
  readonly programs?: unknown;
  readonly answers: readonly Answer[];
  readonly comparisons?: readonly {
    readonly name: string;
    readonly verdicts: readonly {
      readonly answers?: readonly number[];
      readonly accepted: boolean;
      readonly errno: number;
    }[];
    readonly logs: readonly object[];
    readonly translated: readonly object[];
    readonly code: readonly object[];
  }[];
}

const targets = [{ kernel: first }, { kernel: second }, { kernel: first }];
const query = `target=${first}&target=${second}&target=${first}&logLevel=1`;
const asObject = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: UNCHECKED };

t.test('each answer is the one that a request of its own gets, and compared', async (t) => {
  const response = await fetch(`${service.url}/compile?${query}`, asObject);
  t.equal(response.status, 200);
  const many = (await response.json()) as Many;
  t.strictSame(
    many.answers.map(({ target }) => target.name),
    [first, second, first],
  );
  for (const answer of many.answers) {
    const url = `${service.url}/compile?kernel=${answer.target.name}&logLevel=1`;
    const alone = (await (await fetch(url, asObject)).json()) as Answer;
    t.strictSame(answer, alone);
    const kept = await fetch(`${service.url}/compilations/${answer.digest}`);
    t.strictSame(await kept.json(), alone, 'kept under its own digest');
  }
  const [checked, unchecked] = many.comparisons!;
  t.equal(checked!.name, 'checked');
  t.match(checked!.verdicts, [{ answers: [0, 1, 2], accepted: true }]);
  t.match(checked!.code[0], { answers: [0] });
  t.ok(checked!.code.every(({ answers }: { answers?: number[] }) => answers?.includes(0) === answers?.includes(2)));
  t.match(unchecked!.verdicts, [{ answers: [0, 1, 2], accepted: false, errno: -13, code: 'MEMORY_ACCESS' }]);
  t.notOk(unchecked!.translated, 'nothing to compare where none accepts');

  const again = await fetch(`${service.url}/compile?${query}`, asObject);
  t.match(again.headers.get('cache-status'), /hit/);
  t.strictSame(await again.json(), many);
  t.strictSame(await (await fetch(`${service.url}/compilations/${many.digest}`)).json(), many);
});

t.test('protobuf says the same', async (t) => {
  const request = { ...raw('both'), targets } as Message;
  const json = (await (await service.post(request)).json()) as Many;
  const program = { name: 'both', type: 6, license: 'GPL', instructions: XDP_PASS };
  const body = encode(CompileRequestType, { program, targets });
  const headers = { 'content-type': 'application/x-protobuf', accept: 'application/x-protobuf' };
  const response = await fetch(`${service.url}/compile`, { method: 'POST', headers, body });
  const decoded = CompileResponseType.decode(new Uint8Array(await response.arrayBuffer()));
  t.strictSame(writeJson(CompileResponseType, decoded as unknown as Message), json);
});

t.test('an object that one kernel or all refuse is an answer', async (t) => {
  const body = { object: Buffer.from('no object').toString('base64'), targets };
  const many = (await (await service.post(body)).json()) as Many;
  t.match(many.answers, [{ failure: { code: 'ELF_INVALID' } }, { failure: { code: 'ELF_INVALID' } }, {}]);
  t.notOk(many.comparisons);
});

t.test('refusals name the target', async (t) => {
  const refused = async (body: object): Promise<unknown> => (await service.post({ ...raw('x'), ...body })).json();
  t.match(await refused({ targets, target: {} }), { code: 'INVALID_FIELD', field: 'targets' });
  t.match(await refused({ targets: Array.from({ length: 65 }, () => ({})) }), { field: 'targets' });
  t.match(await refused({ targets: [{}, { kernel: 'none' }] }), { code: 'UNKNOWN_TARGET', field: 'targets[1].kernel' });
  t.match(await refused({ targets: [{}, { btfDigest: 'x' }] }), { field: 'targets[1].btfDigest' });
  t.match(await refused({ targets: [{}, { btfDigest: '0'.repeat(64) }] }), {
    ...{ code: 'UNKNOWN_BTF', field: 'targets[1].btfDigest' },
  });
});

t.test('the client asks for many', async (t) => {
  const jitd = new BpfJitd(service.url);
  const { answers, comparisons } = await jitd.compile({ object: UNCHECKED, targets });
  t.strictSame(
    answers.map(({ programs }) => programs.length),
    [2, 2, 2],
  );
  t.strictSame(comparisons[1]!.verdicts[0]!.answers, [0, 1, 2]);
});

t.test('a job holds the whole', async (t) => {
  const jitd = new BpfJitd(service.url);
  const { id } = await jitd.submitJob({ requests: [{ object: UNCHECKED, targets }] });
  const [item] = (await jitd.waitForJob(id)).items;
  t.equal((await jitd.compilation(item!.digest)).answers.length, 3);
});
