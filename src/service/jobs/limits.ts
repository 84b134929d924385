/** What a backend refuses, in the same words whichever it is; and whose work takes turns with whose. */
import { ServiceError } from '../errors.js';
import type { NewJob } from './job.js';

/** What takes turns: a client's jobs of one priority. */
export function flowOf(job: NewJob): string {
  return `${job.priority} ${job.identity.client}`;
}

export function jobsFull(): ServiceError {
  return new ServiceError('QUEUE_FULL', 'as many requests of jobs as fit are open', { retryAfter: 10 });
}

export function clientFull(limit: number): ServiceError {
  const detail = `one client may have ${limit} requests of jobs open`;
  return new ServiceError('RATE_LIMITED', detail, { retryAfter: 10 });
}

/** The job of an idempotency key that was used before. Throws ServiceError where it was for other requests. */
export function sameJob(id: string, fingerprint: string, job: NewJob): string {
  if (fingerprint === job.idempotency?.fingerprint) return id;
  throw new ServiceError('IDEMPOTENCY_KEY_REUSED', 'the key was sent with other requests before');
}
