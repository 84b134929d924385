/** Keeps calls away from something that fails: after some failures in a row it is left alone for a while. */
export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** Milliseconds that it stays open before one call is let through again. */
  readonly rest: number;
  /** Milliseconds that one call may take. */
  readonly timeout: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export class CircuitBreaker {
  private failed = 0;
  private openUntil = 0;

  constructor(private readonly options: BreakerOptions) {}

  get open(): boolean {
    return this.failed >= this.options.failures && this.options.now() < this.openUntil;
  }

  /** The call's result; null where the circuit is open, where it failed, or where it took too long. */
  async run<T>(call: () => Promise<T>, onError: (error: unknown) => void): Promise<T | null> {
    if (this.open) return null;
    // While one call tries whether it works again, others stay away.
    if (this.failed >= this.options.failures) this.openUntil = this.options.now() + this.options.rest;
    try {
      const result = await withTimeout(call(), this.options.timeout);
      this.failed = 0;
      return result;
    } catch (error) {
      this.failed++;
      this.openUntil = this.options.now() + this.options.rest;
      onError(error);
      return null;
    }
  }
}

/** Rejects where the work takes longer, which then goes on by itself. */
export function withTimeout<T>(work: Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`took longer than ${timeout} ms`));
    }, timeout);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
