/** Requests that are none, or that do not arrive: refused on the bare socket, in the same shape as all else. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ServiceError } from '../errors.js';
import type { Metrics } from '../telemetry/metrics.js';
import { problemOf } from './problem.js';

/** By Node's and llhttp's codes. */
function refusalOf(code: string | undefined): ServiceError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ServiceError('REQUEST_TIMEOUT', 'headers or body took longer than this service waits');
  }
  if (code === 'HPE_HEADER_OVERFLOW') return new ServiceError('HEADERS_TOO_LARGE', 'the headers have more than 16 KiB');
  return new ServiceError('MALFORMED_REQUEST', 'this is not HTTP/1.1');
}

/** The parser has lost its place: whatever else comes on this connection cannot be read. */
export function refuseOnSocket(error: NodeJS.ErrnoException, socket: Socket, metrics: Metrics): void {
  // An answer that is on its way must not be run into; this is how Node's own handler finds out.
  const { _httpMessage: answer } = socket as { readonly _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || answer?.headersSent === true) {
    socket.destroy();
    return;
  }
  const problem = problemOf(refusalOf(error.code), randomUUID());
  metrics.refusals.inc({ transport: 'http', code: problem.code });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    ...['content-type: application/problem+json', 'cache-control: no-store', 'x-content-type-options: nosniff'],
    ...[`content-length: ${Buffer.byteLength(body)}`, 'connection: close'],
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
