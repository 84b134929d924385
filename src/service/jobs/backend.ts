/** Where jobs are kept and wait for their turn: this process's memory, or the Redis that instances share. */
import type { Identity } from '../auth/identity.js';
import type { ErrorCode } from '../errors.js';
import type { JobHappening, JobItem, JobRecord, JobRequest, NewJob } from './job.js';

export interface JobLimits {
  /** Items that may be open, of all clients and of one. */
  readonly items: number;
  readonly clientItems: number;
  /** Bytes of requests that may be kept, and as many of what finished jobs came to. */
  readonly bytes: number;
  /** Milliseconds that a job is kept after the last thing that happened to it. */
  readonly retention: number;
}

export interface Task extends JobRequest {
  readonly index: number;
  readonly identity: Identity;
  /** W3C traceparent; empty where no traces are kept. */
  readonly trace: string;
}

/** Makes an item of a task. Throws what may go better another time; everything else is an item that failed. */
export type RunTask = (task: Task, signal: AbortSignal) => Promise<JobItem>;

/** Calls a finished job's webhook once; rejects where it is to be called again, with Undeliverable where that is of no use. */
export type Deliver = (job: JobRecord) => Promise<void>;

/** What a backend tells of its work. */
export interface JobObserver {
  /** An item was taken up after so many milliseconds of waiting. */
  started(waited: number): void;
  /** Counted once, whoever made it how often. */
  itemFinished(item: JobItem): void;
  jobFinished(job: JobRecord): void;
  /** Something failed that is tried again. */
  onError(error: unknown): void;
}

/** Happenings that are told at a time, at least where there are as many. */
export const HAPPENINGS_PAGE = 200;

export interface JobBackend {
  /**
   * Keeps and queues a job; its id, or that of the job that the same idempotency key led to before. Throws ServiceError
   * QUEUE_FULL, RATE_LIMITED, IDEMPOTENCY_KEY_REUSED or QUEUE_UNAVAILABLE.
   */
  submit(job: NewJob): Promise<string>;
  read(id: string): Promise<JobRecord | null>;
  /** Whether it is finished, or forgotten; cheap, however many items it has. */
  ended(id: string): Promise<boolean>;
  /** Ends what is not finished. */
  cancel(id: string): Promise<void>;
  /** What happened to a job after the happening of that id, from the first for ''; where it is less than a page, that is all. */
  happenings(id: string, after: string): Promise<readonly JobHappening[]>;
  /** Calls when something may have happened; resolves with what ends that. */
  watch(id: string, listener: () => void): Promise<() => void>;
  /** Items that wait or are worked on, of all instances; null where that is not known. */
  open(): Promise<number | null>;
  /** Starts to take tasks, so many at a time, and to call webhooks. */
  work(run: RunTask, concurrency: number, deliver: Deliver): void;
  /** Takes no more tasks; what runs is given so many milliseconds, then goes back into the queue. */
  close(timeout: number): Promise<void>;
}

/** How often a task is tried, and the milliseconds before the second time; each further wait is twice the last. */
export const ATTEMPTS = 5;
export const BACKOFF = 500;

/** The same of webhooks: for an hour and more. */
export const DELIVERIES = 12;
export const DELIVERY_BACKOFF = 1000;

/** What another try, here or elsewhere, may mend. */
export const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'QUEUE_FULL',
  'QUEUE_UNAVAILABLE',
  'SHUTTING_DOWN',
  'WORKER_LOST',
]);
