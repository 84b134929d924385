/** BTF comes compressed from where people have it; what is inside is bounded before it is believed. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { readKernelBtf } from '../compiler/kernel-btf.js';
import { ServiceError } from './errors.js';

/** Far more than any kernel's BTF. */
const MAX_BYTES = 128 * 1024 * 1024;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a];
const ZLIB = [0x78];

/** Raw BTF or an ELF file, out of gzip, zlib or zstd. Throws ServiceError INVALID_BTF. */
export function unwrapBtf(bytes: Uint8Array): Uint8Array {
  try {
    if (startsWith(bytes, GZIP)) return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
    if (startsWith(bytes, ZLIB)) return inflateSync(bytes, { maxOutputLength: MAX_BYTES });
    if (startsWith(bytes, ZSTD)) return boundedZstd(bytes);
  } catch {
    throw new ServiceError('INVALID_BTF', 'the compressed BTF is damaged or too large');
  }
  if (startsWith(bytes, XZ)) throw new ServiceError('INVALID_BTF', 'xz is not taken; send it raw, or as gzip or zstd');
  return bytes;
}

/** Throws ServiceError INVALID_BTF with the reader's words. */
export function checkBtf(bytes: Uint8Array): void {
  const read = readKernelBtf(bytes);
  if (!read.ok) throw new ServiceError('INVALID_BTF', read.failure.message);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** Into a buffer of a fixed size, so that a bomb cannot grow. */
function boundedZstd(bytes: Uint8Array): Uint8Array {
  const out = unzstd(bytes, new Uint8Array(MAX_BYTES));
  return out.slice();
}
