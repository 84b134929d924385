/** POST /compile and GET /compilations/{digest}. */
import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { CompileService, Compiled } from '../compile-service.js';
import type { Answer } from '../cache/entry.js';
import { writeJson } from '../contract/json-write.js';
import { CompileResponseType, FailureType, type Message } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import { serverTiming } from '../telemetry/server-timing.js';
import { clientSignal } from './client-signal.js';
import { mediaType, OBJECT_TYPE, readRequest } from './body.js';
import { identityOf, tenantOf } from './identity.js';
import type { AnswerEncoder } from './encode-answer.js';
import { securityHeaders } from './secure-headers.js';
import { answerType, JSON_TYPE, matches, PROTOBUF_TYPE, type AnswerType } from './negotiate.js';

/** Bodies whose digest is remembered, so that asking again costs one hash and no parsing. */
const KNOWN_BODIES = 100_000;

type Named = Pick<Compiled, 'digest' | 'key'>;

export function compileRoutes(
  app: FastifyInstance,
  service: CompileService,
  encoder: AnswerEncoder,
  tls: boolean,
): void {
  const headers = [...securityHeaders(tls), ...HIT_HEADERS];
  const known = new LRUCache<string, Named>({ max: KNOWN_BODIES });

  app.post('/compile', { config: { scope: 'compile' } }, (request, reply) => {
    const type = answerType(request.headers.accept);
    const body = bodyKey(request);
    const named = body === null ? undefined : known.get(body);
    const hit = named === undefined ? null : service.remembered(named.key);
    if (hit === null) return compileNow(request, reply, type, body);
    const compiled = { ...hit, ...named! };
    if (hit.answer.failed || request.headers['if-none-match'] !== undefined) {
      return sendAnswer(service, compiled, type, request, reply);
    }
    const form = hitForm(service, encoder, compiled, type, request);
    if (form === null) return sendAnswer(service, compiled, type, request, reply);
    return sendHit(form, headers, request, reply);
  });

  async function compileNow(
    request: FastifyRequest,
    reply: FastifyReply,
    type: AnswerType,
    body: string | null,
  ): Promise<FastifyReply> {
    const message = await readRequest(request);
    const compiled = await service.compile(message, {
      identity: identityOf(request),
      signal: clientSignal(request, reply),
      json: type === JSON_TYPE,
      limit: waitLimit(request),
      trace: request.trace,
    });
    if (body !== null) known.set(body, { digest: compiled.digest, key: compiled.key });
    return sendAnswer(service, compiled, type, request, reply);
  }

  const read = { config: { scope: 'read' } } as const;
  app.get<{ Params: { digest: string } }>('/compilations/:digest', read, async (request, reply) => {
    const type = answerType(request.headers.accept);
    return sendAnswer(
      service,
      await service.lookup(request.params.digest, identityOf(request), request.trace),
      type,
      request,
      reply,
    );
  });
}

/** Names the bytes of a request with all else that decides what they mean, and for whom; null for bodies that are streamed. */
function bodyKey(request: FastifyRequest): string | null {
  if (!Buffer.isBuffer(request.body)) return null;
  const type = mediaType(request);
  const query = type === OBJECT_TYPE ? request.url : '';
  return `${tenantOf(request)}\n${type}\n${query}\n${hash('sha256', request.body, 'base64')}`;
}

/** Milliseconds of `Prefer: wait=SECONDS` (RFC 7240). */
function waitLimit(request: FastifyRequest): number {
  const prefer = [request.headers['prefer']].flat().join(',');
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])/.exec(prefer)?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}

const IMMUTABLE = 'private, max-age=31536000, immutable';

const CACHE_STATUS = {
  memory: 'bpf-jitd; hit; detail=memory',
  disk: 'bpf-jitd; hit; detail=disk',
  redis: 'bpf-jitd; hit; detail=redis',
  flight: 'bpf-jitd; fwd=miss; collapsed',
  compiled: 'bpf-jitd; fwd=miss; stored',
} as const;

function sendAnswer(
  service: CompileService,
  compiled: Compiled,
  type: AnswerType,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (compiled.answer.failed) throw objectProblem(compiled.answer);
  const etag = entityTag(compiled.digest, type);
  void reply.headers({
    etag,
    vary: 'accept, accept-encoding',
    'cache-control': IMMUTABLE,
    'cache-status': CACHE_STATUS[compiled.source],
    'server-timing': serverTiming(reply.elapsedTime, compiled.timings),
  });
  request.trace?.set({ 'bpf_jitd.source': compiled.source, 'bpf_jitd.digest': compiled.digest });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const bytes = type === PROTOBUF_TYPE ? compiled.answer.protobuf : service.json(compiled.key, compiled.answer);
  return reply.header('content-type', type).send(bytes);
}

/** A cached answer in the form that the client wants it in. */
interface Form {
  readonly bytes: Buffer;
  readonly headers: readonly string[];
}

/** Null where it must first be compressed. */
function hitForm(
  service: CompileService,
  encoder: AnswerEncoder,
  { digest, key, answer }: Compiled,
  type: AnswerType,
  request: FastifyRequest,
): Form | null {
  const bytes = type === JSON_TYPE ? service.json(key, answer) : answer.protobuf;
  const etag = entityTag(digest, type);
  const plain = ['content-type', type, 'etag', etag];
  const coding = encoder.choose(request.headers['accept-encoding'], bytes.length);
  request.trace?.set({ 'bpf_jitd.source': 'memory', 'bpf_jitd.digest': digest });
  if (coding === null) return { bytes, headers: plain };
  const encoded = encoder.held(tenantOf(request), etag, coding);
  if (encoded === undefined) return null;
  return { bytes: encoded, headers: ['content-type', type, 'etag', `W/${etag}`, 'content-encoding', coding] };
}

/** What `sendAnswer` sends, written past the framework's reply: the path that thousands a second go. */
function sendHit(form: Form, headers: readonly string[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.hijack();
  reply.raw.writeHead(200, [
    ...['x-request-id', request.id, ...(request.rateHeaders ?? []), ...headers],
    ...(request.trace === null ? [] : ['traceresponse', request.trace.carrier]),
    ...[...form.headers, 'content-length', String(form.bytes.length)],
    ...['server-timing', serverTiming(reply.elapsedTime, {})],
  ]);
  reply.raw.end(form.bytes);
  return reply;
}

const HIT_HEADERS = [
  'vary',
  'accept, accept-encoding',
  'cache-control',
  IMMUTABLE,
  'cache-status',
  CACHE_STATUS.memory,
];

function entityTag(digest: string, type: AnswerType): string {
  return type === JSON_TYPE ? `"${digest}"` : `"${digest}-p"`;
}

/** An object that cannot be loaded as a whole is the client's error. */
export function objectProblem(answer: Answer): ServiceError {
  const response = CompileResponseType.decode(answer.protobuf) as unknown as { failure: Message };
  const failure = writeJson(FailureType, response.failure);
  const text = String(failure['message'] ?? 'the object cannot be loaded');
  return new ServiceError('INVALID_OBJECT', text, { field: 'object', failure });
}
