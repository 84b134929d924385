/** Content-Encoding of requests: decoded on the way in, bounded by what comes out. */
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { ServiceError } from '../errors.js';
import { decodeZstd, TooLarge } from '../zstd.js';
import { FORM_TYPE } from './form.js';
import { mediaType } from './body.js';

const DECODERS: Readonly<Record<string, (limit: number) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: (limit) => new ZstdDecoder(limit),
};

/** For Accept-Encoding of a refusal (RFC 9110, section 15.5.16). */
export const DECODED = 'gzip, deflate, br, zstd';

type Decoder = Transform & { receivedEncodedLength?: number };

export function decodeBodies(app: FastifyInstance): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const { 'content-encoding': coding, 'content-length': length, 'transfer-encoding': chunked } = request.headers;
    const hasBody = chunked !== undefined || (length !== undefined && length !== '0');
    if (coding === undefined || coding === 'identity' || !hasBody || request.method === 'GET') done(null, payload);
    else done(null, decoded(request, payload, coding.trim().toLowerCase()));
  });
}

/** Throws ServiceError UNSUPPORTED_MEDIA_TYPE. */
function decoded(request: FastifyRequest, payload: RequestPayload, coding: string): RequestPayload {
  const make = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (make === undefined || mediaType(request) === FORM_TYPE) {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `bodies may be encoded as ${DECODED}; forms, not at all`);
  }
  const limit = request.routeOptions.bodyLimit;
  const decoder: Decoder = make(limit);
  decoder.receivedEncodedLength = 0;
  payload.on('data', (chunk: Buffer) => (decoder.receivedEncodedLength! += chunk.length));
  let length = 0;
  decoder.on('data', (chunk: Buffer) => {
    length += chunk.length;
    // The framework refuses the request, but would let the rest of a bomb go off unread.
    if (length > limit) decoder.destroy();
  });
  decoder.pause();
  // What goes wrong is the decoder's error, and the request's; also after nobody waits for the body any more, or ever did.
  decoder.on('error', () => undefined);
  pipeline(payload, decoder, () => undefined);
  return decoder;
}

/** fzstd wants to see whole frames before it decodes them (`decodeZstd`). */
class ZstdDecoder extends Transform {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  constructor(private readonly limit: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.length += chunk.length;
    if (this.length > this.limit) {
      done(tooLarge());
      return;
    }
    this.chunks.push(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    decodeZstd(Buffer.concat(this.chunks, this.length), this.limit).then(
      (bytes) => {
        done(null, bytes);
      },
      (error: unknown) => {
        done(error instanceof TooLarge ? tooLarge() : new ServiceError('MALFORMED_BODY', 'the body is not zstd'));
      },
    );
  }
}

function tooLarge(): ServiceError {
  return new ServiceError('BODY_TOO_LARGE', 'the body decodes to more than this service takes');
}
