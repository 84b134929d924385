import { LITTLE_ENDIAN, type ByteOrder } from './byte-order.js';

/** Bytes in the making, growing by doubling. Values are cut to their width; callers check what must fit. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  /** Bytes written so far: the offset of what comes next. */
  length = 0;
  private readonly little: boolean;

  constructor(order: ByteOrder = LITTLE_ENDIAN) {
    this.little = order === LITTLE_ENDIAN;
  }

  /** Makes room and answers where; replaces `view`, so that it comes before any use of it. */
  private grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.grow(1);
    this.view.setUint8(at, value);
    return this;
  }
  u16(value: number): this {
    const at = this.grow(2);
    this.view.setUint16(at, value, this.little);
    return this;
  }
  u32(value: number): this {
    const at = this.grow(4);
    this.view.setUint32(at, value, this.little);
    return this;
  }
  /** A signed 64-bit number that is exact below 2^53. */
  u64(value: number): this {
    const low = value >>> 0;
    const high = Math.floor(value / 0x1_0000_0000) >>> 0;
    return this.little ? this.u32(low).u32(high) : this.u32(high).u32(low);
  }
  raw(bytes: Uint8Array): this {
    const at = this.grow(bytes.length);
    this.bytes.set(bytes, at);
    return this;
  }
  /** UTF-8 text and a NUL. */
  text(value: string): this {
    return this.raw(new TextEncoder().encode(value)).u8(0);
  }
  /** DWARF's variable-length integers, for values below 2^31. */
  uleb(value: number): this {
    for (; value > 0x7f; value >>>= 7) this.u8((value & 0x7f) | 0x80);
    return this.u8(value);
  }
  sleb(value: number): this {
    for (;;) {
      const low = value & 0x7f;
      value >>= 7;
      if ((value === 0 && low < 0x40) || (value === -1 && low >= 0x40)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }
  /** Zeros up to a multiple of `alignment`, a power of two. */
  align(alignment: number): this {
    this.grow(-this.length & (alignment - 1));
    return this;
  }
  setU32(at: number, value: number): void {
    this.view.setUint32(at, value, this.little);
  }
  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
