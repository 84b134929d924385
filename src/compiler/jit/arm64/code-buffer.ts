/** Instructions in the making: 32-bit words, growing by doubling. */
export class CodeBuffer {
  words: Int32Array;
  /** Instructions written so far. */
  length = 0;

  constructor(capacity: number) {
    this.words = new Int32Array(capacity);
  }

  /** Makes room for `count` more instructions. Call it once for a group: `put` does not check. */
  reserve(count: number): void {
    if (this.length + count <= this.words.length) return;
    const grown = new Int32Array(Math.max(2 * this.words.length, this.length + count));
    grown.set(this.words);
    this.words = grown;
  }

  put(instruction: number): void {
    this.words[this.length++] = instruction;
  }

  /** A copy of the first `count` bytes as memory has them (little-endian, as every host). */
  toBytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, this.length * 4).slice();
  }
}
