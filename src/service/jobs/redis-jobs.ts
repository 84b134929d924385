/** Jobs that instances share: records in Redis (store.ts), and a task for each request, which says nothing but whose it is. */
import type { Job as BullJob } from 'bullmq';
import type { Identity } from '../auth/identity.js';
import type { Cluster } from '../cluster/cluster.js';
import { PREFIX } from '../cluster/link.js';
import { TaskQueue, TaskWorker } from '../cluster/queue.js';
import { ServiceError } from '../errors.js';
import { ATTEMPTS, BACKOFF, DELIVERIES, DELIVERY_BACKOFF } from './backend.js';
import type { Deliver, JobBackend, JobLimits, JobObserver, RunTask } from './backend.js';
import { failedItem, type JobHappening, type JobItem, type JobRecord, type NewJob } from './job.js';
import { Undeliverable } from './webhook.js';
import { JobStore, type Queueing } from './store.js';

const QUEUE = 'jobs';
const WEBHOOKS = 'webhooks';
/** Webhooks that one instance calls at a time. */
const CALLS = 16;
/** The largest priority that BullMQ has; turns beyond it are taken in the order in which they were queued. */
const LAST_TURN = 2 ** 21 - 1;
/** Milliseconds between looks for what was left undone, and what they take for left. */
const SWEEP_INTERVAL = 30_000;
const LEFT_UNDONE = 10_000;

interface TaskData {
  readonly job: string;
  readonly index: number;
  readonly digest: string;
  readonly identity: Identity;
  readonly turn: number;
  readonly trace: string;
}

interface WebhookData {
  readonly job: string;
}

export class RedisJobs implements JobBackend {
  private readonly store: JobStore;
  private readonly queue: TaskQueue<TaskData>;
  private readonly webhooks: TaskQueue<WebhookData>;
  private workers: { close(timeout: number): Promise<void> }[] = [];
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly cluster: Cluster,
    limits: JobLimits,
    private readonly observer: JobObserver,
  ) {
    this.store = new JobStore(cluster.patient, limits);
    this.queue = new TaskQueue(cluster, QUEUE);
    this.webhooks = new TaskQueue(cluster, WEBHOOKS);
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

  ended(id: string): Promise<boolean> {
    return this.store.ended(id);
  }

  async cancel(id: string): Promise<void> {
    const queueing = await this.store.queueing(id);
    if (!(await this.store.cancel(id))) return;
    await this.tellFinished(id);
    // Tasks that stay behind would find their job cancelled; that they go at once makes room.
    await this.queue.remove(queueing?.digests.map((_, index) => taskId(id, index)) ?? []);
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

  work(run: RunTask, concurrency: number, deliver: Deliver): void {
    const onError = (error: unknown): void => {
      this.observer.onError(error);
    };
    const tasks = new TaskWorker<TaskData>(this.cluster, {
      name: QUEUE,
      concurrency,
      cancelledBy: ({ data }) => data.job,
      channel: `${PREFIX}jobs:cancel`,
      process: (task, signal) => this.process(run, task, signal),
      failed: (task, error, lost) => void this.gaveUp(task, error, lost),
      onError,
    });
    const calls = new TaskWorker<WebhookData>(this.cluster, {
      name: WEBHOOKS,
      concurrency: CALLS,
      cancelledBy: ({ data }) => data.job,
      channel: `${PREFIX}webhooks:cancel`,
      process: async ({ data }) => {
        const job = await this.store.read(data.job);
        if (job === null) return; // forgotten meanwhile
        await deliver(job).catch((error: unknown) => {
          if (!(error instanceof Undeliverable)) throw error;
        });
      },
      failed: () => undefined, // counted where it is called
      onError,
    });
    this.workers = [tasks, calls];
  }

  async close(timeout: number): Promise<void> {
    clearInterval(this.sweeper);
    await Promise.all(this.workers.map((worker) => worker.close(timeout)));
    await Promise.all([this.queue.close(), this.webhooks.close()]);
  }

  /** Throws QUEUE_UNAVAILABLE; whoever sweeps next then queues what is kept. */
  private async enqueue({ id, identity, turn, cost, digests, trace }: Queueing): Promise<void> {
    const tasks = digests.map((digest, index) => {
      const mine = Math.min(LAST_TURN, turn + index * cost);
      const retry = { attempts: ATTEMPTS, backoff: { type: 'exponential', delay: BACKOFF } };
      return {
        id: taskId(id, index),
        data: { job: id, index, digest, identity, turn: mine, trace },
        options: { priority: mine, ...retry },
      };
    });
    await this.queue.add(tasks);
    await this.store.queued(id);
  }

  private async process(run: RunTask, task: BullJob<TaskData>, signal: AbortSignal): Promise<void> {
    const { job, index, digest, identity, turn, trace } = task.data;
    const bytes = await this.store.begin(job, index, digest, turn);
    if (bytes === null) return;
    this.observer.started(Math.max(0, Date.now() - task.timestamp));
    await this.record(job, await run({ bytes, digest, index, identity, trace }, signal));
  }

  private async record(job: string, item: JobItem): Promise<void> {
    const finished = await this.store.record(job, item);
    if (finished === 'nothing') return;
    this.observer.itemFinished(item);
    if (finished === 'job') await this.tellFinished(job);
  }

  private async tellFinished(id: string): Promise<void> {
    const job = await this.store.read(id);
    if (job === null) return;
    this.observer.jobFinished(job);
    if (job.callbackUrl !== '') await this.queueWebhook(id);
  }

  private async queueWebhook(id: string): Promise<void> {
    const options = { attempts: DELIVERIES, backoff: { type: 'exponential', delay: DELIVERY_BACKOFF } };
    await this.webhooks.add([{ id, data: { job: id }, options }]);
    await this.store.told(id);
  }

  /** A task that was tried as often as it may be, or whose workers died one after the other. */
  private async gaveUp(task: BullJob<TaskData>, error: Error, lost: boolean): Promise<void> {
    const { job, index, digest } = task.data;
    this.observer.onError(error);
    if (!lost && task.attemptsMade < ATTEMPTS) return;
    const reason = lost ? new ServiceError('WORKER_LOST', 'the instances that were at it died') : error;
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
    for (const id of await this.store.untold(Date.now() - LEFT_UNDONE)) await this.queueWebhook(id);
  }
}

const taskId = (job: string, index: number): string => `${job}-${index}`;
