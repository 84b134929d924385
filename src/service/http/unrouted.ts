/** Requests that no route takes: 405 where the resource has other methods, else 404. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';
import type { Route } from './app.js';

/** `routes` may still grow until the first request. Answers the refusal, and sets Allow where RFC 9110 asks for it. */
export function refuseUnrouted(
  routes: readonly Route[],
): (request: FastifyRequest, reply: FastifyReply) => ServiceError {
  let patterns: readonly (readonly [RegExp, string])[] | null = null;
  return (request, reply) => {
    patterns ??= routes.map(({ method, url }) => [patternOf(url), method]);
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = patterns.filter(([pattern]) => pattern.test(path)).map(([, method]) => method);
    if (methods.length === 0) return new ServiceError('NOT_FOUND', 'there is no such route; GET /docs lists them');
    const allow = [...new Set(methods)].sort().join(', ');
    void reply.header('allow', allow);
    return new ServiceError('METHOD_NOT_ALLOWED', `this resource takes ${allow}`);
  };
}

/** Of a route such as `/jobs/:id` or `/docs/static/*`. */
function patternOf(route: string): RegExp {
  const parts = route
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replaceAll('.', '\\.')));
  return new RegExp(`^${parts.join('/')}$`);
}
