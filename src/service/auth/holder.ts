/** A key as this instance knows it: whose it is, and how much of what it may use is used. Outlives changes of the file. */
import { performance } from 'node:perf_hooks';
import { ServiceError } from '../errors.js';
import { TokenBucket } from './bucket.js';
import type { Identity } from './identity.js';
import type { KeyRecord, Scope } from './keys-file.js';
import { isToken } from './token.js';

const now = (): number => performance.now();

export class KeyHolder {
  identity: Identity;
  private bucket: TokenBucket | null;
  private digest: Buffer;
  private inFlight = 0;
  private gone = false;

  /** `apart`: tenants do not share a cache. */
  constructor(
    private record: KeyRecord,
    private readonly apart: boolean,
  ) {
    this.identity = this.identify();
    this.digest = Buffer.from(record.sha256, 'hex');
    const { rate } = record;
    this.bucket = rate === undefined ? null : new TokenBucket(rate, burstOf(record, rate), now);
  }

  /** What the file says of the key now; null where it says nothing any more. */
  update(record: KeyRecord | null): void {
    this.gone = record === null;
    if (record === null) return;
    this.record = record;
    this.identity = this.identify();
    this.digest = Buffer.from(record.sha256, 'hex');
    const { rate } = record;
    if (rate === undefined) this.bucket = null;
    else if (this.bucket === null) this.bucket = new TokenBucket(rate, burstOf(record, rate), now);
    else this.bucket.change(rate, burstOf(record, rate));
  }

  holds(token: string): boolean {
    return isToken(token, this.digest);
  }

  /** Throws ServiceError UNAUTHENTICATED where the key is not valid any more, FORBIDDEN where it does not allow this. */
  check(scope: Scope): void {
    const { revoked, expires, scopes } = this.record;
    if (this.gone || revoked !== undefined) throw new ServiceError('UNAUTHENTICATED', 'the API key was revoked');
    if (expires !== undefined && Date.parse(expires) <= Date.now()) {
      throw new ServiceError('UNAUTHENTICATED', 'the API key has expired');
    }
    if (!scopes.includes(scope)) throw new ServiceError('FORBIDDEN', `the API key has not the scope ${scope}`);
  }

  /** Counts a request against the rate. Throws ServiceError as `check` does, or RATE_LIMITED. */
  spend(scope: Scope): void {
    this.check(scope);
    if (this.bucket !== null && !this.bucket.take()) {
      const { wait } = this.bucket;
      const detail = `the API key may send ${this.record.rate ?? 0} requests a second`;
      throw new ServiceError('RATE_LIMITED', detail, { retryAfter: wait });
    }
  }

  /** Begins a request, which `leave` ends. Throws ServiceError as `spend` does, or CONCURRENCY_LIMITED. */
  enter(scope: Scope): void {
    this.spend(scope);
    if (this.inFlight >= this.concurrency) {
      throw new ServiceError('CONCURRENCY_LIMITED', `the API key may have ${this.concurrency} requests in flight`);
    }
    this.inFlight++;
  }

  leave(): void {
    this.inFlight--;
  }

  get concurrency(): number {
    return this.record.concurrency ?? Infinity;
  }

  /** Of draft-ietf-httpapi-ratelimit-headers, flat for writeHead; empty where there is no rate limit. */
  get rateHeaders(): readonly string[] {
    if (this.bucket === null) return [];
    const { burst, left, full } = this.bucket;
    return [
      ...['ratelimit-limit', String(burst), 'ratelimit-remaining', String(left)],
      ...['ratelimit-reset', String(full)],
    ];
  }

  private identify(): Identity {
    const { id, tenant } = this.record;
    return { client: `key:${id}`, tenant: this.apart ? (tenant ?? id) : '' };
  }
}

/** A second's worth where nothing is said. */
function burstOf({ burst }: KeyRecord, rate: number): number {
  return burst ?? Math.max(1, Math.ceil(rate));
}
