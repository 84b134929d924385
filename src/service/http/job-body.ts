/** The bodies of POST /jobs: a SubmitJobRequest, or a single request as POST /compile takes it as an object or a form. */
import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';
import type { ReadSource } from '../intake/source.js';

/** What was read, with the idempotency key of the header. Throws ServiceError INVALID_FIELD where the message has one, too. */
export function withHeader(request: FastifyRequest, { requests, envelope }: ReadSource): ReadSource {
  const idempotencyKey = request.headers['idempotency-key'];
  if (envelope['idempotencyKey'] !== undefined) {
    const field = 'idempotencyKey';
    throw new ServiceError('INVALID_FIELD', `${field}: over HTTP it is the header Idempotency-Key`, { field });
  }
  return idempotencyKey === undefined
    ? { requests, envelope }
    : { requests, envelope: { ...envelope, idempotencyKey: String(idempotencyKey) } };
}
