/** What the service refuses, as RFC 9457 problems. */
import { fromJson } from './convert.js';
import type { ErrorCode, Failure } from './generated/messages.js';

/** A refusal. `message` holds code and detail. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    /** Stable; `HTTP_…` with the status where something other than the service answered. */
    readonly code: ErrorCode | `HTTP_${number}`,
    readonly status: number,
    readonly detail: string,
    /** Path of the field at fault. */
    readonly field: string | null,
    /** Why an object could not be loaded. */
    readonly failure: Failure | null,
    /** By which the service's log knows the request. */
    readonly requestId: string | null,
    /** Seconds after which trying again makes sense; null where it does not. */
    readonly retryAfter: number | null,
  ) {
    super(`${code}: ${detail}`);
  }
}

interface ProblemBody {
  readonly code?: ErrorCode;
  readonly detail?: string;
  readonly field?: string;
  readonly failure?: unknown;
}

export async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const body = (isProblem ? JSON.parse(text) : {}) as ProblemBody;
  return new ProblemError(
    body.code ?? `HTTP_${response.status}`,
    response.status,
    body.detail ?? response.statusText,
    body.field ?? null,
    body.failure === undefined ? null : fromJson<Failure>('Failure', body.failure),
    response.headers.get('x-request-id'),
    retryAfter(response.headers.get('retry-after')),
  );
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}
