/**
 * What threads have used of the processor, where the system says: a task that waits for its core is not late. The thread that
 * takes a task says which one it is in memory that is shared; Node of version 20 does not tell of another thread's time.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** A thread whose time the system does not tell. */
const NO_CLOCK = -1;

/** In a worker: says that this thread works in that place now. */
export function workHere(threads: Int32Array, place: number): void {
  Atomics.store(threads, place, ownThread());
}

let own = 0;
function ownThread(): number {
  if (own === 0) own = readThread();
  return own;
}

function readThread(): number {
  try {
    const thread = Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]);
    return Number.isNaN(timeOf(thread)) ? NO_CLOCK : thread;
  } catch {
    return NO_CLOCK;
  }
}

/** The time that the work in one place has taken since it began. */
export class ThreadClock {
  private began: { readonly thread: number; readonly at: number } | null = null;

  constructor(
    private readonly threads: Int32Array,
    private readonly place: number,
  ) {
    Atomics.store(threads, place, 0);
  }

  /** Milliseconds; 0 where no thread has taken it, from the first look at a thread that has. */
  get used(): number {
    const thread = Atomics.load(this.threads, this.place);
    if (thread === 0) return 0;
    const now = timeOf(thread);
    this.began ??= { thread, at: now };
    return now - this.began.at;
  }
}

/** Milliseconds of the processor; of the clock where the system does not say; not a number of a thread that has ended. */
function timeOf(thread: number): number {
  if (thread === NO_CLOCK) return performance.now();
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return NaN;
  }
}
