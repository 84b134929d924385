/** BTF comes compressed from where people have it; what is inside is bounded before it is believed. For worker threads. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { isSplitBtf, readKernelBtf } from '../compiler/kernel-btf.js';
import xz from 'xz-decompress';
import { ServiceError } from './errors.js';
import { decodeZstd } from './zstd.js';

/** Far more than a kernel's BTF and all its modules'. */
const MAX_BYTES = 128 * 1024 * 1024;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a];
const ZLIB = [0x78];

/** Bytes that may still come out of what one request holds compressed, all of it together. */
export class InflateBudget {
  constructor(private left = MAX_BYTES) {}

  /** At least 1: decoders take no 0 for a limit. */
  get limit(): number {
    return Math.max(1, this.left);
  }

  /** Throws RangeError where it is spent. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw new RangeError('more than is taken');
  }
}

/** Raw BTF or an ELF file, out of gzip, zlib, zstd or xz. Throws ServiceError INVALID_BTF. */
export async function unwrapBtf(bytes: Uint8Array, budget = new InflateBudget()): Promise<Uint8Array> {
  const inflate = inflaterOf(bytes);
  if (inflate === null) return bytes;
  try {
    const inside = await inflate(bytes, budget.limit);
    budget.spend(inside.byteLength);
    return inside;
  } catch {
    throw new ServiceError('INVALID_BTF', 'the compressed BTF is damaged or too large');
  }
}

type Inflate = (bytes: Uint8Array, limit: number) => Uint8Array | Promise<Uint8Array>;

/** Null where the bytes are not compressed. */
function inflaterOf(bytes: Uint8Array): Inflate | null {
  if (startsWith(bytes, GZIP)) return (all, limit) => gunzipSync(all, { maxOutputLength: limit });
  if (startsWith(bytes, ZLIB)) return (all, limit) => inflateSync(all, { maxOutputLength: limit });
  if (startsWith(bytes, ZSTD)) return decodeZstd;
  if (startsWith(bytes, XZ)) return boundedXz;
  return null;
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
async function boundedXz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
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
    if (length > limit) throw new RangeError('larger than any BTF');
    pieces.push(value.slice());
  }
}
