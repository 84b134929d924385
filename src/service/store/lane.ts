/**
 * Work that runs a few at a time, the rest in order behind it, up to a bound. It keeps a disk that hangs from taking all
 * threads that Node has for files, compression and hashing, and what waits for it from growing.
 */
export class Lane {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** `width`: how many run at a time. `bound`: how many may wait. */
  constructor(
    private readonly width: number,
    private readonly bound: number,
  ) {}

  /** What the work gives. Rejects at once where too much waits already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.width) {
      if (this.waiting.length >= this.bound) throw new Error(`the disk is too slow: ${this.bound} operations wait`);
      await new Promise<void>((turn) => this.waiting.push(turn)); // whoever ends hands its place over
    } else {
      this.running++;
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
