/** Worker threads behind a bounded queue that gives clients fair turns. */
import { performance } from 'node:perf_hooks';
import { ServiceError } from '../errors.js';
import { FairQueue } from './fair-queue.js';
import { History, MEDIUM, type Expected } from './history.js';
import { Lanes, type Lane } from './lanes.js';
import type { CompileTask, CompileTaskOutcome, WorkerSetup } from './protocol.js';
import { ThreadClock } from './thread-clock.js';
import { Stop, Threads, type ReplacementReason } from './threads.js';

export interface PoolOptions {
  /** 0: none are started, for an instance that compiles nothing. */
  readonly workers: number;
  /** Places that one client's long compilations may hold; 0: all but one, and at least one. */
  readonly clientWorkers?: number;
  /** Tasks that may wait; one more is refused. */
  readonly maxQueue: number;
  /** Heap of one worker in MiB; one that needs more is replaced and its task refused. */
  readonly workerMemory: number;
  /** Milliseconds of the processor that one task may use. */
  readonly cpuTimeout?: number;
  readonly setup: Pick<WorkerSetup, 'targets'>;
  /** Hears of each worker thread that ended and is replaced. */
  readonly onReplaced?: (reason: ReplacementReason) => void;
  /** Another worker file, for tests of what happens to workers. */
  readonly workerFile?: string;
}

export interface PoolResult {
  readonly result: CompileTaskOutcome;
  /** Milliseconds in queue and worker together. */
  readonly elapsed: number;
}

/** How often a task is tried again whose worker died under it. */
const RETRIES = 1;

/** Milliseconds after which it is looked at what running tasks have used. */
const LOOK = 25;

interface Entry {
  readonly task: CompileTask;
  readonly client: string;
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly resolve: (result: CompileTaskOutcome) => void;
  readonly reject: (reason: unknown) => void;
  expected: Expected;
  cost: number;
  retries: number;
  /** Milliseconds of the processor that threads have used for it which it has lost. */
  spent: number;
}

interface Run {
  readonly entry: Entry;
  readonly place: number;
  readonly clock: ThreadClock;
  readonly stop: Stop;
  /** It is to wait again; what its thread did is lost. */
  yields: boolean;
}

export class CompilePool {
  private readonly workers: Threads;
  private readonly queue = new FairQueue<Entry>();
  private readonly lanes: Lanes<Entry>;
  private readonly history = new History();
  private readonly runs = new Map<Entry, Run>();
  /** Numbers that no running task has. */
  private readonly places: number[];
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: PoolOptions) {
    const { workers, clientWorkers = 0 } = options;
    this.lanes = new Lanes(workers, clientWorkers === 0 ? Math.max(1, workers - 1) : clientWorkers);
    this.places = Array.from({ length: workers + 1 }, (_, i) => i);
    this.workers = new Threads(options, (reason) => {
      for (const { stop } of this.runs.values()) stop.abort(reason);
      for (let entry = this.queue.surplus(); entry !== null; entry = this.queue.surplus()) {
        this.queue.remove(entry);
        entry.reject(reason);
      }
    });
  }

  /** Tasks waiting, running, and workers that died. */
  get state(): { readonly queued: number; readonly running: number; readonly lost: number } {
    return { queued: this.queue.size, running: this.runs.size, lost: this.workers.lost };
  }

  /** Bytes of heap in use after the last answer, of each live thread that has given one. */
  get heapBytes(): readonly number[] {
    return this.workers.heapBytes;
  }

  /** Whether one more task would be taken. */
  get hasRoom(): boolean {
    return this.lanes.hasRoom || this.queue.size < this.options.maxQueue;
  }

  /** The live threads, for tests that kill them. */
  get threads(): Threads['live'] {
    return this.workers.live;
  }

  /**
   * Runs one compilation when its client's turn comes. Aborting the signal ends the worker thread under it, so that the work
   * really stops. Throws ServiceError QUEUE_FULL, DEADLINE_EXCEEDED, OUT_OF_MEMORY or WORKER_LOST, or the signal's reason.
   */
  async run(task: CompileTask, signal: AbortSignal, client = ''): Promise<PoolResult> {
    signal.throwIfAborted();
    const started = performance.now();
    const result = await new Promise<CompileTaskOutcome>((resolve, reject) => {
      const bytes = task.request.length;
      const expectation = this.history.expect(client, bytes, task.digest);
      const abort = (): void => {
        this.cancel(entry);
      };
      const settle = <V>(done: (value: V) => void) => {
        return (value: V): void => {
          signal.removeEventListener('abort', abort);
          done(value);
        };
      };
      const waiter = { signal, resolve: settle(resolve), reject: settle(reject) };
      const entry: Entry = { task, client, bytes, ...waiter, ...expectation, retries: RETRIES, spent: 0 };
      signal.addEventListener('abort', abort);
      this.queue.push(entry);
      this.dispatch();
      this.refuseSurplus();
    });
    return { result, elapsed: performance.now() - started };
  }

  /** Ends all worker threads; what still runs is lost. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.workers.close();
  }

  /** Who has the most waiting makes room for who comes, and keeps nobody out. */
  private refuseSurplus(): void {
    if (this.queue.size <= this.options.maxQueue) return;
    const entry = this.queue.surplus()!;
    const waiting = this.queue.size - 1 + this.runs.size;
    this.queue.remove(entry);
    entry.reject(new ServiceError('QUEUE_FULL', `${waiting} compilations are waiting or running`));
  }

  private dispatch(): void {
    for (;;) {
      const entry = this.closed ? null : this.queue.take((task) => this.lanes.place(task) !== null);
      if (entry === null) break;
      void this.start(entry, this.lanes.place(entry)!);
    }
    if (this.runs.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    } else {
      this.timer ??= setInterval(() => {
        this.look();
      }, LOOK).unref();
    }
  }

  private async start(entry: Entry, lane: Lane): Promise<void> {
    const place = this.places.pop()!;
    const run = { entry, place, clock: new ThreadClock(this.workers.places, place), stop: new Stop(), yields: false };
    this.runs.set(entry, run);
    this.lanes.enter(entry, lane);
    let outcome: (() => void) | null = null;
    try {
      const result = await this.workers.run({ ...entry.task, place }, run.stop);
      this.account(entry, 'field' in result ? 0 : result.elapsed);
      outcome = () => {
        entry.resolve(result);
      };
    } catch (error) {
      outcome = this.failed(run, error);
    }
    this.runs.delete(entry);
    this.lanes.leave(entry);
    this.places.push(place);
    outcome?.();
    this.dispatch();
  }

  /** What to say to who waits; null where the task waits again. */
  private failed(run: Run, error: unknown): (() => void) | null {
    const { entry } = run;
    const used = entry.spent + (run.clock.used || 0);
    const refuse = (reason: unknown) => (): void => {
      entry.reject(reason);
    };
    if (entry.signal.aborted || run.stop.aborted) this.account(entry, used);
    if (entry.signal.aborted) return refuse(entry.signal.reason);
    if (this.workers.broken !== null) return refuse(this.workers.broken.reason);
    if (run.yields) {
      const expectation = this.history.expect(entry.client, entry.bytes, entry.task.digest);
      Object.assign(entry, { cost: expectation.cost, expected: 'long', spent: used });
      this.queue.pushFirst(entry);
      return null;
    }
    if (run.stop.aborted) return refuse(run.stop.reason);
    const fate = this.workers.fateOf(error);
    if (fate === null) return refuse(error);
    if (fate === 'memory') {
      const detail = `the compilation needed more than ${this.options.workerMemory} MiB`;
      return refuse(new ServiceError('OUT_OF_MEMORY', detail));
    }
    if (entry.retries-- > 0) {
      this.queue.pushFirst(entry);
      return null;
    }
    return refuse(new ServiceError('WORKER_LOST', 'the worker thread ended before the compilation did, twice'));
  }

  private account({ client, bytes, task, cost }: Entry, milliseconds: number): void {
    this.history.learn(client, bytes, task.digest, milliseconds);
    this.queue.charge(client, milliseconds - cost);
  }

  private cancel(entry: Entry): void {
    const run = this.runs.get(entry);
    if (run !== undefined) this.workers.end(run.stop, entry.signal.reason, stopReason(entry.signal.reason));
    else {
      this.queue.remove(entry);
      entry.reject(entry.signal.reason);
    }
  }

  /** What runs over its time is stopped, what is in the way of shorter ones waits again. */
  private look(): void {
    const limit = this.options.cpuTimeout ?? Infinity;
    for (const run of this.runs.values()) {
      const { used } = run.clock;
      if (run.stop.aborted) continue;
      if (run.entry.spent + used > limit) {
        const detail = `the compilation needed more than ${limit} ms of the processor`;
        this.workers.end(run.stop, new ServiceError('DEADLINE_EXCEEDED', detail), 'deadline');
      } else if (!this.lanes.mayStay(run.entry, used)) {
        run.yields = true;
        this.history.learn(run.entry.client, run.entry.bytes, run.entry.task.digest, MEDIUM + 1);
        this.workers.end(run.stop, null, 'turn');
      }
    }
    this.dispatch(); // one that has moved may have made room
  }
}

function stopReason(reason: unknown): ReplacementReason {
  return reason instanceof ServiceError && reason.code === 'DEADLINE_EXCEEDED' ? 'deadline' : 'cancelled';
}
