/** Brings BTF of either byte order into canonical form: behind the magic number, all of it but its strings is 32-bit words. */
import { BIG_ENDIAN, LITTLE_ENDIAN, type ByteOrder } from '../bytes/byte-order.js';
import { ByteReader } from '../bytes/reader.js';
import { turnWords } from '../bytes/turn.js';

export const BTF_MAGIC = 0xeb9f;
/** Where the header's 32-bit words begin (its own length first): behind magic number, version and flags. */
const WORDS = 4;
const TYPES_OFFSET = 8;
const TYPES_LENGTH = 12;

/** The order in which a blob is written, by its magic number; little-endian where it has neither order's. */
export function byteOrderOfBtf(bytes: Uint8Array): ByteOrder {
  return new ByteReader(bytes, BIG_ENDIAN).u16(0) === BTF_MAGIC ? BIG_ENDIAN : LITTLE_ENDIAN;
}

/**
 * The blob in canonical form: itself where it is in little-endian order, else a copy (on memory that threads share where
 * asked for). Nothing is checked: header and types are turned as far as they lie inside.
 */
export function canonicalBtf(bytes: Uint8Array, order: ByteOrder, shared = false): Uint8Array {
  if (order === LITTLE_ENDIAN) return bytes;
  const turned = new Uint8Array(shared ? new SharedArrayBuffer(bytes.length) : new ArrayBuffer(bytes.length));
  const reader = new ByteReader(bytes, order);
  const header = turnHeader(bytes, turned);
  const types = header + reader.u32(TYPES_OFFSET);
  turnWords(turned, types, Math.min(types + reader.u32(TYPES_LENGTH), bytes.length));
  return turned;
}

/** `.BTF.ext` in canonical form, in the same way; it has no strings. */
export function canonicalBtfExt(bytes: Uint8Array, order: ByteOrder): Uint8Array {
  if (order === LITTLE_ENDIAN) return bytes;
  const turned = new Uint8Array(bytes.length);
  turnWords(turned, turnHeader(bytes, turned), bytes.length);
  return turned;
}

/** Copies a blob and turns its header; answers the header's length, cut to the blob's. */
function turnHeader(bytes: Uint8Array, turned: Uint8Array): number {
  const header = Math.min(new ByteReader(bytes, BIG_ENDIAN).u32(WORDS), bytes.length);
  turned.set(bytes);
  turned.set(bytes.subarray(0, 2).toReversed());
  turnWords(turned, WORDS, Math.max(header, Math.min(WORDS + 4, bytes.length)));
  return header;
}
