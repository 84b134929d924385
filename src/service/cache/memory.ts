/** The first tier: answers in this process's memory, bounded in bytes, least recently used out first. */
import { LRUCache } from 'lru-cache';
import type { Answer } from './entry.js';

/** What an entry costs besides its bytes. */
const OVERHEAD = 512;

export class MemoryCache {
  private readonly entries: LRUCache<string, Answer>;

  constructor(readonly maxBytes: number) {
    this.entries = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: size });
  }

  get(digest: string): Answer | null {
    return this.entries.get(digest) ?? null;
  }

  set(digest: string, answer: Answer): void {
    this.entries.set(digest, answer);
  }

  /** Also after its JSON was made: an entry is measured when it is set. */
  addJson(digest: string, answer: Answer, json: Buffer): void {
    answer.json = json;
    if (this.entries.has(digest)) this.entries.set(digest, { ...answer });
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }
  get count(): number {
    return this.entries.size;
  }
}

function size(answer: Answer): number {
  return answer.protobuf.length + (answer.json?.length ?? 0) + OVERHEAD;
}
