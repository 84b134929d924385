/** Content-Encoding of requests, undone in one go: for worker threads. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { ServiceError } from '../errors.js';
import { decodeZstd, TooLarge } from '../zstd.js';

type Decode = (bytes: Uint8Array, limit: number) => Buffer;

const DECODERS = {
  gzip: (bytes, limit) => gunzipSync(bytes, { maxOutputLength: limit }),
  deflate: (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit }),
  br: (bytes, limit) => brotliDecompressSync(bytes, { maxOutputLength: limit }),
  zstd: decodeZstd,
} as const satisfies Record<string, Decode>;

export type Coding = keyof typeof DECODERS;

/** For Accept-Encoding of a refusal (RFC 9110, section 15.5.16). */
export const DECODED = Object.keys(DECODERS).join(', ');

/** The coding of a Content-Encoding header; undefined where it is none that is taken. */
export function codingOf(header: string): Coding | undefined {
  const name = header.trim().toLowerCase();
  if (name === 'x-gzip') return 'gzip';
  return Object.hasOwn(DECODERS, name) ? (name as Coding) : undefined;
}

/** Throws ServiceError BODY_TOO_LARGE where more than `limit` bytes come out, MALFORMED_BODY where they are damaged. */
export function decoded(bytes: Uint8Array, coding: Coding | null, limit: number): Uint8Array {
  if (coding === null) return bytes;
  try {
    return DECODERS[coding](bytes, limit);
  } catch (error) {
    if (error instanceof TooLarge || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ServiceError('BODY_TOO_LARGE', 'the body decodes to more than this service takes');
    }
    throw new ServiceError('MALFORMED_BODY', 'the body is not encoded as Content-Encoding says');
  }
}
