/** All keys of the keys file, and the patience with addresses that show none. */
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { ServiceError } from '../errors.js';
import { TokenBucket } from './bucket.js';
import { KeyHolder } from './holder.js';
import { network } from './identity.js';
import { readKeysFile } from './keys-file.js';
import { bearerToken, tokenId } from './token.js';

/** Requests without a valid key that one address may send at once, and then a second; the rest is not even looked at. */
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

  /** Whose key the Authorization header shows. Throws ServiceError UNAUTHENTICATED or RATE_LIMITED. */
  authenticate(authorization: string | undefined, address: string | undefined): KeyHolder {
    // Whose address it is matters only where some have failed.
    const from = this.failures.size === 0 ? null : network(address ?? 'unknown');
    const failures = from === null ? undefined : this.failures.get(from);
    if (failures !== undefined && failures.left < 1) {
      const detail = 'too many requests without a valid API key came from this address';
      throw new ServiceError('RATE_LIMITED', detail, { retryAfter: failures.wait });
    }
    const token = bearerToken(authorization);
    const id = token === null ? null : tokenId(token);
    const holder = id === null ? undefined : this.holders.get(id);
    if (token !== null && holder?.holds(token) === true) return holder;
    this.failed(from ?? network(address ?? 'unknown'), failures);
    const detail =
      authorization === undefined ? 'send Authorization: Bearer and an API key' : 'the API key is not valid';
    throw new ServiceError('UNAUTHENTICATED', detail);
  }

  private failed(from: string, known: TokenBucket | undefined): void {
    const bucket = known ?? new TokenBucket(FAILURES_PER_SECOND, FAILURES, () => performance.now());
    if (known === undefined) this.failures.set(from, bucket);
    bucket.take();
  }
}
