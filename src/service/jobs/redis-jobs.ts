/**
 * Jobs that instances share: records in Redis (store.ts), a task for each request on BullMQ over the same Redis. BullMQ
 * sees to order, retries and the tasks of workers that died; a task says nothing but which item it is.
 */
import { DelayedError, Queue, Worker, type Job as BullJob } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Identity } from '../auth/identity.js';
import { withTimeout } from '../cache/breaker.js';
import type { Cluster } from '../cluster/cluster.js';
import { CONNECTION, PREFIX } from '../cluster/link.js';
import { ServiceError } from '../errors.js';
import { ATTEMPTS, BACKOFF, type JobBackend, type JobLimits, type JobObserver, type RunTask } from './backend.js';
import { failedItem, type JobHappening, type JobItem, type JobRecord, type NewJob } from './job.js';
import { JobStore, type Queueing } from './store.js';

const QUEUE = 'jobs';
/** The largest priority that BullMQ has; turns beyond it are taken in the order in which they were queued. */
const LAST_TURN = 2 ** 21 - 1;
/** How often the task of a worker that died is taken up by another, before it is taken for the cause. */
const MAX_STALLED = 3;
/** Milliseconds between looks for what was left undone, and what they take for left. */
const SWEEP_INTERVAL = 30_000;
const LEFT_UNDONE = 10_000;
/** Milliseconds that queueing may take. */
const QUEUE_TIMEOUT = 5000;

interface TaskData {
  readonly job: string;
  readonly index: number;
  readonly digest: string;
  readonly identity: Identity;
  readonly turn: number;
}

export class RedisJobs implements JobBackend {
  private readonly store: JobStore;
  private readonly connections: Redis[] = [];
  private readonly queue: Queue<TaskData>;
  private worker: Worker<TaskData> | null = null;
  /** What this instance is at, by job. */
  private readonly active = new Map<string, Set<AbortController>>();
  private readonly closing = new AbortController();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly cluster: Cluster,
    limits: JobLimits,
    private readonly observer: JobObserver,
  ) {
    this.store = new JobStore(cluster.patient, limits);
    this.queue = new Queue(QUEUE, { ...bullOptions(this.connect({})), skipMetasUpdate: true });
    this.queue.on('error', () => undefined); // operations report
    this.sweeper = setInterval(() => {
      this.sweep().catch((error: unknown) => {
        this.observer.onError(error);
      });
    }, SWEEP_INTERVAL).unref();
  }

  async submit(job: NewJob): Promise<string> {
    const kept = await this.store.submit(job);
    if (typeof kept === 'string') return kept;
    await this.enqueue(kept);
    return job.id;
  }

  read(id: string): Promise<JobRecord | null> {
    return this.store.read(id);
  }

  async cancel(id: string): Promise<void> {
    const queueing = await this.store.queueing(id);
    if (!(await this.store.cancel(id))) return;
    await this.tellFinished(id);
    if (queueing === null) return;
    // Tasks that stay behind would find their job cancelled; that they go at once makes room.
    const removals = queueing.digests.map((_, index) => this.queue.remove(taskId(id, index)).catch(() => 0));
    await withTimeout(Promise.all(removals), QUEUE_TIMEOUT).catch(() => undefined);
  }

  happenings(id: string, after: string): Promise<readonly JobHappening[]> {
    return this.store.happenings(id, after);
  }

  watch(id: string, listener: () => void): Promise<() => void> {
    return this.cluster.bus.listen(`${PREFIX}job:${id}`, listener);
  }

  open(): Promise<number | null> {
    return this.store.open();
  }

  work(run: RunTask, concurrency: number): void {
    const { lease } = this.cluster;
    this.worker = new Worker<TaskData>(QUEUE, (task, token) => this.process(run, task, token ?? ''), {
      ...bullOptions(this.connect({ enableOfflineQueue: true, maxRetriesPerRequest: null })),
      concurrency,
      lockDuration: lease,
      stalledInterval: lease,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 500,
      drainDelay: 2,
    });
    this.worker.on('error', (error) => {
      this.observer.onError(error);
    });
    this.worker.on('failed', (task, error) => {
      if (task !== undefined) void this.gaveUp(task, error);
    });
    void this.cluster.bus.listen(`${PREFIX}jobs:cancel`, (id) => {
      const reason = new ServiceError('CANCELLED', 'the job was cancelled');
      for (const stop of this.active.get(id) ?? []) stop.abort(reason);
    });
  }

  async close(timeout: number): Promise<void> {
    clearInterval(this.sweeper);
    const late = setTimeout(() => {
      this.closing.abort(new ServiceError('SHUTTING_DOWN', 'this instance is stopping'));
    }, timeout);
    await withTimeout(this.worker?.close() ?? Promise.resolve(), timeout + QUEUE_TIMEOUT).catch(() => undefined);
    clearTimeout(late);
    await withTimeout(this.queue.close(), QUEUE_TIMEOUT).catch(() => undefined);
    for (const connection of this.connections) connection.disconnect();
  }

  private connect(options: RedisOptions): Redis {
    const connection = new Redis(this.cluster.url, { ...CONNECTION, ...options } as typeof CONNECTION);
    connection.on('error', () => undefined);
    this.connections.push(connection);
    return connection;
  }

  /** Throws QUEUE_UNAVAILABLE; whoever sweeps next then queues what is kept. */
  private async enqueue({ id, identity, turn, cost, digests }: Queueing): Promise<void> {
    const tasks = digests.map((digest, index) => {
      const mine = Math.min(LAST_TURN, turn + index * cost);
      return {
        name: 'item',
        data: { job: id, index, digest, identity, turn: mine },
        opts: {
          jobId: taskId(id, index),
          priority: mine,
          attempts: ATTEMPTS,
          backoff: { type: 'exponential', delay: BACKOFF },
          removeOnComplete: true,
          removeOnFail: true,
        },
      };
    });
    try {
      await withTimeout(this.queue.addBulk(tasks), QUEUE_TIMEOUT);
    } catch (error) {
      this.observer.onError(error);
      throw new ServiceError('QUEUE_UNAVAILABLE', 'the job could not be queued; ask again');
    }
    await this.store.queued(id);
  }

  private async process(run: RunTask, task: BullJob<TaskData>, token: string): Promise<void> {
    const { job, index, digest, identity, turn } = task.data;
    const bytes = await this.store.begin(job, index, digest, turn);
    if (bytes === null) return;
    this.observer.started(Math.max(0, Date.now() - task.timestamp));
    const stop = new AbortController();
    const stops = this.active.get(job) ?? new Set();
    this.active.set(job, stops.add(stop));
    try {
      const signal = AbortSignal.any([stop.signal, this.closing.signal]);
      await this.record(job, await run({ bytes, digest, index, identity }, signal));
    } catch (error) {
      if (stop.signal.aborted) return; // cancelled
      if (!(error instanceof ServiceError && error.code === 'SHUTTING_DOWN')) throw error;
      await task.moveToDelayed(Date.now(), token); // for another instance
      throw new DelayedError();
    } finally {
      stops.delete(stop);
      if (stops.size === 0) this.active.delete(job);
    }
  }

  private async record(job: string, item: JobItem): Promise<void> {
    const finished = await this.store.record(job, item);
    if (finished === 'nothing') return;
    this.observer.itemFinished(item);
    if (finished === 'job') await this.tellFinished(job);
  }

  private async tellFinished(id: string): Promise<void> {
    const job = await this.store.read(id);
    if (job !== null) this.observer.jobFinished(job);
  }

  /** A task that was tried as often as it may be, or whose workers died one after the other. */
  private async gaveUp(task: BullJob<TaskData>, error: Error): Promise<void> {
    const { job, index, digest } = task.data;
    this.observer.onError(error);
    const stalled = error.name === 'UnrecoverableError';
    if (!stalled && task.attemptsMade < ATTEMPTS) return;
    const reason = stalled ? new ServiceError('WORKER_LOST', 'the workers that were at it died') : error;
    await this.record(job, failedItem(index, digest, reason)).catch((failure: unknown) => {
      this.observer.onError(failure);
    });
  }

  private async sweep(): Promise<void> {
    await this.store.sweep();
    for (const id of await this.store.unqueued(Date.now() - LEFT_UNDONE)) {
      const queueing = await this.store.queueing(id);
      if (queueing !== null) await this.enqueue(queueing);
      else await this.store.queued(id);
    }
  }
}

const taskId = (job: string, index: number): string => `${job}-${index}`;

function bullOptions(connection: Redis): { connection: Redis; prefix: string; skipVersionCheck: true } {
  // Its check would have the whole Redis keep everything for ever; see scripts.ts.
  return { connection, prefix: `${PREFIX}queue`, skipVersionCheck: true };
}
