/** PUT /btf/{digest}. */
import type { FastifyInstance } from 'fastify';
import type { CompileService } from '../compile-service.js';
import { ServiceError } from '../errors.js';
import { identityOf } from './identity.js';

export function btfRoutes(app: FastifyInstance, service: CompileService, limit: number): void {
  const options = { bodyLimit: limit, config: { scope: 'btf:write' } } as const;
  app.put<{ Params: { digest: string } }>('/btf/:digest', options, async (request, reply) => {
    if (!Buffer.isBuffer(request.body)) throw new ServiceError('MALFORMED_BODY', 'the request has no body');
    const digest = await service.btf.put(request.body, request.params.digest, identityOf(request).tenant);
    service.metrics.btfUploads.inc();
    return reply
      .code(201)
      .header('location', `/btf/${digest}`)
      .send({ digest, size: String(request.body.length) });
  });
}
