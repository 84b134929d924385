/** Our own XDP object over HTTP, held against what Linux made of it: log and code, to the byte. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { testService } from '../service/fixtures/service.js';

interface Recorded {
  readonly log: string;
  readonly link: Record<string, unknown>;
  readonly code: readonly string[];
}
interface Answer {
  readonly programs: readonly {
    readonly accepted: boolean;
    readonly log: string;
    readonly functions: readonly { readonly code: string }[];
  }[];
}

const recorded = JSON.parse(readFileSync(new URL('./xdp_count.kernel.json', import.meta.url), 'utf8')) as Recorded;
const object = readFileSync(new URL('../objects/xdp_count.o', import.meta.url)).toString('base64');

t.test('the answer is the kernel’s', async (t) => {
  const service = await testService(t);
  const response = await service.post({ object, options: { logLevel: 5 }, link: recorded.link });
  const [program] = ((await response.json()) as Answer).programs;
  t.equal(program?.accepted, true);
  t.equal(program?.log, recorded.log);
  t.strictSame(
    program?.functions.map(({ code }) => Buffer.from(code, 'base64').toString('hex')),
    recorded.code,
  );
});
