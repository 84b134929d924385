/** Every refusal this service gives, in one table: code → HTTP status, gRPC status, title. Codes are stable. */
import { status as grpc } from '@grpc/grpc-js';

interface ErrorKind {
  readonly http: number;
  readonly grpc: grpc;
  readonly title: string;
  /** Whether the same request may succeed later; then Retry-After and RetryInfo are given. */
  readonly retry?: boolean;
}

export const ERRORS = {
  MALFORMED_BODY: { http: 400, grpc: grpc.INVALID_ARGUMENT, title: 'The body cannot be read' },
  MALFORMED_REQUEST: { http: 400, grpc: grpc.INVALID_ARGUMENT, title: 'The request cannot be read' },
  INVALID_FIELD: { http: 400, grpc: grpc.INVALID_ARGUMENT, title: 'A field is not as it must be' },
  INVALID_DIGEST: { http: 400, grpc: grpc.INVALID_ARGUMENT, title: 'The digest is not 64 hexadecimal digits' },
  DIGEST_MISMATCH: { http: 422, grpc: grpc.INVALID_ARGUMENT, title: 'The content does not have that digest' },
  UNKNOWN_TARGET: { http: 422, grpc: grpc.NOT_FOUND, title: 'There is no such target' },
  UNKNOWN_BTF: { http: 422, grpc: grpc.FAILED_PRECONDITION, title: 'No BTF with that digest was uploaded' },
  INVALID_BTF: { http: 422, grpc: grpc.INVALID_ARGUMENT, title: 'The BTF cannot be used' },
  INVALID_OBJECT: { http: 422, grpc: grpc.INVALID_ARGUMENT, title: 'The object cannot be loaded' },
  UNAUTHENTICATED: { http: 401, grpc: grpc.UNAUTHENTICATED, title: 'A valid API key is needed' },
  FORBIDDEN: { http: 403, grpc: grpc.PERMISSION_DENIED, title: 'The API key does not allow this' },
  NOT_FOUND: { http: 404, grpc: grpc.NOT_FOUND, title: 'There is nothing here' },
  METHOD_NOT_ALLOWED: { http: 405, grpc: grpc.UNIMPLEMENTED, title: 'That method is not for this resource' },
  NOT_ACCEPTABLE: { http: 406, grpc: grpc.INVALID_ARGUMENT, title: 'No answer of an accepted type' },
  REQUEST_TIMEOUT: {
    http: 408,
    grpc: grpc.DEADLINE_EXCEEDED,
    title: 'The request did not arrive in time',
    retry: true,
  },
  HEADERS_TOO_LARGE: { http: 431, grpc: grpc.RESOURCE_EXHAUSTED, title: 'The headers are over the limit' },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: grpc.INVALID_ARGUMENT, title: 'Bodies of that type are not taken' },
  BODY_TOO_LARGE: { http: 413, grpc: grpc.RESOURCE_EXHAUSTED, title: 'The body is over the limit' },
  RATE_LIMITED: { http: 429, grpc: grpc.RESOURCE_EXHAUSTED, title: 'Too many requests', retry: true },
  CONCURRENCY_LIMITED: { http: 429, grpc: grpc.RESOURCE_EXHAUSTED, title: 'Too many requests at a time', retry: true },
  QUEUE_FULL: { http: 503, grpc: grpc.UNAVAILABLE, title: 'The queue is full', retry: true },
  QUEUE_UNAVAILABLE: { http: 503, grpc: grpc.UNAVAILABLE, title: 'The shared queue cannot be reached', retry: true },
  IDEMPOTENCY_KEY_REUSED: { http: 422, grpc: grpc.INVALID_ARGUMENT, title: 'The key was used for another request' },
  OVERLOADED: { http: 503, grpc: grpc.UNAVAILABLE, title: 'Too much is being received at a time', retry: true },
  STORE_FULL: { http: 507, grpc: grpc.RESOURCE_EXHAUSTED, title: 'There is no room to keep it', retry: true },
  SHUTTING_DOWN: { http: 503, grpc: grpc.UNAVAILABLE, title: 'The service is stopping', retry: true },
  DEADLINE_EXCEEDED: { http: 504, grpc: grpc.DEADLINE_EXCEEDED, title: 'The compilation did not end in time' },
  CANCELLED: { http: 499, grpc: grpc.CANCELLED, title: 'The client cancelled the request' },
  OUT_OF_MEMORY: { http: 422, grpc: grpc.RESOURCE_EXHAUSTED, title: 'The compilation needs more memory than it may' },
  WORKER_LOST: { http: 500, grpc: grpc.INTERNAL, title: 'The worker died during the compilation', retry: true },
  INTERNAL: { http: 500, grpc: grpc.INTERNAL, title: 'A defect of this service' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** Seconds a client is asked to wait where a refusal may be retried. */
export const RETRY_AFTER_SECONDS = 1;

/** Where the fault lies, and what else a client may want to know. Never program text, paths or stacks. */
export interface ErrorPlace {
  /** Path of the field at fault: `program.maps[2].keySize`. */
  readonly field?: string;
  /** What the compiler said of an object, as JSON of a Failure message. */
  readonly failure?: Record<string, unknown>;
  readonly retryAfter?: number;
}

/** A refusal on its way to the client. `detail` is one sentence for people. */
export class ServiceError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    readonly place: ErrorPlace = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'ServiceError';
  }

  get kind(): ErrorKind {
    return ERRORS[this.code];
  }

  /** Seconds after which to try again, or null where that is of no use. */
  get retryAfter(): number | null {
    return this.place.retryAfter ?? (this.kind.retry === true ? RETRY_AFTER_SECONDS : null);
  }
}

/** Any throw as a refusal; what is not one of ours is a defect, whose text stays in the log. */
export function asServiceError(error: unknown): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError('INTERNAL', 'the defect is in the log');
}

/** A refusal as one instance tells it to another. */
export function toWire({ code, detail, place }: ServiceError): string {
  return JSON.stringify({ code, detail, place });
}

/** Null where the text is none. */
export function fromWire(text: string): ServiceError | null {
  if (!text.startsWith('{')) return null;
  const { code, detail, place } = JSON.parse(text) as { code: ErrorCode; detail: string; place?: ErrorPlace };
  return Object.hasOwn(ERRORS, code) ? new ServiceError(code, detail, place) : null;
}
