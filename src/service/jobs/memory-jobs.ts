/** Jobs in this process's memory, where there is no Redis: they end with the process. */
import { performance } from 'node:perf_hooks';
import { ServiceError } from '../errors.js';
import { JobItemType } from '../contract/schema.js';
import { ATTEMPTS, BACKOFF } from './backend.js';
import type { Deliver, JobBackend, JobLimits, JobObserver, RunTask } from './backend.js';
import { failedItem, isFinal, STATE, TURN_COST } from './job.js';
import type { JobHappening, JobItem, JobRecord, JobRequest, NewJob, State } from './job.js';
import { clientFull, flowOf, jobsFull, sameJob } from './limits.js';
import { MemoryQueue } from './memory-queue.js';
import { underSignals } from '../signals.js';
import { MemoryWebhooks } from './memory-webhooks.js';

/** Items of finished jobs that are kept. */
const FINISHED_ITEMS = 100_000;

interface Kept {
  readonly job: Omit<NewJob, 'requests'>;
  readonly total: number;
  readonly createdAt: number;
  readonly items: Map<number, JobItem>;
  readonly running: Set<number>;
  readonly happened: JobHappening[];
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
  /** Of its requests. */
  readonly bytes: number;
  /** Of its finished items, encoded. */
  itemBytes: number;
  /** Empty when the job is finished. */
  requests: readonly JobRequest[];
  state: State;
  finishedAt: number | null;
  expiry: NodeJS.Timeout;
}

interface Waiting {
  readonly kept: Kept;
  readonly index: number;
  readonly since: number;
}

export class MemoryJobs implements JobBackend {
  private readonly jobs = new Map<string, Kept>();
  private readonly byIdempotency = new Map<string, Kept['job']>();
  private readonly queue = new MemoryQueue<Waiting>();
  private readonly active = new Set<Promise<void>>();
  private readonly openOf = new Map<string, number>();
  private openItems = 0;
  private openBytes = 0;
  private run: RunTask | null = null;
  /** Null before work begins. */
  private webhooks: MemoryWebhooks | null = null;
  private concurrency = 0;
  private readonly closing = new AbortController();

  constructor(
    private readonly limits: JobLimits,
    private readonly observer: JobObserver,
  ) {}

  submit(job: NewJob): Promise<string> {
    const before = job.idempotency === null ? undefined : this.byIdempotency.get(job.idempotency.name);
    if (before !== undefined) return Promise.resolve(sameJob(before.id, before.idempotency!.fingerprint, job));
    const { requests, ...named } = job;
    const bytes = requests.reduce((sum, request) => sum + request.bytes.length, 0);
    this.checkLimits(job, bytes);
    const kept: Kept = {
      job: named,
      total: requests.length,
      createdAt: Date.now(),
      items: new Map(),
      running: new Set(),
      happened: [],
      listeners: new Set(),
      stop: new AbortController(),
      bytes,
      itemBytes: 0,
      requests,
      state: STATE.QUEUED,
      finishedAt: null,
      expiry: this.expiry(job.id),
    };
    this.jobs.set(job.id, kept);
    if (job.idempotency !== null) this.byIdempotency.set(job.idempotency.name, named);
    this.count(kept, requests.length, bytes);
    const since = performance.now();
    const waiting = requests.map((_, index) => ({ kept, index, since }));
    this.queue.push(flowOf(job), waiting, TURN_COST[job.priority]!);
    this.dispatch();
    return Promise.resolve(job.id);
  }

  read(id: string): Promise<JobRecord | null> {
    return Promise.resolve(this.recordOf(id));
  }

  ended(id: string): Promise<boolean> {
    const kept = this.jobs.get(id);
    return Promise.resolve(kept === undefined || isFinal(kept.state));
  }

  cancel(id: string): Promise<void> {
    const kept = this.jobs.get(id);
    if (kept !== undefined && !isFinal(kept.state)) {
      const open = kept.total - kept.items.size;
      this.finish(kept, STATE.CANCELLED);
      this.count(kept, -open, 0);
      kept.stop.abort(new ServiceError('CANCELLED', 'the job was cancelled'));
    }
    return Promise.resolve();
  }

  happenings(id: string, after: string): Promise<readonly JobHappening[]> {
    const happened = this.jobs.get(id)?.happened ?? [];
    return Promise.resolve(happened.slice(after === '' ? 0 : Number.parseInt(after, 10)));
  }

  watch(id: string, listener: () => void): Promise<() => void> {
    const listeners = this.jobs.get(id)?.listeners;
    listeners?.add(listener);
    return Promise.resolve(() => listeners?.delete(listener));
  }

  open(): Promise<number> {
    return Promise.resolve(this.openItems);
  }

  work(run: RunTask, concurrency: number, deliver: Deliver): void {
    this.run = run;
    this.webhooks = new MemoryWebhooks({
      deliver,
      read: (id) => this.recordOf(id),
      onError: (error) => {
        this.observer.onError(error);
      },
      closing: this.closing.signal,
    });
    this.concurrency = concurrency;
    this.dispatch();
  }

  async close(timeout: number): Promise<void> {
    this.run = null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((done) => (timer = setTimeout(done, timeout)));
    await Promise.race([Promise.allSettled([...this.active]), late]);
    clearTimeout(timer);
    this.closing.abort(new ServiceError('SHUTTING_DOWN', 'this instance is stopping'));
    for (const { expiry } of this.jobs.values()) clearTimeout(expiry);
  }

  private recordOf(id: string): JobRecord | null {
    const kept = this.jobs.get(id);
    return kept === undefined ? null : recordOf(kept);
  }

  private checkLimits(job: NewJob, bytes: number): void {
    const { items, clientItems } = this.limits;
    const mine = this.openOf.get(job.identity.client) ?? 0;
    if (mine + job.requests.length > clientItems) throw clientFull(clientItems);
    if (this.openItems + job.requests.length > items || this.openBytes + bytes > this.limits.bytes) throw jobsFull();
  }

  private dispatch(): void {
    while (this.run !== null && this.active.size < this.concurrency) {
      const next = this.queue.shift();
      if (next === null) return;
      if (isFinal(next.kept.state)) continue;
      const work = this.attempt(this.run, next).finally(() => {
        this.active.delete(work);
        this.dispatch();
      });
      this.active.add(work);
    }
  }

  private async attempt(run: RunTask, { kept, index, since }: Waiting): Promise<void> {
    this.observer.started(performance.now() - since);
    kept.running.add(index);
    if (kept.state === STATE.QUEUED) kept.state = STATE.RUNNING;
    await underSignals([kept.stop.signal, this.closing.signal], (signal) => this.tryOften(run, kept, index, signal));
  }

  private async tryOften(run: RunTask, kept: Kept, index: number, signal: AbortSignal): Promise<void> {
    const { identity, trace } = kept.job;
    const request = kept.requests[index]!;
    for (let tried = 1; ; tried++) {
      try {
        this.record(kept, await run({ ...request, index, identity, trace }, signal));
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (tried === ATTEMPTS) {
          this.record(kept, failedItem(index, request.digest, error));
          return;
        }
        this.observer.onError(error);
        await new Promise((done) => setTimeout(done, BACKOFF * 2 ** (tried - 1)));
      }
    }
  }

  private record(kept: Kept, item: JobItem): void {
    kept.running.delete(item.index);
    if (isFinal(kept.state)) return; // cancelled meanwhile
    kept.items.set(item.index, item);
    kept.itemBytes += JobItemType.encode(item).len;
    this.count(kept, -1, 0);
    kept.expiry.refresh();
    this.observer.itemFinished(item);
    this.happen(kept, item);
    if (kept.items.size < kept.total) return;
    const failed = [...kept.items.values()].some(({ state }) => state === STATE.FAILED);
    this.finish(kept, failed ? STATE.FAILED : STATE.SUCCEEDED);
  }

  private finish(kept: Kept, state: State): void {
    kept.state = state;
    kept.finishedAt = Date.now();
    kept.requests = [];
    this.count(kept, 0, -kept.bytes);
    kept.expiry.refresh();
    this.forgetOldest();
    this.happen(kept, null);
    this.observer.jobFinished(recordOf(kept));
    if (kept.job.callbackUrl !== '') this.webhooks?.tell(kept.job.id);
  }

  /** What finished jobs hold is bounded too, in number and in bytes. */
  private forgetOldest(): void {
    let items = 0;
    let bytes = 0;
    for (const kept of this.jobs.values()) {
      if (!isFinal(kept.state)) continue;
      items += kept.total;
      bytes += kept.itemBytes;
    }
    for (const [id, kept] of this.jobs) {
      if (items <= FINISHED_ITEMS && bytes <= this.limits.bytes) return;
      if (!isFinal(kept.state)) continue;
      items -= kept.total;
      bytes -= kept.itemBytes;
      this.forget(id, kept);
    }
  }

  private forget(id: string, kept: Kept): void {
    clearTimeout(kept.expiry);
    this.jobs.delete(id);
    if (kept.job.idempotency !== null) this.byIdempotency.delete(kept.job.idempotency.name);
  }

  private happen(kept: Kept, item: JobItem | null): void {
    kept.happened.push({ id: String(kept.happened.length + 1), item });
    for (const listener of kept.listeners) listener();
  }

  private count({ job }: Kept, items: number, bytes: number): void {
    const { client } = job.identity;
    this.openItems += items;
    this.openBytes += bytes;
    const mine = (this.openOf.get(client) ?? 0) + items;
    if (mine > 0) this.openOf.set(client, mine);
    else this.openOf.delete(client);
  }

  private expiry(id: string): NodeJS.Timeout {
    return setTimeout(() => {
      const kept = this.jobs.get(id);
      if (kept === undefined) return;
      void this.cancel(id);
      this.forget(id, kept);
    }, this.limits.retention).unref();
  }
}

function recordOf({ job, total, createdAt, finishedAt, state, items, running }: Kept): JobRecord {
  const { id, priority, callbackUrl } = job;
  return {
    id,
    tenant: job.identity.tenant,
    priority,
    callbackUrl,
    state,
    total,
    createdAt,
    finishedAt,
    items,
    running,
  };
}
