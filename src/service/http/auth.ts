/** API keys over HTTP. Every route says what scope it needs; one that does not cannot be registered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KeyHolder } from '../auth/holder.js';
import type { Keyring } from '../auth/keyring.js';
import type { Scope } from '../auth/keys-file.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key must allow; `open`: no key is needed. */
    readonly scope?: Scope | 'open';
  }
  interface FastifyRequest {
    /** RateLimit headers for the answer, flat for writeHead. */
    rateHeaders: readonly string[] | null;
    /** The key that it was let in with; null where none is needed. */
    holder: KeyHolder | null;
  }
}

/** Swagger UI's own routes. */
const DOCS = /^\/docs(?:\/|$)/;

/** Before all routes. `keyring` null: everything is open. */
export function authenticate(app: FastifyInstance, keyring: Keyring | null): void {
  app.decorateRequest('rateHeaders', null);
  app.decorateRequest('holder', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.scope === undefined && !DOCS.test(url)) throw new Error(`the route ${url} says no scope`);
  });
  if (keyring === null) return;
  app.addHook('onRequest', (request, reply, done) => {
    const scope = request.routeOptions.config.scope ?? 'open';
    if (scope !== 'open') admit(keyring, scope, request, reply);
    done();
  });
}

/** Lets the request in until its answer has gone. Throws ServiceError. */
function admit(keyring: Keyring, scope: Scope, request: FastifyRequest, reply: FastifyReply): void {
  const holder = keyring.authenticate(request.headers.authorization, request.ip);
  request.identity = holder.identity;
  request.holder = holder;
  try {
    if (holder.concurrency === Infinity) holder.spend(scope);
    else enter(holder, scope, reply);
  } finally {
    request.rateHeaders = holder.rateHeaders;
  }
}

function enter(holder: KeyHolder, scope: Scope, reply: FastifyReply): void {
  holder.enter(scope);
  reply.raw.once('close', () => {
    holder.leave();
  });
}
