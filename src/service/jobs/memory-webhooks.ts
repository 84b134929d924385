/** Webhooks of jobs in memory: so many are called at a time, so many wait, and those that fail are called again, later each time. */
import { DELIVERIES, DELIVERY_BACKOFF, type Deliver } from './backend.js';
import type { JobRecord } from './job.js';
import { Undeliverable } from './webhook.js';

/** Webhooks that are called at a time. */
const CALLS = 16;
/** That wait for that, or to be called again. */
const MAX_WAITING = 10_000;

export interface MemoryWebhookParts {
  readonly deliver: Deliver;
  /** What a job has come to; null when it is forgotten, and its webhook with it. */
  readonly read: (id: string) => JobRecord | null;
  readonly onError: (error: unknown) => void;
  readonly closing: AbortSignal;
}

interface Call {
  readonly id: string;
  /** How often it has been tried. */
  tried: number;
}

export class MemoryWebhooks {
  private readonly due: Call[] = [];
  private calling = 0;
  /** All that were not delivered yet. */
  private open = 0;

  constructor(private readonly parts: MemoryWebhookParts) {}

  /** Calls a job's webhook when its turn comes; one too many is told as an error. */
  tell(id: string): void {
    if (this.open >= MAX_WAITING) {
      this.parts.onError(new Error(`${this.open} webhooks wait; that of a job is not called`));
      return;
    }
    this.open++;
    this.due.push({ id, tried: 0 });
    this.dispatch();
  }

  private dispatch(): void {
    while (this.calling < CALLS && !this.parts.closing.aborted) {
      const call = this.due.shift();
      if (call === undefined) return;
      const job = this.parts.read(call.id);
      if (job === null) {
        this.open--;
        continue;
      }
      this.calling++;
      void this.attempt(call, job).finally(() => {
        this.calling--;
        this.dispatch();
      });
    }
  }

  private async attempt(call: Call, job: JobRecord): Promise<void> {
    call.tried++;
    try {
      await this.parts.deliver(job);
      this.open--;
    } catch (error) {
      if (error instanceof Undeliverable || call.tried === DELIVERIES) this.open--;
      else this.later(call);
    }
  }

  private later(call: Call): void {
    setTimeout(
      () => {
        this.due.push(call);
        this.dispatch();
      },
      DELIVERY_BACKOFF * 2 ** (call.tried - 1),
    ).unref();
  }
}
