/** A job: requests that are compiled while nobody holds a connection open for them. */
import type { Identity } from '../auth/identity.js';
import type { Message } from '../contract/schema.js';
import { asServiceError, type ServiceError } from '../errors.js';

/** JobState of proto/bpfjit/v1/jobs.proto. */
export const STATE = { QUEUED: 1, RUNNING: 2, SUCCEEDED: 3, FAILED: 4, CANCELLED: 5 } as const;
export type State = (typeof STATE)[keyof typeof STATE];

/** Priority there, by number: what a turn costs. Who has paid least is next. */
export const TURN_COST: readonly number[] = [4, 1, 16];

/** A JobItem message. */
export interface JobItem {
  readonly digest?: string;
  readonly programs?: readonly Message[];
  readonly failure?: Message;
  readonly index: number;
  readonly state: State;
  readonly error?: { readonly code: string; readonly detail: string; readonly field?: string };
}

export interface JobRequest {
  readonly digest: string;
  /** The checked CompileRequest, encoded. */
  readonly bytes: Uint8Array;
}

export interface NewJob {
  readonly id: string;
  readonly identity: Identity;
  readonly priority: number;
  /** Empty for none. */
  readonly callbackUrl: string;
  /** W3C traceparent of whoever asked; empty where no traces are kept. */
  readonly trace: string;
  readonly requests: readonly JobRequest[];
  /** Names the client's Idempotency-Key and what it was sent with. */
  readonly idempotency: { readonly name: string; readonly fingerprint: string } | null;
}

export interface JobRecord {
  readonly id: string;
  readonly tenant: string;
  readonly priority: number;
  readonly callbackUrl: string;
  readonly state: State;
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** Those that are finished. */
  readonly items: ReadonlyMap<number, JobItem>;
  /** Indices of items that a worker is at. */
  readonly running: ReadonlySet<number>;
}

/** Something that happened: an item was finished, or (null) the job was. */
export interface JobHappening {
  readonly id: string;
  readonly item: JobItem | null;
}

export function isFinal(state: State): boolean {
  return state >= STATE.SUCCEEDED;
}

export function failedItem(index: number, digest: string, error: unknown): JobItem {
  const { code, detail, place }: ServiceError = asServiceError(error);
  const field = place.field === undefined ? {} : { field: place.field };
  return { digest, index, state: STATE.FAILED, error: { code, detail, ...field } };
}

/** An item as the record has it. */
export function itemOf(job: JobRecord, index: number): JobItem {
  const finished = job.items.get(index);
  if (finished !== undefined) return finished;
  if (job.state === STATE.CANCELLED) return { index, state: STATE.CANCELLED };
  return { index, state: job.running.has(index) ? STATE.RUNNING : STATE.QUEUED };
}

/** The Job message. */
export function jobMessage(job: JobRecord): Message {
  const items = Array.from({ length: job.total }, (_, index) => itemOf(job, index));
  const failed = items.filter(({ state }) => state === STATE.FAILED).length;
  return {
    id: job.id,
    state: job.state,
    total: job.total,
    finished: items.filter(({ state }) => isFinal(state)).length,
    failed,
    priority: job.priority,
    createdAt: new Date(job.createdAt).toISOString(),
    ...(job.finishedAt === null ? {} : { finishedAt: new Date(job.finishedAt).toISOString() }),
    items,
  };
}
