/**
 * Signals that end with the work they are for. AbortSignal.any and AbortSignal.timeout do not: on Node 20 the first is
 * remembered by each source for as long as that lives, and the second holds what listens to it until its time has come.
 */

export interface Deadline {
  /** Milliseconds. */
  readonly after: number;
  readonly reason: () => unknown;
}

/** Runs work under a signal that is aborted with the first of `sources`, or at the deadline; leaves nothing behind on them. */
export async function underSignals<T>(
  sources: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
  deadline?: Deadline,
): Promise<T> {
  const stop = new AbortController();
  const follow = (): void => {
    stop.abort(sources.find(({ aborted }) => aborted)?.reason);
  };
  const late = (): void => {
    stop.abort(deadline!.reason());
  };
  const timer = deadline === undefined ? undefined : setTimeout(late, deadline.after);
  for (const source of sources) source.addEventListener('abort', follow);
  if (sources.some(({ aborted }) => aborted)) follow();
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    for (const source of sources) source.removeEventListener('abort', follow);
  }
}
