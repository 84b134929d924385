/** What happens to a job, in order, from wherever a client left off. */
import { Bell } from '../cluster/bell.js';
import { HAPPENINGS_PAGE, type JobBackend } from './backend.js';
import type { JobHappening } from './job.js';

/** Milliseconds after which is looked again, told or not. */
const LOOK_AGAIN = 2000;

/** Ends with the job's end, when the job is forgotten, or when the signal is aborted. Throws what `check` throws, which is asked often. */
export async function* watchJob(
  backend: JobBackend,
  id: string,
  last: string,
  signal: AbortSignal,
  check: () => void,
): AsyncGenerator<JobHappening> {
  const bell = new Bell();
  const leave = await backend.watch(id, () => {
    bell.ring();
  });
  try {
    let over = false;
    for (let after = last; !signal.aborted; await bell.wait(LOOK_AGAIN, signal)) {
      check();
      const happened = await orUnknown(backend.happenings(id, after));
      if (happened === 'unknown') continue; // Redis is away
      for (const happening of happened) {
        yield happening;
        after = happening.id;
        if (happening.item === null) return;
      }
      if (happened.length === 0 && over) return; // who has seen the end already
      over = happened.length === 0 && (await orUnknown(backend.ended(id))) === true;
      if (over || happened.length >= HAPPENINGS_PAGE) bell.ring(); // there may be more; what comes now rings by itself
    }
  } finally {
    leave();
  }
}

function orUnknown<T>(work: Promise<T>): Promise<T | 'unknown'> {
  return work.catch(() => 'unknown' as const);
}
