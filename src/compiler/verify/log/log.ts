/** bpf(2)'s log_level bits. */
export const LOG_LEVEL1 = 1;
export const LOG_LEVEL2 = 2;
export const LOG_STATS = 4;

/** The verifier's log: text in order, cut back when a path turns out well (level 1). */
export class VerifierLog {
  private parts: string[] = [];
  private written = 0;

  constructor(readonly level: number) {}

  /** Characters so far: what reset() takes. */
  get position(): number {
    return this.written;
  }

  write(text: string): void {
    if (this.level === 0) return;
    this.parts.push(text);
    this.written += text.length;
  }

  /** Forgets everything behind a position. */
  reset(position: number): void {
    if (position >= this.written) return;
    const kept = this.toString().slice(0, position);
    this.parts = [kept];
    this.written = kept.length;
  }

  toString(): string {
    if (this.parts.length > 1) this.parts = [this.parts.join('')];
    return this.parts[0] ?? '';
  }
}
