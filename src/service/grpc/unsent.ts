/** Answers of batches that a connection has not taken yet: bounded in bytes, over all its streams. */

/** Bytes for each connection; one answer is let in whatever its size. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface Unsent {
  /** Whether there is room; then it is taken. */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

export class UnsentAnswers {
  /** Bytes, by the client's address and port. */
  private readonly held = new Map<string, number>();

  of(peer: string): Unsent {
    return {
      take: (bytes) => {
        const before = this.held.get(peer) ?? 0;
        if (before > 0 && before + bytes > MAX_BYTES) return false;
        this.held.set(peer, before + bytes);
        return true;
      },
      release: (bytes) => {
        const left = (this.held.get(peer) ?? 0) - bytes;
        if (left > 0) this.held.set(peer, left);
        else this.held.delete(peer);
      },
    };
  }
}
