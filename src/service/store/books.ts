/** What lies in a store, as far as this process knows: each file's bytes, in the order of use. */

/** What a file takes on disk is counted in blocks: a bound on bytes that forgets them bounds nothing. */
const BLOCK = 4096;

export interface Line {
  readonly bytes: number;
  /** When the use was last written to disk, by the file's time, in milliseconds. */
  readonly written: number;
}

/** The blocks that so many bytes take. */
export function onDisk(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BLOCK)) * BLOCK;
}

export class Books {
  private lines = new Map<string, Line>();
  private total = 0;

  get bytes(): number {
    return this.total;
  }
  get count(): number {
    return this.lines.size;
  }
  /** What was used longest ago; null where there is nothing. */
  get oldest(): string | null {
    return this.lines.keys().next().value ?? null;
  }

  get(key: string): Line | null {
    return this.lines.get(key) ?? null;
  }

  /** Notes it as the last one used. */
  note(key: string, line: Line): void {
    this.strike(key);
    this.lines.set(key, line);
    this.total += line.bytes;
  }

  /** Takes a line over from other books, where they have it. */
  copy(key: string, from: Books): void {
    const line = from.get(key);
    if (line !== null) this.note(key, line);
  }

  strike(key: string): void {
    this.total -= this.lines.get(key)?.bytes ?? 0;
    this.lines.delete(key);
  }
}
