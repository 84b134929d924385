/** Request bodies in memory, all together: each connection may hold a large one, but not all of them at a time. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';

/** Smaller bodies are bounded by the connections there may be. */
const SMALL = 64 * 1024;

/** Refuses bodies that would bring what is held over `maxBytes`, before they are read. */
export function boundBodies(app: FastifyInstance, maxBytes: number): void {
  let held = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = expected(request);
    if (bytes > SMALL) {
      if (held > 0 && held + bytes > maxBytes) throw new ServiceError('OVERLOADED', `${held} bytes are being received`);
      held += bytes;
      reply.raw.once('close', () => {
        held -= bytes;
      });
    }
    done();
  });
}

/** What the body may come to: what Content-Length says, or else as much as the route takes. */
function expected(request: FastifyRequest): number {
  const { 'content-length': length, 'transfer-encoding': chunked, 'content-encoding': coding } = request.headers;
  if (length === undefined && chunked === undefined) return 0;
  const open = chunked !== undefined || coding !== undefined;
  const said = Number(length);
  if (!open && said <= SMALL) return said;
  const limit = request.routeOptions.bodyLimit ?? 0; // last, as the framework makes an object of all that the route has
  return open ? limit : Math.min(said, limit);
}
