/** How far the check is, on a terminal. */

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** Milliseconds between two writings. */
const EVERY = 100;

export class Progress {
  private done = 0;
  private written = 0;

  constructor(
    private readonly total: number,
    private readonly terminal: Terminal,
  ) {}

  /** One more is answered. */
  step(name: string, now = performance.now()): void {
    this.done++;
    if (!this.terminal.isTTY || (now - this.written < EVERY && this.done < this.total)) return;
    this.written = now;
    this.terminal.write(`\r\x1b[K${this.done}/${this.total} ${name}`);
  }

  /** Leaves the line empty. */
  end(): void {
    if (this.terminal.isTTY && this.written > 0) this.terminal.write('\r\x1b[K');
  }
}
