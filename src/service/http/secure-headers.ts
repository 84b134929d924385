/** Headers that keep browsers from doing with answers what nobody meant (OWASP's REST cheat sheet). */
import type { FastifyInstance } from 'fastify';

const HEADERS = [
  ...['x-content-type-options', 'nosniff', 'referrer-policy', 'no-referrer'],
  // Answers load nothing and stand in no frame; Swagger UI brings a policy of its own.
  ...['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
];
const HSTS = ['strict-transport-security', 'max-age=31536000'];

/** Flat, for writeHead. */
export function securityHeaders(tls: boolean): readonly string[] {
  return tls ? [...HEADERS, ...HSTS] : HEADERS;
}

export function secureHeaders(app: FastifyInstance, tls: boolean): void {
  const headers = securityHeaders(tls);
  const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]!] as const] : []));
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of pairs) void reply.header(name, value);
    done();
  });
}
