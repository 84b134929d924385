import { LITTLE_ENDIAN, type ByteOrder } from './byte-order.js';

/** Whether [offset, offset + length) lies inside `total` bytes. All three are non-negative safe integers. */
export function inBounds(offset: number, length: number, total: number): boolean {
  return offset <= total && length <= total - offset;
}

/**
 * A bounds-checked view of input bytes, whose integers are of one byte order.
 *
 * Reads outside the bytes answer 0 and set `overrun`; a reader of a structure checks `overrun` once when it is done
 * (or asks `has` before it reads), so that a truncated input can be neither a crash nor a wild read.
 */
export class ByteReader {
  private readonly view: DataView;
  private readonly little: boolean;
  overrun = false;

  constructor(
    readonly bytes: Uint8Array,
    order: ByteOrder = LITTLE_ENDIAN,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.little = order === LITTLE_ENDIAN;
  }

  get length(): number {
    return this.bytes.byteLength;
  }

  /** Whether `length` bytes at `offset` exist. */
  has(offset: number, length: number): boolean {
    return offset >= 0 && length >= 0 && inBounds(offset, length, this.bytes.byteLength);
  }

  u8(offset: number): number {
    return this.check(offset, 1) ? this.view.getUint8(offset) : 0;
  }
  u16(offset: number): number {
    return this.check(offset, 2) ? this.view.getUint16(offset, this.little) : 0;
  }
  u32(offset: number): number {
    return this.check(offset, 4) ? this.view.getUint32(offset, this.little) : 0;
  }
  i32(offset: number): number {
    return this.check(offset, 4) ? this.view.getInt32(offset, this.little) : 0;
  }
  u64(offset: number): bigint {
    return this.check(offset, 8) ? this.view.getBigUint64(offset, this.little) : 0n;
  }
  /** The lower and the upper 32 bits of a 64-bit integer. */
  lowerHalf(offset: number): number {
    return this.u32(offset + (this.little ? 0 : 4));
  }
  upperHalf(offset: number): number {
    return this.u32(offset + (this.little ? 4 : 0));
  }
  /** A 64-bit size or offset of a file as a number; -1 where it is more than any file's (2^53). */
  size(offset: number): number {
    if (!this.check(offset, 8)) return -1;
    const high = this.upperHalf(offset);
    return high > 0x1fffff ? -1 : high * 0x1_0000_0000 + this.lowerHalf(offset);
  }

  /** The NUL-terminated string at `offset`, Latin-1, or null where it does not end before `limit`. */
  string(offset: number, limit: number): string | null {
    if (offset < 0 || limit > this.bytes.byteLength || offset >= limit) return null;
    const end = this.bytes.indexOf(0, offset);
    if (end < 0 || end >= limit) return null;
    return latin1(this.bytes, offset, end);
  }

  private check(offset: number, length: number): boolean {
    if (this.has(offset, length)) return true;
    this.overrun = true;
    return false;
  }
}

/** Bytes [start, end) as a string of one character a byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + 4096)));
  }
  return text;
}
