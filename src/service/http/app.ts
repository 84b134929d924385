/** The HTTP transport: builds the application; `start.ts` listens. */
import { randomUUID } from 'node:crypto';
import type { Server as TlsServer } from 'node:tls';
import multipart from '@fastify/multipart';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { trustedProxies } from '../auth/address.js';
import type { Scope } from '../auth/keys-file.js';
import type { Keyring } from '../auth/keyring.js';
import type { Config } from '../config.js';
import type { CompileService } from '../compile-service.js';
import { ServiceError } from '../errors.js';
import type { Tracing } from '../telemetry/trace.js';
import { authenticate } from './auth.js';
import { BODY_TYPES } from './body.js';
import { boundBodies } from './body-memory.js';
import { refuseOnSocket } from './client-error.js';
import { compileRoutes } from './compile-route.js';
import type { JobService } from '../jobs/job-service.js';
import { decodeBodies } from './decode-body.js';
import { docsRoutes } from './docs-route.js';
import { AnswerEncoder, encodeAnswers } from './encode-answer.js';
import { btfRoutes } from './btf-route.js';
import { jobsRoutes } from './jobs-routes.js';
import { probeRoutes } from './probe-routes.js';
import { sendProblem } from './problem.js';
import { secureHeaders, securityHeaderSet } from './secure-headers.js';
import { logged, traceRequests } from './tracing.js';
import type { Certificates } from '../tls.js';

/** Request ids of clients that are passed on; others are replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

export interface Route {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope | 'open';
}

export interface AppParts {
  readonly service: CompileService;
  readonly jobs: JobService;
  readonly config: Config;
  readonly logger: Logger;
  /** Filled with every route that is registered. */
  readonly routes: Route[];
  /** Null: everything is open. */
  readonly keyring: Keyring | null;
  /** Null: no TLS. */
  readonly certificates: Certificates | null;
  /** Null: no traces. */
  readonly tracing: Tracing | null;
}

export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { service, jobs, config, logger, routes, keyring, certificates, tracing } = parts;
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendProblem(error, request, reply, service.metrics);
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all requests: a child for each costs more than a cached answer; lines carry the id themselves.
    childLoggerFactory: (parent) => parent,
    bodyLimit: config.bodyLimit,
    ...limits(config, certificates),
    clientErrorHandler: (error, socket) => {
      refuseOnSocket(error, socket, service.metrics);
    },
    // Before any hook runs.
    frameworkErrors: (error, request, reply) => {
      void refuse(error, request, reply.headers(securityHeaderSet(certificates !== null)));
    },
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 256 },
    trustProxy: config.trustedProxies.length > 0 && trustedProxies(config.trustedProxies),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = config.connections;
  certificates?.onChange((context) => {
    (app.server as unknown as TlsServer).setSecureContext(context);
  });
  app.decorateRequest('identity', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPES, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  await app.register(multipart, { limits: { fileSize: config.bodyLimit, files: 2, fields: 32, parts: 34 } });
  app.setErrorHandler(refuse);
  app.setNotFoundHandler((request, reply) =>
    refuse(new ServiceError('NOT_FOUND', 'there is no such route; GET /docs lists them'), request, reply),
  );
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, scope: config?.scope ?? 'open' });
  });
  traceRequests(app, tracing);
  observe(app, service, logger);
  secureHeaders(app, certificates !== null);
  authenticate(app, keyring);
  boundBodies(app, config.bodyMemory);
  probeRoutes(app, service, config);
  if (config.role === 'worker') return app;
  decodeBodies(app);
  const encoder = await AnswerEncoder.load(config.memoryCache / 8);
  encodeAnswers(app, encoder);
  compileRoutes(app, service, encoder, certificates !== null);
  btfRoutes(app, service, config.btfStore);
  jobsRoutes(app, jobs, closing(app));
  await docsRoutes(app);
  return app;
}

/** How long clients may take: for a request to arrive, and for one that neither sends nor reads (past any compilation). */
function limits(config: Config, certificates: Certificates | null): object {
  const { receiveTimeout, timeout } = config;
  const http = {
    headersTimeout: Math.ceil(receiveTimeout / 6),
    requestTimeout: receiveTimeout,
    connectionsCheckingInterval: Math.min(1000, receiveTimeout),
  };
  return {
    requestTimeout: receiveTimeout,
    connectionTimeout: timeout + receiveTimeout,
    ...(certificates === null ? { http } : { https: { ...http, ...certificates.options } }),
  };
}

/** Aborted when the application is about to close, before its connections are waited for. */
function closing(app: FastifyInstance): AbortSignal {
  const stopping = new AbortController();
  app.addHook('preClose', (done) => {
    stopping.abort();
    done();
  });
  return stopping.signal;
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
      logger.debug({ ...logged(request), method, route, status, ms: reply.elapsedTime }, 'answered');
    }
    done();
  });
}
