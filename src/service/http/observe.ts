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

/** Metrics of one route and status, looked up once. */
interface Bound {
  readonly requests: { inc(): void };
  readonly seconds: { observe(value: number): void };
}

/** One listener for each request, not the framework's onResponse: that costs a cached answer two more, and a promise. */
export function observe(app: FastifyInstance, metrics: Metrics, logger: Logger): void {
  const bound = new Map<string, Map<number, Bound>>();
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
    found.seconds.observe(ms / 1000);
    if (debug) logger.debug({ ...logged(request), method, route, status, ms }, 'answered');
  }
}
