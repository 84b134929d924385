/** One piece of work for all who ask for the same at the same time; it stops when the last of them has left. */
interface Flight<T> {
  readonly work: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

export class Flights<T> {
  private readonly flights = new Map<string, Flight<T>>();

  get size(): number {
    return this.flights.size;
  }

  /** Starts the work or joins it. Rejects with the signal's reason when that is aborted first. */
  async join(key: string, signal: AbortSignal, start: (stop: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.flights.get(key) ?? this.launch(key, start);
    flight.waiting++;
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        if (--flight.waiting === 0) {
          if (this.flights.get(key) === flight) this.flights.delete(key);
          flight.stop.abort(signal.reason);
        }
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      flight.work.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', leave);
      });
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
