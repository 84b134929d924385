/** Worker threads behind a bounded queue. */
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ServiceError } from '../errors.js';
import type { CompileTask, CompileTaskOutcome, WorkerSetup } from './protocol.js';

export interface PoolOptions {
  /** 0: none are started, for an instance that compiles nothing. */
  readonly workers: number;
  /** Tasks that may wait; one more is refused. */
  readonly maxQueue: number;
  /** Heap of one worker in MiB; one that needs more is replaced and its task refused. */
  readonly workerMemory: number;
  readonly setup: WorkerSetup;
  /** Hears of each worker thread that ended and is replaced. */
  readonly onReplaced?: (reason: ReplacementReason) => void;
  /** Another worker file, for tests of what happens to workers. */
  readonly workerFile?: string;
}

/** Why a thread ended: by itself, over its memory, or under work that nobody waits for any more. */
export type ReplacementReason = 'exit' | 'memory' | 'cancelled' | 'deadline';

export interface PoolResult {
  readonly result: CompileTaskOutcome;
  /** Milliseconds in queue and worker together. */
  readonly elapsed: number;
}

/** worker.js when built; sources go through tsx. */
function defaultWorkerFile(): string {
  const built = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('./worker-dev.mjs', import.meta.url));
}

/** How often a task is tried again whose worker died under it. */
const RETRIES = 1;

/** What Piscina takes for a signal, at a fraction of an AbortController's cost. */
class Stop extends EventEmitter {
  aborted = false;
  reason: unknown = null;

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.emit('abort');
  }
}

export class CompilePool {
  private readonly piscina: Piscina<CompileTask, CompileTaskOutcome>;
  private pending = 0;
  private lost = 0;
  /** Set while an abort runs: the reason of the thread that Piscina ends in it. */
  private stopping: ReplacementReason | null = null;
  /** Bytes of heap after the last answer, by thread. */
  private readonly heaps = new Map<number, number>();
  /** What waits or runs. */
  private readonly runs = new Set<Stop>();
  /** Set when no worker comes up any more: tasks would wait for ever. */
  private broken: { readonly reason: unknown } | null = null;

  constructor(private readonly options: PoolOptions) {
    this.piscina = new Piscina<CompileTask, CompileTaskOutcome>({
      filename: options.workerFile ?? defaultWorkerFile(),
      minThreads: options.workers,
      maxThreads: Math.max(1, options.workers),
      maxQueue: Infinity, // bounded here, by `pending`
      concurrentTasksPerWorker: 1,
      workerData: options.setup,
      resourceLimits: { maxOldGenerationSizeMb: options.workerMemory },
    });
    this.piscina.on('error', (error: unknown) => {
      this.lose('exit'); // a worker that died without a task; Piscina replaces it unless it never came up
      if (this.piscina.threads.length > 0) return;
      this.broken = { reason: error };
      for (const run of this.runs) run.abort(error);
    });
    this.piscina.on('workerDestroy', () => {
      if (this.stopping !== null) this.options.onReplaced?.(this.stopping);
    });
  }

  /** Tasks waiting, running, and workers that died. */
  get state(): { readonly queued: number; readonly running: number; readonly lost: number } {
    const running = Math.min(this.pending, this.options.workers);
    return { queued: this.pending - running, running, lost: this.lost };
  }

  /** Bytes of heap in use after the last answer, of each live thread that has given one. */
  get heapBytes(): readonly number[] {
    const live = new Set(this.piscina.threads.map(({ threadId }) => threadId));
    for (const thread of this.heaps.keys()) if (!live.has(thread)) this.heaps.delete(thread);
    return [...this.heaps.values()];
  }

  /** Whether one more task would be taken. */
  get hasRoom(): boolean {
    return this.pending < this.options.workers + this.options.maxQueue;
  }

  /**
   * Runs one compilation. Aborting the signal ends the worker thread under it, so that the work really stops.
   * Throws ServiceError QUEUE_FULL, OUT_OF_MEMORY or WORKER_LOST, or the signal's reason.
   */
  async run(task: CompileTask, signal: AbortSignal): Promise<PoolResult> {
    if (!this.hasRoom) throw new ServiceError('QUEUE_FULL', `${this.pending} compilations are waiting or running`);
    this.pending++;
    const started = performance.now();
    try {
      const result = await this.attempt(task, signal, RETRIES);
      if ('worker' in result) this.heaps.set(result.worker.thread, result.worker.heapBytes);
      return { result, elapsed: performance.now() - started };
    } finally {
      this.pending--;
    }
  }

  private async attempt(task: CompileTask, signal: AbortSignal, retries: number): Promise<CompileTaskOutcome> {
    try {
      return await this.runOnce(task, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (this.broken !== null) throw this.broken.reason;
      const fate = workerFate(error);
      if (fate === null) throw error;
      this.lose(fate);
      if (fate === 'memory') {
        throw new ServiceError('OUT_OF_MEMORY', `the compilation needed more than ${this.options.workerMemory} MiB`);
      }
      if (retries > 0) return this.attempt(task, signal, retries - 1);
      throw new ServiceError('WORKER_LOST', 'the worker thread ended before the compilation did, twice');
    }
  }

  /** Piscina ends the thread in its own listener, while `stopping` says why. The listener here ends with the run. */
  private async runOnce(task: CompileTask, signal: AbortSignal): Promise<CompileTaskOutcome> {
    signal.throwIfAborted();
    if (this.broken !== null) throw this.broken.reason;
    const stop = new Stop();
    const abort = (): void => {
      this.stopping = stopReason(signal.reason);
      stop.abort(signal.reason);
      this.stopping = null;
    };
    signal.addEventListener('abort', abort);
    this.runs.add(stop);
    try {
      return await this.piscina.run(task, { signal: stop });
    } finally {
      signal.removeEventListener('abort', abort);
      this.runs.delete(stop);
    }
  }

  private lose(reason: ReplacementReason): void {
    this.lost++;
    this.options.onReplaced?.(reason);
  }

  /** Ends all worker threads; what still runs is lost. */
  async close(): Promise<void> {
    await this.piscina.destroy();
  }

  /** The live threads, for tests that kill them. */
  get threads(): Piscina['threads'] {
    return this.piscina.threads;
  }
}

function stopReason(reason: unknown): ReplacementReason {
  return reason instanceof ServiceError && reason.code === 'DEADLINE_EXCEEDED' ? 'deadline' : 'cancelled';
}

/** How a worker came to its end, or null where the error is the task's own. */
function workerFate(error: unknown): 'memory' | 'exit' | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'memory';
  return error.message.startsWith('worker exited with code') || error.message === 'Terminating worker thread'
    ? 'exit'
    : null;
}
