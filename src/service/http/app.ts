/** The HTTP transport: builds the application; `start.ts` listens. */
import { randomUUID } from 'node:crypto';
import multipart from '@fastify/multipart';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { trustedProxies } from '../auth/address.js';
import type { Scope } from '../auth/keys-file.js';
import type { Keyring } from '../auth/keyring.js';
import type { Config } from '../config.js';
import type { CompileService } from '../compile-service.js';
import { ServiceError } from '../errors.js';
import { authenticate } from './auth.js';
import { BODY_TYPES } from './body.js';
import { compileRoutes } from './compile-route.js';
import { docsRoutes } from './docs-route.js';
import { btfRoutes } from './btf-route.js';
import { probeRoutes } from './probe-routes.js';
import { sendProblem } from './problem.js';

/** Request ids of clients that are passed on; others are replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

export interface Route {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope | 'open';
}

/** `routes` is filled with every route that is registered. */
export async function buildApp(
  service: CompileService,
  config: Config,
  logger: Logger,
  routes: Route[],
  keyring: Keyring | null,
): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all requests: a child for each costs more than a cached answer; lines carry the id themselves.
    childLoggerFactory: (parent) => parent,
    bodyLimit: config.bodyLimit,
    requestTimeout: config.timeout + 30_000,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 256 },
    trustProxy: config.trustedProxies.length > 0 && trustedProxies(config.trustedProxies),
  }) as unknown as FastifyInstance;
  app.decorateRequest('identity', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPES, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  await app.register(multipart, { limits: { fileSize: config.bodyLimit, files: 2, fields: 32, parts: 34 } });
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendProblem(error, request, reply, service.metrics);
  app.setErrorHandler(refuse);
  app.setNotFoundHandler((request, reply) =>
    refuse(new ServiceError('NOT_FOUND', 'there is no such route; GET /docs lists them'), request, reply),
  );
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, scope: config?.scope ?? 'open' });
  });
  observe(app, service, logger);
  authenticate(app, keyring);
  compileRoutes(app, service);
  btfRoutes(app, service, config.btfStore);
  probeRoutes(app, service, config.metricsAccess === 'open' ? 'open' : 'metrics');
  await docsRoutes(app);
  return app;
}

/** Metrics of one route and status, looked up once. */
interface Bound {
  readonly requests: { inc(): void };
  readonly seconds: { observe(value: number): void };
}

function observe(app: FastifyInstance, service: CompileService, logger: Logger): void {
  const { metrics } = service;
  const bound = new Map<string, Map<number, Bound>>();
  const closed = (): void => {
    metrics.httpInFlight--;
  };
  const debug = logger.isLevelEnabled('debug');
  app.addHook('onRequest', (request, reply, done) => {
    metrics.httpInFlight++;
    reply.raw.on('close', closed);
    void reply.header('x-request-id', request.id);
    void reply.header('x-content-type-options', 'nosniff');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const status = reply.raw.statusCode;
    const labels = `${method} ${route}`;
    let found = bound.get(labels)?.get(status);
    if (found === undefined) {
      found = {
        requests: metrics.httpRequests.labels({ method, route, status }),
        seconds: metrics.httpSeconds.labels({ method, route }),
      };
      bound.set(labels, (bound.get(labels) ?? new Map<number, Bound>()).set(status, found));
    }
    found.requests.inc();
    found.seconds.observe(reply.elapsedTime / 1000);
    if (debug) {
      logger.debug({ reqId: request.id, method, route, status, ms: reply.elapsedTime }, 'answered');
    }
    done();
  });
}
