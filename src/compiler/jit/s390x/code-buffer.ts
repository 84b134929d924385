/** Instructions in the making: big-endian half-words, two bytes to six an instruction, growing by doubling. */
export class CodeBuffer {
  private bytes: Uint8Array;
  private view: DataView;
  /** Bytes written so far. */
  length = 0;
  /** A bit for each general register that an instruction has named, in any walk over the function. */
  named = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. Call it once for a group: `half` and `word` do not check. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  half(value: number): void {
    this.view.setUint16(this.length, value);
    this.length += 2;
  }

  word(value: number): void {
    this.view.setInt32(this.length, value);
    this.length += 4;
  }

  /** Overwrites the half-word at byte `at`. */
  setHalf(at: number, value: number): void {
    this.view.setUint16(at, value);
  }

  /** Fills with zeros up to byte `end`. */
  padTo(end: number): void {
    this.reserve(end - this.length);
    this.bytes.fill(0, this.length, end);
    this.length = end;
  }

  /** A copy of what was written, as memory has it. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
