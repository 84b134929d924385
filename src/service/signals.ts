/**
 * One signal of several that ends with the work it is for. AbortSignal.any's does not: on Node 20 each source remembers it
 * for as long as that lives.
 */

/** Runs work under a signal that is aborted with the first of `sources`; leaves nothing behind on them. */
export async function underSignals<T>(
  sources: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const follow = (): void => {
    stop.abort(sources.find(({ aborted }) => aborted)?.reason);
  };
  for (const source of sources) source.addEventListener('abort', follow);
  if (sources.some(({ aborted }) => aborted)) follow();
  try {
    return await work(stop.signal);
  } finally {
    for (const source of sources) source.removeEventListener('abort', follow);
  }
}
