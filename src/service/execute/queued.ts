/**
 * Has another instance compile, for a client that waits here: the request goes to the workers' queue, and the answer comes
 * back through Redis. What is told by pub/sub is also looked for, and a Redis that lost the task is told it again.
 *
 *     want:TASK     the request, while somebody waits for it: its time to live is the client's
 *     reply:TASK    what became of it
 */
import { randomUUID } from 'node:crypto';
import type { RedisCache } from '../cache/redis.js';
import type { CacheTiers } from '../cache/tiers.js';
import { Bell } from '../cluster/bell.js';
import type { Cluster } from '../cluster/cluster.js';
import { PREFIX } from '../cluster/link.js';
import { TaskQueue } from '../cluster/queue.js';
import { fromWire, ServiceError } from '../errors.js';
import type { Executed, Executor, Question } from './executor.js';

export interface CompileTaskData {
  /** Who is given a turn. */
  readonly client: string;
  readonly tenant: string;
  /** W3C traceparent, where traces are kept. */
  readonly trace?: string;
  /** Channel on which the task's id is called when there is a reply. */
  readonly replies: string;
}

/** A refusal as errors.ts writes it, or the milliseconds of each stage. */
export type Reply = { readonly refused: string } | { readonly timings: Readonly<Record<string, number>> };

/** Of requests that are waited for; instances of another build would answer something else. */
export const compileQueue = (buildId: string): string => `compile-${buildId.slice(0, 16)}`;
export const wantKey = (task: string): string => `${PREFIX}want:${task}`;
export const replyKey = (task: string): string => `${PREFIX}reply:${task}`;
export const CANCEL_CHANNEL = `${PREFIX}compile:cancel`;

/** Milliseconds after which is looked again, told or not. */
const LOOK_AGAIN = 1000;
/** Milliseconds for which queueing is tried again, and between two tries: a Redis that restarts is back by then. */
const PATIENCE = 3000;
const TRY_AGAIN = 100;
const ATTEMPTS = 5;

export interface QueuedParts {
  readonly cluster: Cluster;
  readonly buildId: string;
  /** Over a patient link: without it there is no answer. */
  readonly answers: RedisCache;
  readonly tiers: CacheTiers;
  /** Requests that may wait. */
  readonly limit: number;
  /** Milliseconds that a request may take at most. */
  readonly timeout: number;
}

export class QueuedExecutor implements Executor {
  private readonly queue: TaskQueue<CompileTaskData>;
  private readonly waiting = new Map<string, Bell>();
  private readonly replies = `${PREFIX}replies:${randomUUID()}`;

  constructor(private readonly parts: QueuedParts) {
    this.queue = new TaskQueue(parts.cluster, compileQueue(parts.buildId));
    void parts.cluster.bus.listen(this.replies, (task) => this.waiting.get(task)?.ring());
  }

  get hasRoom(): boolean {
    return this.waiting.size < this.parts.limit;
  }

  async execute(question: Question, signal: AbortSignal): Promise<Executed> {
    if (!this.hasRoom) throw new ServiceError('QUEUE_FULL', `${this.waiting.size} compilations are waited for`);
    const task = randomUUID();
    const bell = new Bell();
    this.waiting.set(task, bell);
    try {
      await this.enqueue(task, question, signal);
      for (;;) {
        await bell.wait(LOOK_AGAIN, signal);
        signal.throwIfAborted();
        const reply = await this.look(task, question, signal);
        if (reply !== null) return await this.answer(question, reply);
      }
    } catch (error) {
      if (signal.aborted) void this.withdraw(task);
      throw error;
    } finally {
      this.waiting.delete(task);
    }
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  private async enqueue(task: string, { bytes, tenant, client, trace }: Question, signal: AbortSignal): Promise<void> {
    const until = performance.now() + PATIENCE;
    const data = { tenant, client, replies: this.replies, ...(trace !== null && { trace: trace.carrier }) };
    for (;;) {
      try {
        const { patient } = this.parts.cluster;
        await patient.must((redis) => redis.set(wantKey(task), Buffer.from(bytes), 'PX', this.parts.timeout));
        const options = { attempts: ATTEMPTS, backoff: { type: 'fixed', delay: TRY_AGAIN } };
        await this.queue.add([{ id: task, data, options }]);
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Bell().wait(TRY_AGAIN, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** Null where there is no reply yet, or Redis does not say. */
  private async look(task: string, question: Question, signal: AbortSignal): Promise<Reply | null> {
    try {
      const text = await this.parts.cluster.patient.must((redis) => redis.getdel(replyKey(task)));
      if (text !== null) return JSON.parse(text) as Reply;
      if (!(await this.queue.has(task))) await this.enqueue(task, question, signal); // a Redis that forgot
    } catch {
      // it is looked again, until the client's time is over
    }
    return null;
  }

  private async answer({ key }: Question, reply: Reply): Promise<Executed> {
    if ('refused' in reply) throw fromWire(reply.refused) ?? new ServiceError('INTERNAL', 'the defect is in the log');
    const answer = await this.parts.answers.get(key);
    if (answer === null) throw new ServiceError('QUEUE_UNAVAILABLE', 'the answer was lost on its way; ask again');
    await this.parts.tiers.keep(key, answer);
    return { answer, source: 'compiled', timings: reply.timings };
  }

  private async withdraw(task: string): Promise<void> {
    const { patient } = this.parts.cluster;
    await patient.run((redis) => redis.multi().del(wantKey(task)).publish(CANCEL_CHANNEL, task).exec());
    await this.queue.remove([task]);
  }
}
