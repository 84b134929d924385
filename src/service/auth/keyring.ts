/** All keys of the keys file, and the patience with addresses that show none. */
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { ServiceError } from '../errors.js';
import { TokenBucket } from './bucket.js';
import { KeyHolder } from './holder.js';
import { network } from './identity.js';
import { readKeysFile } from './keys-file.js';
import { bearerToken, tokenId } from './token.js';

/** Requests without a valid key that one address may send at once, and then a second; the rest is told to wait. */
const FAILURES = 20;
const FAILURES_PER_SECOND = 1;
const ADDRESSES = 10_000;

export class Keyring {
  private holders = new Map<string, KeyHolder>();
  private readonly failures = new LRUCache<string, TokenBucket>({ max: ADDRESSES });

  /** Reads the file. Throws KeysFileError or what the system says. */
  constructor(
    readonly path: string,
    private readonly apart: boolean,
  ) {
    this.reload();
  }

  /** Takes what the file says now. Where it cannot be read the old keys stay, and it throws. */
  reload(): void {
    const next = new Map<string, KeyHolder>();
    for (const record of readKeysFile(this.path)) {
      const old = this.holders.get(record.id);
      old?.update(record);
      next.set(record.id, old ?? new KeyHolder(record, this.apart));
    }
    for (const [id, holder] of this.holders) if (!next.has(id)) holder.update(null);
    this.holders = next;
  }

  get size(): number {
    return this.holders.size;
  }

  /**
   * Whose key the Authorization header shows. A valid key is found whatever others do from the same address: it costs one
   * hash to look, and whoever shares the address (a NAT, an unnamed proxy) must not be able to lock it out.
   *
   * Throws ServiceError UNAUTHENTICATED, or RATE_LIMITED where the address has failed too often.
   */
  authenticate(authorization: string | undefined, address: string | undefined): KeyHolder {
    const token = bearerToken(authorization);
    const id = token === null ? null : tokenId(token);
    const holder = id === null ? undefined : this.holders.get(id);
    if (token !== null && holder?.holds(token) === true) return holder;
    this.fail(network(address ?? 'unknown'));
    const detail =
      authorization === undefined ? 'send Authorization: Bearer and an API key' : 'the API key is not valid';
    throw new ServiceError('UNAUTHENTICATED', detail);
  }

  /** Counts a failure. Throws ServiceError RATE_LIMITED where there were too many. */
  private fail(from: string): void {
    let bucket = this.failures.get(from);
    if (bucket === undefined) {
      bucket = new TokenBucket(FAILURES_PER_SECOND, FAILURES, () => performance.now());
      this.failures.set(from, bucket);
    }
    if (bucket.take()) return;
    const detail = 'too many requests without a valid API key came from this address';
    throw new ServiceError('RATE_LIMITED', detail, { retryAfter: bucket.wait });
  }
}
