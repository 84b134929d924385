/** Counts and times HTTP requests. */
import { performance } from 'node:perf_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../telemetry/metrics.js';
import { logged } from './tracing.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its headers had come, as performance.now() tells. */
    receivedAt: number;
  }
}

interface Tallies {
  readonly seconds: { observe(value: number): void };
  readonly byStatus: Map<number, { inc(): void }>;
}

/** One listener for each request, not the framework's onResponse: that costs a cached answer two more, and a promise. */
export function observe(app: FastifyInstance, metrics: Metrics, logger: Logger): void {
  /** By route and method. */
  const known = new Map<string, Map<string, Tallies>>();
  const debug = logger.isLevelEnabled('debug');
  app.decorateRequest('receivedAt', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAt = performance.now();
    metrics.httpInFlight++;
    const { raw } = reply;
    raw.on('close', () => {
      metrics.httpInFlight--;
      if (raw.writableFinished) answered(request, raw.statusCode);
    });
    done();
  });

  function answered(request: FastifyRequest, status: number): void {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const ms = performance.now() - request.receivedAt;
    const { seconds, byStatus } = known.get(route)?.get(method) ?? learn(route, method);
    seconds.observe(ms / 1000);
    (byStatus.get(status) ?? learnStatus(route, method, status, byStatus)).inc();
    if (debug) logger.debug({ ...logged(request), method, route, status, ms }, 'answered');
  }

  function learn(route: string, method: string): Tallies {
    const tallies = { seconds: metrics.httpSeconds.tally({ method, route }), byStatus: new Map() };
    known.set(route, (known.get(route) ?? new Map<string, Tallies>()).set(method, tallies));
    return tallies;
  }

  function learnStatus(route: string, method: string, status: number, byStatus: Tallies['byStatus']): { inc(): void } {
    const tally = metrics.httpRequests.tally({ method, route, status });
    byStatus.set(status, tally);
    return tally;
  }
}
