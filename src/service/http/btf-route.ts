/** PUT /btf/{digest}. */
import type { FastifyInstance } from 'fastify';
import type { CompileService } from '../compile-service.js';
import { bodyOf } from './body.js';
import { clientSignal } from './client-signal.js';
import { identityOf } from './identity.js';

export function btfRoutes(app: FastifyInstance, service: CompileService, limit: number): void {
  const options = { bodyLimit: limit, config: { scope: 'btf:write' } } as const;
  app.put<{ Params: { digest: string } }>('/btf/:digest', options, async (request, reply) => {
    const { digest, size } = await service.upload(bodyOf(request), request.params.digest, {
      identity: identityOf(request),
      signal: clientSignal(request, reply),
      json: true,
      trace: request.trace,
    });
    return reply
      .code(201)
      .header('location', `/btf/${digest}`)
      .send({ digest, size: String(size) });
  });
}
