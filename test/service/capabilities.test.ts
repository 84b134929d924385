/** What the loading process may do, in every form of a request: one form, one digest, and the answer of such a process. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { raw, testService } from './fixtures/service.js';

interface Answer {
  readonly code?: string;
  readonly detail?: string;
  readonly digest: string;
  readonly programs: readonly {
    readonly accepted: boolean;
    readonly errno: number;
    readonly failure?: { message: string };
  }[];
}

const OBJECT = readFileSync(new URL('../objects/xdp_count.o', import.meta.url));

t.test('the member of options', async (t) => {
  const service = await testService(t);
  const ask = async (capabilities?: Record<string, boolean>): Promise<Answer> => {
    const options = capabilities === undefined ? {} : { capabilities };
    return (await (await service.post({ ...raw('pass'), options })).json()) as Answer;
  };
  const root = await ask();
  t.equal(root.programs[0]!.accepted, true, 'everything where absent');
  const none = await ask({});
  t.equal(none.programs[0]!.errno, -1, 'an XDP program takes CAP_BPF');
  t.not(none.digest, root.digest);
  t.equal((await ask({ bpf: false, perfmon: false })).digest, none.digest, 'false is absent');
  t.equal((await ask({ bpf: true })).programs[0]!.errno, -1, 'and CAP_NET_ADMIN');
  const able = await ask({ netAdmin: true, bpf: true });
  t.equal(able.programs[0]!.accepted, true);
  t.equal((await ask({ bpf: true, netAdmin: true })).digest, able.digest, 'in any order');
  t.equal((await ask({ sysAdmin: true })).programs[0]!.accepted, true, 'CAP_SYS_ADMIN stands for both');
  const refused = await ask({ sysTime: true });
  t.equal(refused.code, 'INVALID_FIELD');
  t.match(refused.detail, /options\.capabilities\.sysTime/);
});

t.test('names in the query', async (t) => {
  const service = await testService(t);
  const ask = async (query: string): Promise<Answer> => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(`${service.url}/compile?${query}`, { method: 'POST', headers, body: OBJECT });
    return (await response.json()) as Answer;
  };
  t.equal((await ask('')).programs[0]!.accepted, true);
  t.equal((await ask('capabilities=none')).programs[0]!.errno, -1);
  t.equal((await ask('capabilities=CAP_BPF')).programs[0]!.errno, -1);
  const leaking = await ask('capabilities=CAP_BPF,CAP_NET_ADMIN&logLevel=1');
  t.match(leaking.programs[0]!.failure?.message, /^R6 pointer -= pointer prohibited/, 'it measures the packet');
  t.equal((await ask('capabilities=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON')).programs[0]!.accepted, true);
  const refused = await ask('capabilities=CAP_CHOWN');
  t.equal(refused.code, 'INVALID_FIELD');
  t.match(refused.detail, /capabilities\.chown/);
});
