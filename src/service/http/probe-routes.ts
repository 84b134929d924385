/** GET /livez, /readyz, /metrics and /targets. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { limitsMessage } from '../limits.js';
import type { CompileService } from '../compile-service.js';
import { messageType } from '../contract/schema.js';
import { writeJson } from '../contract/json-write.js';

const OPEN = { config: { scope: 'open' } } as const;

export function probeRoutes(app: FastifyInstance, service: CompileService, config: Config): void {
  app.get('/livez', OPEN, (_request, reply) => reply.type('application/json').send({ status: 'ok' }));

  app.get('/readyz', OPEN, (_request, reply) => {
    const ready = service.accepting && service.hasRoom;
    const status = ready ? 'ready' : service.accepting ? 'queue full' : 'stopping';
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status });
  });

  const scope = config.metricsAccess === 'open' ? 'open' : 'metrics';
  app.get('/metrics', { config: { scope } }, async (_request, reply) => {
    const { registry } = service.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  const type = messageType('bpfjit.v1.ListTargetsResponse');
  const limits = limitsMessage(config);
  app.get('/targets', { config: { scope: 'read' } }, (_request, reply) =>
    reply.send(writeJson(type, { targets: service.catalog.messages, limits })),
  );
}
