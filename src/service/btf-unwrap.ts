/** BTF comes compressed from where people have it; what is inside is bounded before it is believed. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { isSplitBtf, readKernelBtf } from '../compiler/kernel-btf.js';
import xz from 'xz-decompress';
import { ServiceError } from './errors.js';
import { decodeZstd } from './zstd.js';

/** Far more than any kernel's BTF. */
const MAX_BYTES = 128 * 1024 * 1024;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a];
const ZLIB = [0x78];

/** Raw BTF or an ELF file, out of gzip, zlib, zstd or xz. Throws ServiceError INVALID_BTF. */
export async function unwrapBtf(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    if (startsWith(bytes, GZIP)) return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
    if (startsWith(bytes, ZLIB)) return inflateSync(bytes, { maxOutputLength: MAX_BYTES });
    if (startsWith(bytes, ZSTD)) return await decodeZstd(bytes, MAX_BYTES);
    if (startsWith(bytes, XZ)) return await boundedXz(bytes);
  } catch {
    throw new ServiceError('INVALID_BTF', 'the compressed BTF is damaged or too large');
  }
  return bytes;
}

/** Throws ServiceError INVALID_BTF with the reader's words. */
export function checkBtf(bytes: Uint8Array): void {
  const read = readKernelBtf(bytes);
  // A module's continues a kernel's that is not known here: whether it fits shows when both are named.
  if (!read.ok && !isSplitBtf(bytes)) throw new ServiceError('INVALID_BTF', read.failure.message);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** Piece by piece, and no further than the limit. */
async function boundedXz(bytes: Uint8Array): Promise<Uint8Array> {
  const compressed = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const reader = new xz.XzReadableStream(compressed).getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(pieces, length);
    length += value.byteLength;
    if (length > MAX_BYTES) throw new RangeError('larger than any BTF');
    pieces.push(value.slice());
  }
}
