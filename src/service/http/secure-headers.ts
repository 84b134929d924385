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

/** As Fastify's replies take them. */
export function securityHeaderSet(tls: boolean): Readonly<Record<string, string>> {
  const flat = securityHeaders(tls);
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!]] : [])));
}

export function secureHeaders(app: FastifyInstance, tls: boolean): void {
  const headers = Object.entries(securityHeaderSet(tls));
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of headers) void reply.header(name, value);
    done();
  });
}
