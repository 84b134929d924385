/** Bodies as they come, encoded or not: bounded in bytes, and counted while they are held. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { UNCOUNTED, type BodyHold, type BodyMemory } from '../body-memory.js';
import { ServiceError } from '../errors.js';
import { codingOf, DECODED } from '../intake/coding.js';
import { BODY_TYPES, mediaType } from './body.js';
import { FORM_TYPE } from './form.js';
import { identityOf } from './identity.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the body holds, until the answer has gone; null where it is too small to be counted. */
    hold: BodyHold | null;
  }
}

type Done = (error: Error | null, body?: Buffer) => void;

export function collectBodies(app: FastifyInstance, memory: BodyMemory): void {
  app.decorateRequest('hold', null);
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (hasBody(request)) checkCoding(request);
    if (mayBeLarge(request)) hold(request, reply, memory);
    done(null, payload);
  });
  app.addContentTypeParser(BODY_TYPES, collect);
  app.addContentTypeParser(FORM_TYPE, (_request, _payload, done) => {
    done(null); // its handler reads the form
  });
}

function hasBody({ method, headers }: FastifyRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': chunked } = headers;
  return method !== 'GET' && (chunked !== undefined || (length !== undefined && length !== '0'));
}

/** Throws ServiceError UNSUPPORTED_MEDIA_TYPE: what cannot be decoded need not come. */
function checkCoding(request: FastifyRequest): void {
  const coding = request.headers['content-encoding'];
  if (coding === undefined || coding === 'identity') return;
  if (codingOf(coding) === undefined || mediaType(request) === FORM_TYPE) {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `bodies may be encoded as ${DECODED}; forms, not at all`);
  }
}

/** The others, most of all, are not counted and need no listeners. */
function mayBeLarge({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > UNCOUNTED;
}

function hold(request: FastifyRequest, reply: FastifyReply, memory: BodyMemory): void {
  const held = memory.open(identityOf(request).client, (reason) => {
    request.raw.emit('lost', reason);
  });
  request.hold = held;
  reply.raw.once('close', () => {
    held.release();
  });
}

function collect(request: FastifyRequest, payload: RequestPayload, done: Done): void {
  const limit = request.routeOptions.bodyLimit ?? 0;
  const said = request.headers['content-length'];
  if (Number(said ?? 0) > limit) {
    done(tooLarge(limit));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const settle = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError).off('lost', settle);
    if (error === null) {
      request.hold?.complete();
      done(null, whole(chunks, length));
      return;
    }
    chunks.length = 0;
    request.hold?.release();
    payload.resume(); // to nowhere, until the connection is closed behind the refusal
    done(error);
  };
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limit) {
      settle(tooLarge(limit));
      return;
    }
    try {
      request.hold?.take(chunk.length);
    } catch (error) {
      settle(error as Error);
      return;
    }
    chunks.push(chunk);
  };
  const onEnd = (): void => {
    const short = said !== undefined && length !== Number(said);
    settle(short ? new ServiceError('MALFORMED_BODY', 'the body is not as long as Content-Length says') : null);
  };
  const onError = (): void => {
    settle(new ServiceError('MALFORMED_BODY', 'the body did not come to its end'));
  };
  payload.on('data', onData).on('end', onEnd).on('error', onError).on('lost', settle);
}

/** In memory of its own, so that it may change hands. */
function whole(chunks: readonly Buffer[], length: number): Buffer {
  const body = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(body, at);
  return body;
}

function tooLarge(limit: number): ServiceError {
  return new ServiceError('BODY_TOO_LARGE', `the body has more than ${limit} bytes`);
}
