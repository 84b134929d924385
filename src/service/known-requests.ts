/** Requests by the bytes they came in: asking again costs one hash, and no parsing. */
import { hash, subtle } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** What an entry costs besides its name: the digest that it leads to, and the maps' own. */
const OVERHEAD = 300;
/** Bytes that are hashed on the event loop, some hundred microseconds; more are hashed beside it. */
const AT_ONCE = 256 * 1024;

export class KnownRequests<T extends object | string> {
  private readonly entries: LRUCache<string, T>;

  /** `maxBytes`: that entries may take, about. */
  constructor(maxBytes: number) {
    this.entries = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: (_value, name) => name.length + OVERHEAD,
    });
  }

  /** Names bytes, and for whom (`tenant`) and as what (`meaning`) they are read; later, where there are many. */
  static nameOf(tenant: string, meaning: string, bytes: Uint8Array): string | Promise<string> {
    const place = `${tenant}\n${meaning}\n`;
    if (bytes.length <= AT_ONCE) return place + hash('sha256', bytes, 'base64');
    return subtle.digest('SHA-256', bytes).then((digest) => place + Buffer.from(digest).toString('base64'));
  }

  get(name: string): T | undefined {
    return this.entries.get(name);
  }

  set(name: string, value: T): void {
    this.entries.set(name, value);
  }
}
