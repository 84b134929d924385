/** The tier that instances share: Redis or Valkey, entries packed as on disk, keys `bpf-jitd:1:KEY`. */
import { PREFIX, type RedisLink } from '../cluster/link.js';
import { packEntry, unpackEntry, type Answer } from './entry.js';

/** Entries are immutable; this bounds how long unused ones stay where Redis has no eviction policy. */
const TTL_SECONDS = 30 * 86_400;

export class RedisCache {
  constructor(private readonly link: RedisLink) {}

  /** Null where there is none, where it is damaged, or where Redis does not answer. */
  async get(key: string): Promise<Answer | null> {
    const packed = await this.link.run((redis) => redis.getBuffer(PREFIX + key));
    return packed === null ? null : unpackEntry(key, packed);
  }

  async has(key: string): Promise<boolean> {
    return (await this.link.run((redis) => redis.exists(PREFIX + key))) === 1;
  }

  /** Whether it is there now. */
  async set(key: string, answer: Answer): Promise<boolean> {
    return (
      (await this.link.run((redis) => redis.set(PREFIX + key, packEntry(key, answer), 'EX', TTL_SECONDS))) === 'OK'
    );
  }
}
