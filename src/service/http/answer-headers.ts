/** Headers that every answer has, whichever way it goes out: the framework's, or past it where that is worth it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What keeps browsers from doing with answers what nobody meant (OWASP's REST cheat sheet). */
const SECURITY = [
  ...['x-content-type-options', 'nosniff', 'referrer-policy', 'no-referrer'],
  // Answers load nothing and stand in no frame; Swagger UI brings a policy of its own.
  ...['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
];
const HSTS = ['strict-transport-security', 'max-age=31536000'];

export class AnswerHeaders {
  private readonly fixed: readonly string[];

  constructor(tls: boolean) {
    this.fixed = tls ? [...SECURITY, ...HSTS] : SECURITY;
  }

  /** Of the answer to a request, flat for writeHead: also its id, what its key may still send, and its trace. */
  of(request: FastifyRequest): string[] {
    const headers = ['x-request-id', request.id, ...this.fixed];
    if (request.rateHeaders) headers.push(...request.rateHeaders);
    if (request.trace) headers.push('traceresponse', request.trace.carrier);
    return headers;
  }

  /** The same as an object, for answers that no hook sees. */
  setOf(request: FastifyRequest): Record<string, string> {
    const set: Record<string, string> = {};
    const flat = this.of(request);
    for (let i = 0; i < flat.length; i += 2) set[flat[i]!] = flat[i + 1]!;
    return set;
  }

  /** Gives them to whatever goes out through the framework. Hooks that come after may replace them. */
  addTo(app: FastifyInstance): void {
    app.addHook('onSend', (request, reply, payload, done) => {
      void reply.headers(this.setOf(request));
      done(null, payload);
    });
  }
}
