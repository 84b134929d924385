/** bpf(2)'s log_level bits. */
export const LOG_LEVEL1 = 1;
export const LOG_LEVEL2 = 2;
export const LOG_STATS = 4;
/** Instructions and states are printed. */
export const LOG_LEVEL = LOG_LEVEL1 | LOG_LEVEL2;

/** The verifier's log: text in order, cut back when a path turns out well (level 1). */
export class VerifierLog {
  private parts: string[] = [];
  private written = 0;

  constructor(readonly level: number) {}

  /** Characters so far: what reset() takes. */
  get position(): number {
    return this.written;
  }

  /** Whether instructions and states are to be printed. */
  get prints(): boolean {
    return (this.level & LOG_LEVEL) !== 0;
  }

  /** Whether states are kept on success and precision marks are traced. */
  get detailed(): boolean {
    return (this.level & LOG_LEVEL2) !== 0;
  }

  write(text: string): void {
    if (this.level === 0) return;
    this.parts.push(text);
    this.written += text.length;
  }

  /** Forgets everything behind a position. */
  reset(position: number): void {
    while (this.written > position) {
      const last = this.parts.pop()!;
      const start = this.written - last.length;
      this.written = start;
      if (start < position) this.write(last.slice(0, position - start));
    }
  }

  toString(): string {
    if (this.parts.length > 1) this.parts = [this.parts.join('')];
    return this.parts[0] ?? '';
  }
}
