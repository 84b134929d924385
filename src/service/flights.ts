/** One piece of work for all who ask for the same at the same time; it stops when the last of them has left. */
interface Flight<T> {
  readonly work: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/** How long somebody waits: until the signal is aborted, or for so many milliseconds, and what is then said of it. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly limit: number;
  readonly late: () => Error;
}

export class Flights<T> {
  private readonly flights = new Map<string, Flight<T>>();

  get size(): number {
    return this.flights.size;
  }

  /**
   * Starts the work or joins it. Rejects with the signal's reason, or what `late` says, when its patience ends first. A
   * timer and two listeners, and no signal made of signals: those cost more than a small program's verification.
   */
  async join(key: string, { signal, limit, late }: Patience, start: (stop: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.flights.get(key) ?? this.launch(key, start);
    flight.waiting++;
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
      };
      const leave = (reason: Error): void => {
        settle();
        if (--flight.waiting === 0) {
          if (this.flights.get(key) === flight) this.flights.delete(key);
          flight.stop.abort(reason);
        }
        reject(reason);
      };
      const cancel = (): void => {
        leave(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        leave(late());
      }, limit);
      signal.addEventListener('abort', cancel);
      flight.work.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(error as Error);
        },
      );
    });
  }

  private launch(key: string, start: (stop: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController();
    const work = start(stop.signal).finally(() => {
      if (this.flights.get(key)?.stop === stop) this.flights.delete(key);
    });
    const flight = { work, stop, waiting: 0 };
    this.flights.set(key, flight);
    return flight;
  }
}
