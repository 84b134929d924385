/** Machine code in the making: bytes, growing by doubling. */
export class CodeBuffer {
  bytes: Uint8Array;
  /** Bytes written so far. */
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes. Call it once for a group: `put` does not check. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** Appends a byte: the low 8 bits of `byte`. */
  put(byte: number): void {
    this.bytes[this.length++] = byte;
  }

  put2(first: number, second: number): void {
    this.bytes[this.length++] = first;
    this.bytes[this.length++] = second;
  }

  put3(first: number, second: number, third: number): void {
    this.bytes[this.length++] = first;
    this.bytes[this.length++] = second;
    this.bytes[this.length++] = third;
  }

  /** Appends a 32-bit number, little-endian. */
  put32(value: number): void {
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 24;
  }

  /** Overwrites the byte at `at`, which is written already. */
  patch(at: number, byte: number): void {
    this.bytes[at] = byte;
  }
}
