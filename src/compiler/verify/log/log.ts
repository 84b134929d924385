import { Trail } from './trail.js';

/** bpf(2)'s log_level bits. */
export const LOG_LEVEL1 = 1;
export const LOG_LEVEL2 = 2;
export const LOG_STATS = 4;
/** Instructions and states are printed. */
export const LOG_LEVEL = LOG_LEVEL1 | LOG_LEVEL2;

/** The log buffer that a client of ours has: what libbpf goes up to by itself is less (16 MiB), the kernel allows 1 GiB. */
const BUFFER_BYTES = 32 << 20;
/** More than what is printed between the last instruction of a path and the next path. */
const UNCOUNTED_BYTES = 1 << 16;

/**
 * The verifier's log: text in order, cut back when a path turns out well (level 1). Behind the buffer's size the oldest
 * text is dropped, and the program is refused with -ENOSPC in the end, whatever the verdict (bpf_vlog_finalize, 6.12).
 */
export class VerifierLog {
  private parts: string[] = [];
  /** Position of the first character kept, and of the one behind the last. */
  private start = 0;
  private written = 0;
  private longest = 0;
  /** Parts at the front that have been dropped. */
  private dropped = 0;
  /** Whether the instruction at hand, and the states that change with it, are to be printed. */
  prints: boolean;
  /** What a quiet log has counted; null where that is more than can be told. */
  private counted: Trail | null;
  private readonly isLeft: (() => boolean) | null;

  /**
   * `quiet`: instructions and states are not printed but only counted. At level 1 an accepted program's log holds none of
   * them in the end, so that a first, quiet run is enough for it. `trail`: what such a run has found to be left in the end,
   * so that nothing else is printed in a second one.
   */
  constructor(
    readonly level: number,
    private readonly quiet: boolean,
    trail: Trail | null = null,
  ) {
    this.prints = (level & LOG_LEVEL) !== 0 && !quiet;
    this.counted = quiet ? new Trail() : null;
    this.isLeft = trail?.follow() ?? null;
  }

  /** Characters so far: what reset() takes. */
  get position(): number {
    return this.written;
  }

  /** The instructions that are left of a quiet run; null where the buffer may have been too small for them. */
  get trail(): Trail | null {
    return this.counted;
  }

  /** Whether only some instructions are printed. */
  get skips(): boolean {
    return this.isLeft !== null;
  }

  /** Whether functions found safe are announced. */
  get announces(): boolean {
    return (this.level & LOG_LEVEL) !== 0;
  }

  /** Whether states are kept on success and precision marks are traced. */
  get detailed(): boolean {
    return (this.level & LOG_LEVEL2) !== 0;
  }

  /** The buffer, with a final zero, was too small for the log at some time. */
  get overflowed(): boolean {
    return this.longest >= BUFFER_BYTES;
  }

  /** Writes what is made only where there is a log. */
  note(text: () => string): void {
    if (this.level !== 0) this.write(text());
  }

  write(text: string): void {
    if (this.level === 0) return;
    this.parts.push(text);
    this.written += text.length;
    if (this.written > this.longest) this.longest = this.written;
    if (!this.quiet && this.written - this.start > BUFFER_BYTES) this.dropOldest();
  }

  private dropOldest(): void {
    while (this.written - this.start > BUFFER_BYTES) {
      this.start += this.parts[this.dropped]!.length;
      this.parts[this.dropped++] = '';
    }
    if (this.dropped < this.parts.length >> 1) return;
    this.parts.splice(0, this.dropped);
    this.dropped = 0;
  }

  /** Whether instructions are not printed but only counted. */
  get counts(): boolean {
    return this.quiet && this.counted !== null;
  }

  /** The walk enters an instruction. Whether it is to be printed; a quiet log counts `most` characters for it instead. */
  enter(most: number): boolean {
    if (this.quiet) this.count(most);
    else if (this.isLeft !== null) this.prints = this.isLeft();
    return this.prints;
  }

  private count(most: number): void {
    this.counted?.add(this.written);
    this.written += most;
    this.longest = Math.max(this.longest, this.written + UNCOUNTED_BYTES);
    if (this.overflowed) this.counted = null;
  }

  /** Forgets everything behind a position. */
  reset(position: number): void {
    this.counted?.cut(position);
    // A quiet log has counted more than it holds: it cannot be cut in between, and what it holds is told after a cut to 0 alone.
    if (this.quiet) {
      if (position === 0) this.parts = [];
      this.written = position;
      return;
    }
    while (this.written > position && this.parts.length > this.dropped) {
      const last = this.parts.pop()!;
      this.written -= last.length;
      if (this.written < position) this.write(last.slice(0, position - this.written));
    }
    this.written = position;
    if (this.start > position) this.start = position;
  }

  toString(): string {
    if (this.parts.length > 1) {
      this.parts = [this.parts.join('')];
      this.dropped = 0;
    }
    return this.parts[0] ?? '';
  }
}
