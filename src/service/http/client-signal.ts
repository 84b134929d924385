/** Whether somebody still waits for an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';

/** Aborted when the client closes the connection before it has its answer. */
export function clientSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new ServiceError('CANCELLED', 'the client has gone'));
  });
  if (request.raw.destroyed && !request.raw.complete) gone.abort(new ServiceError('CANCELLED', 'the client has gone'));
  return gone.signal;
}
