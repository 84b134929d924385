/**
 * Content-Encoding of answers, by Accept-Encoding. What is compressed once is kept under its entity tag, so that cached
 * answers go out compressed as fast as they do plain.
 *
 * Compressed answers have the entity tag of the plain ones, but weak: the same content, not the same bytes. Nothing here
 * mixes a secret with what somebody else chose, so that lengths tell nothing (BREACH).
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Zstd } from '@hpcc-js/wasm-zstd';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { weight } from './negotiate.js';
import { tenantOf } from './identity.js';

export type Coding = 'br' | 'zstd' | 'gzip';

/** The best first, where a client likes several equally well. */
const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip'];
/** Smaller answers fit a packet or two as they are. */
const WORTHWHILE = 1024;
/** zstd runs on the event loop: larger answers go as gzip or br, which run beside it. */
const ZSTD_MAX = 512 * 1024;

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

export class AnswerEncoder {
  private readonly kept: LRUCache<string, Buffer>;
  private readonly wishes = new LRUCache<string, readonly Coding[]>({ max: 256 });

  private constructor(
    private readonly zstd: Zstd,
    maxBytes: number,
  ) {
    this.kept = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: (bytes) => bytes.length + 256 });
  }

  /** `maxBytes`: of compressed answers that are kept. */
  static async load(maxBytes: number): Promise<AnswerEncoder> {
    return new AnswerEncoder(await Zstd.load(), maxBytes);
  }

  /** How an answer of so many bytes is to be encoded; null: as it is. */
  choose(acceptEncoding: string | string[] | undefined, length: number): Coding | null {
    if (acceptEncoding === undefined || length < WORTHWHILE) return null;
    const header = [acceptEncoding].flat().join(',').slice(0, 512);
    let wish = this.wishes.get(header);
    if (wish === undefined) this.wishes.set(header, (wish = codings(header)));
    return wish.find((coding) => coding !== 'zstd' || length <= ZSTD_MAX) ?? null;
  }

  /** What was compressed before; `etag` names the content. */
  held(tenant: string, etag: string, coding: Coding): Buffer | undefined {
    return this.kept.get(`${tenant}\n${etag}\n${coding}`);
  }

  /** `etag` null: the answer is not worth keeping. */
  async encode(bytes: Buffer, coding: Coding, tenant: string, etag: string | null): Promise<Buffer> {
    const known = etag === null ? undefined : this.held(tenant, etag, coding);
    if (known !== undefined) return known;
    const encoded = await this.compress(bytes, coding);
    if (etag !== null) this.kept.set(`${tenant}\n${etag}\n${coding}`, encoded);
    return encoded;
  }

  private async compress(bytes: Buffer, coding: Coding): Promise<Buffer> {
    if (coding === 'gzip') return toGzip(bytes);
    if (coding === 'zstd') return Buffer.from(this.zstd.compress(bytes));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    return toBrotli(bytes, { params });
  }
}

/** The codings that Accept-Encoding (RFC 9110, section 12.5.3) allows, the most wanted first. */
function codings(header: string): readonly Coding[] {
  const wishes = new Map<string, number>();
  for (const part of header.toLowerCase().split(',').slice(0, 32)) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    wishes.set(name === 'x-gzip' ? 'gzip' : name, weight(parameters));
  }
  const any = wishes.get('*') ?? 0;
  const quality = (coding: string): number => wishes.get(coding) ?? any;
  const plain = wishes.get('identity') ?? 0;
  const wanted = CODINGS.filter((coding) => quality(coding) > 0 && quality(coding) >= plain);
  return wanted.sort((a, b) => quality(b) - quality(a));
}

/** Encodes whatever routes answer with whole bodies. */
export function encodeAnswers(app: FastifyInstance, encoder: AnswerEncoder): void {
  app.addHook<unknown>('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
    if (reply.hasHeader('content-encoding') || payload.length < WORTHWHILE) return payload;
    vary(reply);
    const coding = encoder.choose(request.headers['accept-encoding'], payload.length);
    if (coding === null) return payload;
    return encoded(encoder, coding, Buffer.from(payload as string), request, reply);
  });
}

async function encoded(
  encoder: AnswerEncoder,
  coding: Coding,
  bytes: Buffer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Buffer> {
  const etag = (reply.getHeader('etag') as string | undefined) ?? null;
  const out = await encoder.encode(bytes, coding, tenantOf(request), etag);
  void reply.header('content-encoding', coding).removeHeader('content-length');
  if (etag !== null) void reply.header('etag', `W/${etag}`);
  return out;
}

function vary(reply: FastifyReply): void {
  const before = reply.getHeader('vary');
  if (before === undefined) void reply.header('vary', 'accept-encoding');
  else if (!String(before).includes('accept-encoding')) void reply.header('vary', `${String(before)}, accept-encoding`);
}
