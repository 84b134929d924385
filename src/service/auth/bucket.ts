/** A token bucket: `rate` a second, and as many as `burst` after a pause. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(
    private rate: number,
    private limit: number,
    private readonly now: () => number,
  ) {
    this.tokens = limit;
    this.at = now();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    this.fill();
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  get burst(): number {
    return this.limit;
  }
  get left(): number {
    this.fill();
    return Math.floor(this.tokens);
  }
  /** Seconds until there is one, rounded up. */
  get wait(): number {
    return Math.max(1, Math.ceil((1 - this.tokens) / this.rate));
  }
  /** Seconds until it is full, rounded up. */
  get full(): number {
    return Math.ceil((this.limit - this.tokens) / this.rate);
  }

  /** Another rate; what was used stays used. */
  change(rate: number, burst: number): void {
    this.fill();
    this.rate = rate;
    this.tokens = Math.min(burst, this.tokens + Math.max(0, burst - this.limit));
    this.limit = burst;
  }

  private fill(): void {
    const now = this.now();
    this.tokens = Math.min(this.limit, this.tokens + ((now - this.at) / 1000) * this.rate);
    this.at = now;
  }
}
