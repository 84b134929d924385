/** The worker threads themselves, one task each: how they are started, ended and replaced. */
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { CompileTask, CompileTaskOutcome, PlacedTask, WorkerSetup } from './protocol.js';

export interface ThreadsOptions {
  readonly workers: number;
  readonly workerMemory: number;
  readonly setup: Pick<WorkerSetup, 'targets'>;
  readonly onReplaced?: (reason: ReplacementReason) => void;
  readonly workerFile?: string;
}

/**
 * Why a thread ended: by itself, over its memory, under work that nobody waits for any more or that ran out of time, or
 * because others were to have its turn.
 */
export type ReplacementReason = 'exit' | 'memory' | 'cancelled' | 'deadline' | 'turn';

/** worker.js when built; sources go through tsx. */
function defaultWorkerFile(): string {
  const built = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('./worker-dev.mjs', import.meta.url));
}

/** What Piscina takes for a signal, at a fraction of an AbortController's cost. */
export class Stop extends EventEmitter {
  aborted = false;
  reason: unknown = null;

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.emit('abort');
  }
}

export class Threads {
  /** Which thread works in which place (thread-clock.ts). */
  readonly places: Int32Array<SharedArrayBuffer>;
  /** Set when no worker comes up any more: tasks would wait for ever. */
  broken: { readonly reason: unknown } | null = null;
  /** Threads that died. */
  lost = 0;
  private readonly piscina: Piscina<CompileTask, CompileTaskOutcome>;
  /** Set while a task is stopped: the reason of the thread that Piscina ends in it. */
  private stopping: ReplacementReason | null = null;
  /** Bytes of heap after the last answer, by thread. */
  private readonly heaps = new Map<number, number>();

  /** One thread more than workers, for what is usually short. `onBroken`: no thread comes up any more. */
  constructor(
    private readonly options: ThreadsOptions,
    onBroken: (reason: unknown) => void,
  ) {
    const threads = options.workers === 0 ? 0 : options.workers + 1;
    this.places = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, threads)));
    this.piscina = new Piscina<CompileTask, CompileTaskOutcome>({
      filename: options.workerFile ?? defaultWorkerFile(),
      minThreads: threads,
      maxThreads: Math.max(1, threads),
      maxQueue: Infinity, // no more tasks come than there are threads
      concurrentTasksPerWorker: 1,
      workerData: { ...options.setup, threads: this.places } satisfies WorkerSetup,
      resourceLimits: { maxOldGenerationSizeMb: options.workerMemory },
    });
    this.piscina.on('error', (error: unknown) => {
      this.lose('exit'); // a worker that died without a task; Piscina replaces it unless it never came up
      if (this.live.length > 0) return;
      this.broken = { reason: error };
      onBroken(error);
    });
    this.piscina.on('workerDestroy', () => {
      if (this.stopping !== null) this.options.onReplaced?.(this.stopping);
    });
  }

  get live(): Piscina['threads'] {
    return this.piscina.threads;
  }

  /** Bytes of heap in use after the last answer, of each live thread that has given one. */
  get heapBytes(): readonly number[] {
    const live = new Set(this.live.map(({ threadId }) => threadId));
    for (const thread of this.heaps.keys()) if (!live.has(thread)) this.heaps.delete(thread);
    return [...this.heaps.values()];
  }

  /** Throws what the task throws, what Piscina says of a thread that ended, or the reason why no thread comes up. */
  async run(task: PlacedTask, stop: Stop): Promise<CompileTaskOutcome> {
    if (this.broken !== null) throw this.broken.reason;
    const result = await this.piscina.run(task, { signal: stop });
    if ('worker' in result) this.heaps.set(result.worker.thread, result.worker.heapBytes);
    return result;
  }

  /** Ends the thread under a task. */
  end(stop: Stop, reason: unknown, why: ReplacementReason): void {
    this.stopping = why; // Piscina ends the thread in its own listener
    stop.abort(reason);
    this.stopping = null;
  }

  /** How a thread came to its end, which is then counted; null where the error is the task's own. */
  fateOf(error: unknown): 'memory' | 'exit' | null {
    const fate = fateOf(error);
    if (fate !== null) this.lose(fate);
    return fate;
  }

  async close(): Promise<void> {
    await this.piscina.destroy();
  }

  private lose(reason: ReplacementReason): void {
    this.lost++;
    this.options.onReplaced?.(reason);
  }
}

function fateOf(error: unknown): 'memory' | 'exit' | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'memory';
  return error.message.startsWith('worker exited with code') || error.message === 'Terminating worker thread'
    ? 'exit'
    : null;
}
