/** Bytes that come in pieces: kept in blocks, so that memory follows what was sent and not into how many pieces it was cut. */
const BLOCK = 64 * 1024;

export class Gather {
  private readonly blocks: Buffer[] = [];
  private free = 0;
  private total = 0;

  get length(): number {
    return this.total;
  }

  add(piece: Uint8Array): void {
    this.total += piece.length;
    for (let at = 0; at < piece.length;) {
      if (this.free === 0) this.grow(piece.length - at);
      const block = this.blocks.at(-1)!;
      const part = piece.subarray(at, at + this.free);
      block.set(part, block.length - this.free);
      this.free -= part.length;
      at += part.length;
    }
  }

  /** All of them in memory of their own; nothing stays here. */
  take(): Buffer {
    const whole = Buffer.allocUnsafeSlow(this.total);
    let at = 0;
    for (const block of this.blocks.splice(0)) at += block.copy(whole, at, 0, Math.min(block.length, this.total - at));
    this.free = 0;
    this.total = 0;
    return whole;
  }

  private grow(bytes: number): void {
    this.free = Math.max(BLOCK, bytes);
    this.blocks.push(Buffer.allocUnsafeSlow(this.free));
  }
}
