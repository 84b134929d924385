/**
 * How an answer lies in a cache that is not this process's memory:
 *
 *     magic "BCJ2" | flags (1) | reserved (3) | SHA-256 of key, flags and content (32) | CompileResponse in protobuf encoding
 *
 * The checksum is read before anything else is believed; an entry that fails it, or that lies under another's key, is as good
 * as none.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

const MAGIC = 0x324a4342; // "BCJ2", little endian: a change of the layout changes it
const HEADER = 40;
const FAILED = 1;

/** An answer with both of its encodings; JSON is made on first use. */
export interface Answer {
  readonly protobuf: Buffer;
  json: Buffer | null;
  /** The object as a whole could not be loaded: answered as a problem. */
  readonly failed: boolean;
}

export function packEntry(key: string, answer: Answer): Buffer {
  const out = Buffer.alloc(HEADER + answer.protobuf.length);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt8(answer.failed ? FAILED : 0, 4);
  answer.protobuf.copy(out, HEADER);
  checksum(key, out).copy(out, 8);
  return out;
}

/** Null where the entry is damaged or of another version. */
export function unpackEntry(key: string, entry: Buffer): Answer | null {
  if (entry.length < HEADER || entry.readUInt32LE(0) !== MAGIC) return null;
  if (!timingSafeEqual(checksum(key, entry), entry.subarray(8, HEADER))) return null;
  return { protobuf: entry.subarray(HEADER), json: null, failed: (entry.readUInt8(4) & FAILED) !== 0 };
}

function checksum(key: string, entry: Buffer): Buffer {
  return createHash('sha256').update(`${key}\n`).update(entry.subarray(4, 8)).update(entry.subarray(HEADER)).digest();
}
