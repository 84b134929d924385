/** Traces over HTTP: `traceparent` comes in, `traceresponse` goes out (https://www.w3.org/TR/trace-context-2/). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Trace, Tracing } from '../telemetry/trace.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where no traces are kept. */
    trace: Trace | null;
  }
}

export function traceRequests(app: FastifyInstance, tracing: Tracing | null): void {
  app.decorateRequest('trace', null);
  if (tracing === null) return;
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request;
    const { url: route = 'none' } = request.routeOptions;
    const trace = tracing.start(`${method} ${route}`, [headers['traceparent']].flat()[0], {
      'http.request.method': method,
      'http.route': route,
      'url.scheme': request.protocol,
      'bpf_jitd.request_id': request.id,
    });
    request.trace = trace;
    reply.raw.once('close', () => {
      const status = reply.raw.statusCode;
      trace.set({ 'http.response.status_code': status });
      if (!reply.raw.writableFinished) trace.set({ 'error.type': 'CANCELLED' });
      trace.end(status >= 500);
    });
    done();
  });
}

/** What a log line says of its request. */
export function logged(request: FastifyRequest): { readonly reqId: string; readonly trace_id?: string } {
  return request.trace === null ? { reqId: request.id } : { reqId: request.id, trace_id: request.trace.id };
}
