/** Times the stages of one compilation: each begins where the one before ends. */
import { performance } from 'node:perf_hooks';
import type { StageSpan } from './protocol.js';

/** Stages that are told one by one; an object of hundreds of programs has thousands, whose sums are enough. */
const MAX_SPANS = 64;

export class StageClock {
  /** Milliseconds of each stage, all its turns together. */
  readonly totals: Record<string, number> = {};
  readonly spans: StageSpan[] = [];
  private readonly started = performance.now();
  private stage = '';
  private since = this.started;

  /** `detailed`: also keep each turn of a stage by itself. */
  constructor(private readonly detailed: boolean) {}

  readonly enter = (stage: string): void => {
    this.leave();
    this.stage = stage;
  };

  /** Ends the last stage; milliseconds since the first. */
  end(): number {
    this.leave();
    return this.since - this.started;
  }

  private leave(): void {
    const now = performance.now();
    if (this.stage !== '') {
      this.totals[this.stage] = (this.totals[this.stage] ?? 0) + now - this.since;
      if (this.detailed && this.spans.length < MAX_SPANS) {
        this.spans.push({ stage: this.stage, start: this.since - this.started, end: now - this.started });
      }
    }
    this.stage = '';
    this.since = now;
  }
}
