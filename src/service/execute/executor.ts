/** Whoever makes an answer that no cache has: worker threads here, or another instance. */
import type { Answer } from '../cache/entry.js';
import type { Trace } from '../telemetry/trace.js';
import type { Prepared } from '../intake/source.js';

/** A request that was checked and named, and for whom it is. */
export interface Question extends Prepared {
  /** What its answer is kept under. */
  readonly key: string;
  readonly tenant: string;
  /** Who is given a turn. */
  readonly client: string;
  /** Whether JSON is what the client will be sent. */
  readonly json: boolean;
  /** Of whoever asked first; null where no traces are kept. */
  readonly trace: Trace | null;
}

export interface Executed {
  readonly answer: Answer;
  /** Compiled now, or by another instance that was at it already. */
  readonly source: 'compiled' | 'flight';
  /** Milliseconds, by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface Executor {
  /** Whether one more would be taken. */
  readonly hasRoom: boolean;
  /** Puts the answer into the caches as well. Aborting the signal ends the work. Throws ServiceError. */
  execute(question: Question, signal: AbortSignal): Promise<Executed>;
}
