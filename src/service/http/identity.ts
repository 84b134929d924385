/** Who sent an HTTP request. */
import type { FastifyRequest } from 'fastify';
import { anonymous, type Identity } from '../auth/identity.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where API keys are asked for. */
    identity: Identity | null;
  }
}

export function identityOf(request: FastifyRequest): Identity {
  return (request.identity ??= anonymous(request.ip));
}

/** Its tenant alone, which costs nothing where there are no keys. */
export function tenantOf(request: FastifyRequest): string {
  return request.identity?.tenant ?? '';
}
