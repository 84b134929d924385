/**
 * Has what is asked of several instances at the same time made by one of them: who gets the lease works, the others wait
 * for the answer to appear in Redis. Where Redis does not say who has the lease, each works on its own.
 */
import type { CacheTiers } from '../cache/tiers.js';
import { Bell } from '../cluster/bell.js';
import type { Bus } from '../cluster/bus.js';
import { channelOf, type Lease, type Leases } from '../cluster/lease.js';
import { fromWire, ServiceError, toWire, type ErrorCode } from '../errors.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Executed, Executor, Question } from './executor.js';

/** Milliseconds after which a follower looks again, told or not. */
const LOOK_AGAIN = 1000;

/** Refusals that are the question's own, whoever asks it where. */
const SHARED_REFUSALS: ReadonlySet<ErrorCode> = new Set(['INVALID_BTF', 'OUT_OF_MEMORY', 'WORKER_LOST']);

export class SharedExecutor implements Executor {
  constructor(
    private readonly own: Executor,
    private readonly leases: Leases,
    private readonly bus: Bus,
    private readonly tiers: CacheTiers,
    private readonly metrics: Metrics,
  ) {}

  get hasRoom(): boolean {
    return this.own.hasRoom;
  }

  async execute(question: Question, signal: AbortSignal): Promise<Executed> {
    const lease = await this.leases.acquire(question.key);
    return lease === 'taken' ? this.follow(question, signal) : this.work(question, signal, lease);
  }

  /** Without a lease where Redis gave no answer. */
  private async work(question: Question, signal: AbortSignal, lease: Lease | null): Promise<Executed> {
    this.metrics.flights.inc({ role: lease === null ? 'alone' : 'leader' });
    let message = '';
    try {
      return await this.own.execute(question, signal);
    } catch (error) {
      if (error instanceof ServiceError && SHARED_REFUSALS.has(error.code)) message = toWire(error);
      throw error;
    } finally {
      void lease?.release(message);
    }
  }

  /** Until the answer is there, the question was refused, or the lease is free: then it is ours to answer. */
  private async follow(question: Question, signal: AbortSignal): Promise<Executed> {
    const bell = new Bell();
    let refusal: ServiceError | null = null;
    const leave = await this.bus.listen(channelOf(question.key), (message) => {
      refusal = fromWire(message);
      bell.ring();
    });
    try {
      for (;;) {
        signal.throwIfAborted();
        const found = await this.tiers.arrived(question.key);
        if (found !== null) {
          this.metrics.flights.inc({ role: 'follower' });
          return { answer: found, source: 'flight', timings: {} };
        }
        if (refusal !== null) throw refusal as ServiceError;
        const lease = await this.leases.acquire(question.key);
        if (lease !== 'taken') return await this.work(question, signal, lease);
        await bell.wait(LOOK_AGAIN, signal);
      }
    } finally {
      leave();
    }
  }
}
