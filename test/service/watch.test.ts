/** Watching a job asks for what happened, and nothing that grows with the job. */
import t from 'tap';
import { HAPPENINGS_PAGE, type JobBackend } from '../../src/service/jobs/backend.js';
import type { JobHappening, JobItem } from '../../src/service/jobs/job.js';
import { watchJob } from '../../src/service/jobs/watch.js';

const ITEMS = 2 * HAPPENINGS_PAGE + 50;
const all: readonly JobHappening[] = [
  ...Array.from({ length: ITEMS }, (_, i) => ({ id: String(i + 1), item: { index: i } as JobItem })),
  { id: String(ITEMS + 1), item: null },
];

/** A job of which the first `told.count` happenings have happened, told a page at a time as Redis does. */
function backend(told: { count: number; listener: () => void }, calls: string[]): JobBackend {
  return {
    happenings: (_id: string, after: string) => {
      calls.push('happenings');
      const from = after === '' ? 0 : Number(after);
      return Promise.resolve(all.slice(from, Math.min(told.count, from + HAPPENINGS_PAGE)));
    },
    ended: () => {
      calls.push('ended');
      return Promise.resolve(told.count === all.length);
    },
    read: () => {
      calls.push('read');
      return Promise.resolve(null);
    },
    watch: (_id: string, listener: () => void) => {
      told.listener = listener;
      return Promise.resolve(() => undefined);
    },
  } as unknown as JobBackend;
}

t.test('a job that is done is told page by page, without waiting', async (t) => {
  const calls: string[] = [];
  const told = { count: all.length, listener: () => undefined };
  const seen: string[] = [];
  for await (const { id } of watchJob(backend(told, calls), 'job', '', new AbortController().signal, () => undefined))
    seen.push(id);
  t.strictSame(
    seen,
    all.map(({ id }) => id),
  );
  t.strictSame(calls, ['happenings', 'happenings', 'happenings']);
});

t.test('each ring is one question', async (t) => {
  const calls: string[] = [];
  const told = { count: 1, listener: (): void => undefined };
  let seen = 0;
  for await (const { id } of watchJob(backend(told, calls), 'job', '', new AbortController().signal, () => undefined)) {
    t.equal(id, String(++seen));
    if (seen === 20) told.count = all.length;
    else if (seen < 20) told.count++;
    setImmediate(() => {
      told.listener();
    });
  }
  t.equal(seen, all.length);
  t.notOk(calls.includes('read'), 'the job as a whole is never read');
  t.ok(
    calls.filter((call) => call === 'happenings').length <= 25,
    `${calls.length} questions for 20 rings and 3 pages`,
  );
});

t.test('who has seen the end already is told so', async (t) => {
  const calls: string[] = [];
  const told = { count: all.length, listener: () => undefined };
  const last = all.at(-1)!.id;
  for await (const { id } of watchJob(backend(told, calls), 'job', last, new AbortController().signal, () => undefined))
    t.fail(id);
  t.strictSame(calls, ['happenings', 'ended', 'happenings']);
});
