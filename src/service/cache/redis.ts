/**
 * The tier that instances share: Redis or Valkey, entries packed as on disk, keys `bpf-jitd:1:DIGEST` (1: the format).
 * Nothing here ever fails a request: an operation that fails or takes long is as good as a miss, and after some of them
 * Redis is left alone for a while.
 */
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { CircuitBreaker } from './breaker.js';
import { packEntry, unpackEntry, type Answer } from './entry.js';

const PREFIX = 'bpf-jitd:1:';
/** Entries are immutable; this bounds how long unused ones stay where Redis has no eviction policy. */
const TTL_SECONDS = 30 * 86_400;
/** One operation, network included. */
const TIMEOUT_MS = 100;

export class RedisCache {
  private readonly redis: Redis;
  private readonly breaker = new CircuitBreaker({
    failures: 3,
    rest: 5000,
    timeout: TIMEOUT_MS,
    now: () => performance.now(),
  });

  constructor(
    url: string,
    private readonly onError: (error: unknown) => void,
  ) {
    this.redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 1000,
      retryStrategy: (times) => Math.min(times * 100, 2000),
    });
    this.redis.on('error', () => undefined); // operations report; the client reconnects by itself
  }

  /** Null where there is none, where it is damaged, or where Redis does not answer. */
  async get(digest: string): Promise<Answer | null> {
    const packed = await this.breaker.run(() => this.redis.getBuffer(PREFIX + digest), this.onError);
    return packed === null ? null : unpackEntry(packed);
  }

  async set(digest: string, answer: Answer): Promise<void> {
    await this.breaker.run(() => this.redis.set(PREFIX + digest, packEntry(answer), 'EX', TTL_SECONDS), this.onError);
  }

  close(): void {
    this.redis.disconnect();
  }
}
