/** Somebody waits until it rings, or for a while; a ring that nobody waited for is not lost. */
export class Bell {
  private rung = false;
  private wake = (): void => undefined;

  ring(): void {
    this.rung = true;
    this.wake();
  }

  /** Resolves at a ring, after `timeout` milliseconds, or when the signal is aborted. One at a time waits. */
  async wait(timeout: number, signal: AbortSignal): Promise<void> {
    if (!this.rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, timeout);
        signal.addEventListener('abort', done, { once: true });
        this.wake = done;
      });
    }
    this.rung = false;
  }
}
