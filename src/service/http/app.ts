/** The HTTP transport: builds the application; `start.ts` listens. */
import { randomUUID } from 'node:crypto';
import type { Server as TlsServer } from 'node:tls';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { trustedProxies } from '../auth/address.js';
import type { Scope } from '../auth/keys-file.js';
import type { Keyring } from '../auth/keyring.js';
import type { Config } from '../config.js';
import type { BodyMemory } from '../body-memory.js';
import type { CompileService } from '../compile-service.js';
import { KnownRequests } from '../known-requests.js';
import type { Tracing } from '../telemetry/trace.js';
import { AnswerHeaders } from './answer-headers.js';
import { authenticate } from './auth.js';
import { refuseOnSocket } from './client-error.js';
import { compileRoutes, type Named } from './compile-route.js';
import type { JobService } from '../jobs/job-service.js';
import { collectBodies } from './collect-body.js';
import { docsRoutes } from './docs-route.js';
import { AnswerEncoder, encodeAnswers } from './encode-answer.js';
import { btfRoutes } from './btf-route.js';
import { jobsRoutes } from './jobs-routes.js';
import { probeRoutes } from './probe-routes.js';
import { sendProblem } from './problem.js';
import { observe } from './observe.js';
import { traceRequests } from './tracing.js';
import { refuseUnrouted } from './unrouted.js';
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
  readonly bodies: BodyMemory;
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
  const { service, jobs, config, bodies, logger, routes, keyring, certificates, tracing } = parts;
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendProblem(error, request, reply, service.metrics);
  const headers = new AnswerHeaders(certificates !== null);
  const app = Fastify({
    // One logger for all requests: a child for each costs more than a cached answer; lines carry the id themselves. The
    // framework has none of its own, for which it would listen to each answer's end.
    logger: false,
    childLoggerFactory: () => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    ...limits(config, certificates),
    clientErrorHandler: (error, socket) => {
      refuseOnSocket(error, socket, service.metrics);
    },
    // Before any hook runs.
    frameworkErrors: (error, request, reply) => {
      void refuse(error, request, reply.headers(headers.setOf(request)));
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
  app.setErrorHandler(refuse);
  const unrouted = refuseUnrouted(routes);
  app.setNotFoundHandler((request, reply) => refuse(unrouted(request, reply), request, reply));
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, scope: config?.scope ?? 'open' });
  });
  observe(app, service.metrics, logger);
  traceRequests(app, tracing);
  headers.addTo(app);
  authenticate(app, keyring);
  collectBodies(app, bodies);
  probeRoutes(app, service, config);
  if (config.role === 'worker') return app;
  const encoder = await AnswerEncoder.load(config.memoryCache / 8);
  encodeAnswers(app, encoder);
  const known = new KnownRequests<Named>(config.memoryCache / 4);
  compileRoutes(app, { service, known, encoder, headers });
  btfRoutes(app, service, config.btfStore);
  jobsRoutes(app, jobs, headers, closing(app));
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
