/**
 * A BullMQ queue over the shared Redis, and workers on it. BullMQ sees to order, retries and the tasks of workers that
 * died; here are the connections, the ends of tasks that are not wanted any more, and of instances that stop.
 */
import { DelayedError, Queue, Worker, type BulkJobOptions, type Job } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { withTimeout } from '../cache/breaker.js';
import { ServiceError } from '../errors.js';
import { underSignals } from '../signals.js';
import type { Cluster } from './cluster.js';
import { CONNECTION, PREFIX, withoutCommand } from './link.js';

/** Milliseconds that queueing may take. */
const QUEUE_TIMEOUT = 5000;
/** How often the task of a worker that died is taken up by another, before it is taken for the cause. */
const MAX_STALLED = 3;

export interface Task<T> {
  /** Unique; a task of the same id that is in the queue already stays as it is. */
  readonly id: string;
  readonly data: T;
  readonly options?: BulkJobOptions;
}

export class TaskQueue<T> {
  private readonly connection: Connection;
  private readonly queue: Queue<T>;

  constructor(
    private readonly cluster: Cluster,
    name: string,
  ) {
    this.connection = new Connection(cluster, {});
    this.queue = new Queue<T>(name, { ...bullOptions(this.connection), skipMetasUpdate: true });
    this.queue.on('error', () => undefined); // operations report
  }

  /** Throws QUEUE_UNAVAILABLE; some may be in the queue then. */
  async add(tasks: readonly Task<T>[]): Promise<void> {
    const jobs = tasks.map(({ id, data, options }) => ({
      name: 'task',
      data,
      opts: { ...options, jobId: id, removeOnComplete: true, removeOnFail: true },
    }));
    try {
      const [only] = jobs;
      const added = // for one alone, no pipeline is made
        jobs.length === 1 && only !== undefined
          ? this.queue.add(only.name as never, only.data as never, only.opts)
          : this.queue.addBulk(jobs as never);
      await withTimeout<unknown>(added, QUEUE_TIMEOUT);
    } catch (error) {
      this.cluster.onError(withoutCommand(error));
      throw new ServiceError('QUEUE_UNAVAILABLE', 'Redis does not answer, or takes nothing more');
    }
  }

  /** Takes waiting tasks out, as far as Redis answers; those that workers are at stay. */
  async remove(ids: readonly string[]): Promise<void> {
    const removals = ids.map((id) => this.queue.remove(id).catch(() => 0));
    await withTimeout(Promise.all(removals), QUEUE_TIMEOUT).catch(() => undefined);
  }

  /** Whether a task is in the queue or worked on. Rejects where Redis does not answer. */
  async has(id: string): Promise<boolean> {
    return (await withTimeout(this.queue.getJobState(id), QUEUE_TIMEOUT)) !== 'unknown';
  }

  async close(): Promise<void> {
    await withTimeout(this.queue.close(), QUEUE_TIMEOUT).catch(() => undefined);
    this.connection.close();
  }
}

export interface WorkerParts<T> {
  readonly name: string;
  readonly concurrency: number;
  /** What a task is cancelled by, on the channel. */
  readonly cancelledBy: (task: Job<T>) => string;
  readonly channel: string;
  /** Rejects with SHUTTING_DOWN to give the task back, with anything else to have it tried again. */
  readonly process: (task: Job<T>, signal: AbortSignal) => Promise<void>;
  /** An attempt failed; `lost`: it was the last, because workers died under it. */
  readonly failed: (task: Job<T>, error: Error, lost: boolean) => void;
  readonly onError: (error: unknown) => void;
}

export class TaskWorker<T> {
  private readonly connection: Connection;
  private readonly worker: Worker<T>;
  /** What this instance is at, by what it is cancelled by. */
  private readonly active = new Map<string, Set<AbortController>>();
  private readonly closing = new AbortController();
  private onIdle: () => void = () => undefined;

  constructor(
    cluster: Cluster,
    private readonly parts: WorkerParts<T>,
  ) {
    this.connection = new Connection(cluster, { enableOfflineQueue: true, maxRetriesPerRequest: null });
    this.worker = new Worker<T>(parts.name, (task, token) => this.process(task, token ?? ''), {
      ...bullOptions(this.connection),
      concurrency: parts.concurrency,
      lockDuration: cluster.lease,
      stalledInterval: cluster.lease,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 500,
      drainDelay: 2,
    });
    this.worker.on('error', (error) => {
      parts.onError(withoutCommand(error));
    });
    this.worker.on('failed', (task, error) => {
      if (task !== undefined) parts.failed(task, error, error.name === 'UnrecoverableError');
    });
    void cluster.bus.listen(parts.channel, (name) => {
      const reason = new ServiceError('CANCELLED', 'nobody waits for it any more');
      for (const stop of this.active.get(name) ?? []) stop.abort(reason);
    });
  }

  /** Takes no more tasks; those that it is at are given so many milliseconds, then go back into the queue. */
  async close(timeout: number): Promise<void> {
    const late = setTimeout(() => {
      this.closing.abort(new ServiceError('SHUTTING_DOWN', 'this instance is stopping'));
    }, timeout);
    const closed = this.worker.close().catch(() => undefined);
    await withTimeout(Promise.race([closed, this.idle()]), timeout).catch(() => undefined);
    // Tasks go back, and the worker says goodbye; without Redis it would wait for that for ever.
    await withTimeout(closed, QUEUE_TIMEOUT).catch(() => undefined);
    clearTimeout(late);
    this.connection.close();
  }

  /** When no task is worked on. */
  private async idle(): Promise<void> {
    if (this.active.size > 0) await new Promise<void>((done) => (this.onIdle = done));
  }

  private async process(task: Job<T>, token: string): Promise<void> {
    const name = this.parts.cancelledBy(task);
    const stop = new AbortController();
    const stops = this.active.get(name) ?? new Set();
    this.active.set(name, stops.add(stop));
    try {
      await underSignals([stop.signal, this.closing.signal], (signal) => this.parts.process(task, signal));
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof ServiceError && error.code === 'SHUTTING_DOWN')) throw error;
      await task.moveToDelayed(Date.now(), token); // for another instance
      throw new DelayedError();
    } finally {
      stops.delete(stop);
      if (stops.size === 0) this.active.delete(name);
      if (this.active.size === 0) this.onIdle();
    }
  }
}

/**
 * A connection that BullMQ is lent, with the copies that it makes of it for commands that block: it leaves those behind,
 * trying to connect for ever, where Redis does not answer when it is closed.
 */
class Connection {
  readonly redis: Redis;
  private readonly copies: Redis[] = [];

  constructor(cluster: Cluster, options: RedisOptions) {
    const redis = new Redis(cluster.url, { ...CONNECTION, ...options } as typeof CONNECTION);
    redis.on('error', () => undefined); // operations report
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = ((override?: RedisOptions) => {
      const copy = duplicate(override);
      this.copies.push(copy as Redis);
      return copy;
    }) as typeof redis.duplicate;
    this.redis = redis;
  }

  close(): void {
    for (const redis of [this.redis, ...this.copies]) redis.disconnect();
  }
}

function bullOptions({ redis }: Connection): { connection: Redis; prefix: string; skipVersionCheck: true } {
  // Its check asks for a Redis that evicts nothing; ours may evict what has a time to live, which no task has.
  return { connection: redis, prefix: `${PREFIX}queue`, skipVersionCheck: true };
}
