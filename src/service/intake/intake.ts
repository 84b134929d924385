/**
 * Where what clients send becomes requests. Small things are read at once; what is compressed or large goes to worker threads of
 * its own, so that the event loop never inflates, parses or hashes at length. Clients take turns, and what they wait for ends
 * with them: a thread under a client that left, or whose time is over, is ended.
 */
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { fromWire, ServiceError } from '../errors.js';
import { MemoryQueue } from '../jobs/memory-queue.js';
import { readSource } from './read.js';
import type { ReadSource, RequestSource } from './source.js';
import type { IntakeOutcome, IntakeSetup, IntakeTask } from './task.js';
import type { CheckedUpload, Upload } from './upload.js';

/** Bytes of a message that are parsed at once, and of an object, which is only copied and hashed. */
const SMALL_MESSAGE = 16 * 1024;
const SMALL_OBJECT = 256 * 1024;
/** What may wait to be read; the bytes of it are bounded where they come in. */
const MAX_WAITING = 256;
/** Bytes that cost a turn. */
const TURN = 64 * 1024;
/** MiB of heap that reading one body may take: text and messages of it. */
const HEAP = 512;
/** Milliseconds after which a thread that nobody needs is ended. */
const IDLE = 120_000;

/** Whom the reading is for. */
export interface Asker {
  /** Who takes turns. */
  readonly client: string;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly limit: number;
}

interface Waiting {
  /** Null when nobody waits for it any more. */
  task: IntakeTask | null;
  readonly stop: Stop;
  readonly settle: (outcome: Promise<IntakeOutcome>) => void;
}

/** What Piscina takes for a signal. */
class Stop extends EventEmitter {
  aborted = false;
  reason: unknown = null;
}

export class Intake {
  private readonly piscina: Piscina<IntakeTask, IntakeOutcome>;
  private readonly queue = new MemoryQueue<Waiting>();
  private waiting = 0;
  private running = 0;

  constructor(
    private readonly setup: IntakeSetup,
    private readonly threads: number,
  ) {
    this.piscina = new Piscina<IntakeTask, IntakeOutcome>({
      filename: workerFile(),
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE,
      concurrentTasksPerWorker: 1,
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: HEAP },
    });
    this.piscina.on('error', () => undefined); // of a thread that was ended; the task tells
  }

  /** At once where it is small. Throws ServiceError. */
  read(source: RequestSource, asker: Asker): ReadSource | Promise<ReadSource> {
    if (isSmall(source)) return readSource(source, this.setup.naming, this.setup.maxRequests);
    return this.submit({ source }, asker).then((outcome) => (outcome as { readonly read: ReadSource }).read);
  }

  /** Throws ServiceError. */
  async upload(upload: Upload, asker: Asker): Promise<CheckedUpload> {
    return ((await this.submit({ upload }, asker)) as { readonly upload: CheckedUpload }).upload;
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await this.piscina.destroy();
  }

  private async submit(task: IntakeTask, { client, signal, limit }: Asker): Promise<IntakeOutcome> {
    signal.throwIfAborted();
    if (this.waiting >= MAX_WAITING) throw new ServiceError('OVERLOADED', `${this.waiting} bodies wait to be read`);
    const stop = new Stop();
    const end = (reason: unknown): void => {
      if (stop.aborted) return;
      stop.aborted = true;
      stop.reason = reason;
      stop.emit('abort');
    };
    const cancel = (): void => {
      end(signal.reason);
    };
    const timer = setTimeout(
      () => {
        end(new ServiceError('DEADLINE_EXCEEDED', 'reading the request was stopped'));
      },
      Math.min(limit, 2 ** 31 - 1),
    );
    signal.addEventListener('abort', cancel);
    try {
      const outcome = await this.turn(client, task, stop);
      if (!('refused' in outcome)) return outcome;
      throw fromWire(outcome.refused) ?? new ServiceError('INTERNAL', 'the defect is in the log');
    } catch (error) {
      throw stop.aborted ? stop.reason : reasonOf(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }

  /** When the client's turn has come and the task was run; rejects when it is stopped before. */
  private turn(client: string, task: IntakeTask, stop: Stop): Promise<IntakeOutcome> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { task, stop, settle: resolve };
      stop.once('abort', () => {
        if (waiting.task !== null) this.waiting--;
        waiting.task = null;
        reject(stop.reason as Error);
      });
      this.queue.push(client, [waiting], Math.ceil(bytesOf(task) / TURN));
      this.waiting++;
      this.dispatch();
    });
  }

  private dispatch(): void {
    while (this.running < this.threads) {
      const next = this.queue.shift();
      if (next === null) return;
      const { task, stop } = next;
      if (task === null) continue;
      next.task = null;
      this.waiting--;
      this.running++;
      const work = this.piscina.run(task, { signal: stop, transferList: ownBuffers(task) });
      next.settle(work);
      const done = (): void => {
        this.running--;
        this.dispatch();
      };
      work.then(done, done);
    }
  }
}

function reasonOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new ServiceError('OUT_OF_MEMORY', `reading the request needed more than ${HEAP} MiB`);
  }
  if (!error.message.startsWith('worker exited') && error.message !== 'Terminating worker thread') return error;
  return new ServiceError('WORKER_LOST', 'the thread that read the request ended');
}

function isSmall(source: RequestSource): boolean {
  if (source.kind !== 'files') return source.body.coding === null && source.body.bytes.length <= SMALL_MESSAGE;
  const { object, btf, attachObject } = source;
  const bytes = (object?.bytes.length ?? 0) + (btf?.length ?? 0) + (attachObject?.length ?? 0);
  return (object?.coding ?? null) === null && bytes <= SMALL_OBJECT;
}

/** Those that hold nothing else: they change hands instead of being copied, and are not read here again. */
function ownBuffers(task: IntakeTask): ArrayBuffer[] {
  const own = piecesOf(task).filter(({ byteLength, buffer }) => byteLength === buffer.byteLength);
  return [...new Set(own.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** At least 1. */
function bytesOf(task: IntakeTask): number {
  return piecesOf(task).reduce((sum, { byteLength }) => sum + byteLength, 1);
}

function piecesOf(task: IntakeTask): Uint8Array[] {
  if ('upload' in task) return [task.upload.body.bytes];
  const { source } = task;
  if (source.kind !== 'files') return [source.body.bytes];
  return [source.object?.bytes, source.btf, source.attachObject].filter((bytes) => bytes instanceof Uint8Array);
}

/** worker.js when built; sources go through tsx. */
function workerFile(): string {
  const built = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('./worker-dev.mjs', import.meta.url));
}
