/** RFC 9457 problems: one shape for every refusal. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { logged } from './tracing.js';
import type { Metrics } from '../telemetry/metrics.js';
import { asServiceError, ServiceError, type ErrorCode } from '../errors.js';
import { DECODED } from '../intake/coding.js';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  /** The request's id, by which the log knows it. */
  readonly instance: string;
  readonly field?: string;
  readonly failure?: Record<string, unknown>;
}

export function problemOf(error: ServiceError, requestId: string): Problem {
  const { field, failure } = error.place;
  return {
    type: `https://bpf-jitd.dev/problems/${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: error.kind.title,
    status: error.kind.http,
    code: error.code,
    detail: error.detail,
    instance: `urn:request:${requestId}`,
    ...(field === undefined ? {} : { field }),
    ...(failure === undefined ? {} : { failure }),
  };
}

export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  metrics: Metrics,
): FastifyReply {
  const known = fromFastify(error, request) ?? asServiceError(error);
  metrics.refusals.inc({ transport: 'http', code: known.code });
  if (known.code === 'INTERNAL') request.log.error({ err: error, ...logged(request) }, 'defect');
  request.trace?.set({ 'error.type': known.code });
  if (known.retryAfter !== null) void reply.header('retry-after', String(known.retryAfter));
  if (known.code === 'UNSUPPORTED_MEDIA_TYPE') void reply.header('accept-encoding', DECODED);
  if (known.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
  return reply
    .code(known.kind.http)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(Buffer.from(JSON.stringify(problemOf(known, request.id))));
}

const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'send application/json, application/x-protobuf, application/octet-stream or multipart/form-data',
  ],
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'the path cannot be read'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_BODY', 'the body is not as long as Content-Length says'],
};

/** Errors of zlib's and Brotli's decoders. */
const ZLIB = /^(?:Z_|ERR_BROTLI|ERR_+(?:ERROR|BR))/;

/** What the framework refuses before a handler runs. */
function fromFastify(error: unknown, request: FastifyRequest): ServiceError | null {
  if (error instanceof ServiceError || !(error instanceof Error)) return null;
  const { code, statusCode } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new ServiceError('BODY_TOO_LARGE', `the body has more than ${request.routeOptions.bodyLimit ?? 0} bytes`);
  }
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return new ServiceError(known[0], known[1]);
  if (ZLIB.test(code)) return new ServiceError('MALFORMED_BODY', 'the body is not encoded as Content-Encoding says');
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return null;
  return new ServiceError('MALFORMED_BODY', STATUS_CODES[statusCode] ?? 'the request cannot be read');
}
