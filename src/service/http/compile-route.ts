/** POST /compile and GET /compilations/{digest}. */
import { performance } from 'node:perf_hooks';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CompileService, Compiled } from '../compile-service.js';
import type { Answer } from '../cache/entry.js';
import { writeJson } from '../contract/json-write.js';
import { CompileResponseType, FailureType, type Message } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import { KnownRequests } from '../known-requests.js';
import { serverTiming } from '../telemetry/server-timing.js';
import { clientSignal } from './client-signal.js';
import { mediaType, OBJECT_TYPE, sourceOf } from './body.js';
import { identityOf, tenantOf } from './identity.js';
import type { AnswerHeaders } from './answer-headers.js';
import type { AnswerEncoder, Coding } from './encode-answer.js';
import { answerType, JSON_TYPE, matches, PROTOBUF_TYPE, type AnswerType } from './negotiate.js';

/** What a request that was answered before leads to. */
export type Named = Pick<Compiled, 'digest' | 'key'>;

export interface CompileRouteParts {
  readonly service: CompileService;
  readonly known: KnownRequests<Named>;
  readonly encoder: AnswerEncoder;
  readonly headers: AnswerHeaders;
}

export function compileRoutes(app: FastifyInstance, { service, known, encoder, headers }: CompileRouteParts): void {
  app.post('/compile', { config: { scope: 'compile' } }, (request, reply) => {
    const type = answerType(request.headers.accept);
    const { body } = request;
    if (!Buffer.isBuffer(body)) return compileNow(request, reply, type, null); // a form, which comes piece by piece
    const name = KnownRequests.nameOf(tenantOf(request), meaningOf(request), body);
    if (typeof name === 'string') return answer(request, reply, type, name);
    return name.then((known) => answer(request, reply, type, known));
  });

  /** `name`: of the request's bytes. */
  function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    type: AnswerType,
    name: string,
  ): FastifyReply | Promise<FastifyReply> {
    const named = known.get(name);
    const hit = named === undefined ? null : service.remembered(named.key);
    if (named === undefined || hit === null) return compileNow(request, reply, type, name);
    const plain = hit.answer.failed || request.headers['if-none-match'] !== undefined;
    const form = plain ? null : hitForm(service, encoder, named, hit.answer, type, request);
    if (form === null) return sendAnswer(service, { ...hit, ...named }, type, request, reply);
    return sendHit(form, headers.of(request), request, reply);
  }

  async function compileNow(
    request: FastifyRequest,
    reply: FastifyReply,
    type: AnswerType,
    name: string | null,
  ): Promise<FastifyReply> {
    const signal = clientSignal(request, reply); // before anything is waited for
    const compiled = await service.ask(await sourceOf(request, 'CompileRequest'), {
      identity: identityOf(request),
      signal,
      json: type === JSON_TYPE,
      limit: waitLimit(request),
      trace: request.trace,
    });
    if (name !== null) known.set(name, { digest: compiled.digest, key: compiled.key });
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

/** All that decides, beside a body's bytes, what they mean. */
function meaningOf(request: FastifyRequest): string {
  const type = mediaType(request);
  const coding = request.headers['content-encoding'] ?? '';
  return `${type === OBJECT_TYPE ? request.url : type} ${coding}`;
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
    'server-timing': serverTiming(performance.now() - request.receivedAt, compiled.timings),
  });
  request.trace?.set({ 'bpf_jitd.source': compiled.source, 'bpf_jitd.digest': compiled.digest });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const bytes = type === PROTOBUF_TYPE ? compiled.answer.protobuf : service.json(compiled.key, compiled.answer);
  return reply.header('content-type', type).send(bytes);
}

/** A cached answer in the form that the client wants it in. */
interface Form {
  readonly type: AnswerType;
  readonly etag: string;
  readonly coding: Coding | null;
  readonly bytes: Buffer;
}

/** Null where it must first be compressed. */
function hitForm(
  service: CompileService,
  encoder: AnswerEncoder,
  { digest, key }: Named,
  answer: Answer,
  type: AnswerType,
  request: FastifyRequest,
): Form | null {
  const bytes = type === JSON_TYPE ? service.json(key, answer) : answer.protobuf;
  const etag = entityTag(digest, type);
  const coding = encoder.choose(request.headers['accept-encoding'], bytes.length);
  request.trace?.set({ 'bpf_jitd.source': 'memory', 'bpf_jitd.digest': digest });
  if (coding === null) return { type, etag, coding, bytes };
  const encoded = encoder.held(tenantOf(request), etag, coding);
  return encoded === undefined ? null : { type, etag: `W/${etag}`, coding, bytes: encoded };
}

/** What `sendAnswer` sends, written past the framework's reply: the path that thousands a second go. */
function sendHit(form: Form, headers: string[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { type, etag, coding, bytes } = form;
  headers.push(...HIT_HEADERS, 'content-type', type, 'etag', etag, 'content-length', String(bytes.length));
  if (coding !== null) headers.push('content-encoding', coding);
  headers.push('server-timing', serverTiming(performance.now() - request.receivedAt, {}));
  void reply.hijack();
  reply.raw.writeHead(200, headers);
  reply.raw.end(bytes);
  return reply;
}

const HIT_HEADERS = [
  ...['vary', 'accept, accept-encoding', 'cache-control', IMMUTABLE],
  ...['cache-status', CACHE_STATUS.memory],
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
