/**
 * What both transports call, and nothing deeper:
 *
 *     checked request → digest → memory → disk → the same in flight? → queue → worker → answer
 */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Identity } from './auth/identity.js';
import type { Answer } from './cache/entry.js';
import type { DiskCache } from './cache/disk.js';
import { cacheKey } from './cache/key.js';
import type { RedisCache } from './cache/redis.js';
import type { MemoryCache } from './cache/memory.js';
import type { CompileRequestMessage } from './contract/messages.js';
import { CompileRequestType, CompileResponseType, encode, type Message } from './contract/schema.js';
import { writeJson } from './contract/json-write.js';
import { checkRequest, isDigest } from './contract/request.js';
import { unwrapBtf } from './btf-unwrap.js';
import { ServiceError } from './errors.js';
import { Flights } from './flights.js';
import { sha256, type BtfStore } from './btf-store.js';
import type { CompilePool } from './pool/pool.js';
import type { CompileTask, CompileTaskResult } from './pool/protocol.js';
import type { TargetCatalog } from './catalog.js';
import type { Metrics } from './telemetry/metrics.js';

/** Where an answer came from. */
export type Source = 'memory' | 'disk' | 'redis' | 'flight' | 'compiled';

export interface Compiled {
  readonly digest: string;
  /** What it is kept under: the digest, or a name of the tenant's own. */
  readonly key: string;
  readonly answer: Answer;
  readonly source: Source;
  /** Milliseconds, by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface CompileServiceParts {
  readonly pool: CompilePool;
  readonly memory: MemoryCache;
  readonly disk: DiskCache | null;
  readonly redis: RedisCache | null;
  readonly btf: BtfStore;
  readonly catalog: TargetCatalog;
  readonly metrics: Metrics;
  /** Of code and schemas: part of every digest. */
  readonly buildId: string;
  /** Milliseconds that a request may take at most. */
  readonly timeout: number;
}

/** Who asks, and how long and in what form they want their answer. */
export interface Asking {
  readonly identity: Identity;
  /** Aborted when the client has gone or its time is over; the work stops when nobody else waits for it. */
  readonly signal: AbortSignal;
  /** JSON is what the client will be sent. */
  readonly json: boolean;
  /** Milliseconds, where the client gives less than the service does. */
  readonly limit?: number;
}

type Shared = Omit<Compiled, 'digest' | 'key'>;

/** A request that was checked and named. */
interface Prepared {
  readonly request: CompileRequestMessage;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
  readonly key: string;
  readonly tenant: string;
  readonly target: string;
  readonly json: boolean;
}

export class CompileService {
  private readonly flights = new Flights<Shared>();
  private stopping = false;
  private readonly memoryHits: { inc(): void };

  constructor(private readonly parts: CompileServiceParts) {
    this.memoryHits = parts.metrics.cacheLookups.labels({ tier: 'memory', result: 'hit' });
  }

  /** Compilations that are waited for. */
  get inFlight(): number {
    return this.flights.size;
  }
  get accepting(): boolean {
    return !this.stopping;
  }
  get pool(): CompilePool {
    return this.parts.pool;
  }
  get catalog(): TargetCatalog {
    return this.parts.catalog;
  }
  get btf(): BtfStore {
    return this.parts.btf;
  }
  get metrics(): Metrics {
    return this.parts.metrics;
  }

  /** Answers a request. Throws ServiceError. */
  async compile(message: CompileRequestMessage, asking: Asking): Promise<Compiled> {
    const started = performance.now();
    if (this.stopping) throw new ServiceError('SHUTTING_DOWN', 'this instance takes no new work');
    const prepared = this.prepare(message, asking);
    const { digest, key } = prepared;
    const request = performance.now() - started;
    const known = this.remembered(key) ?? (await this.stored(key));
    if (known !== null) return { ...known, digest, key, timings: { ...known.timings, request } };
    const limit = Math.min(asking.limit ?? Infinity, this.parts.timeout);
    const deadline = AbortSignal.timeout(Math.max(1, Math.floor(limit)));
    const shared = await this.flights
      .join(key, AbortSignal.any([asking.signal, deadline]), (stop) => this.work(prepared, stop))
      .catch((error: unknown) => {
        throw reasonOf(error, asking.signal, deadline);
      });
    return { ...shared, digest, key, timings: { ...shared.timings, request } };
  }

  /** An answer that is in memory; cheap. */
  remembered(key: string): Shared | null {
    const answer = this.parts.memory.get(key);
    if (answer === null) return null;
    this.memoryHits.inc();
    return { answer, source: 'memory', timings: {} };
  }

  /** An answer that this tenant was given before. Throws ServiceError INVALID_DIGEST or NOT_FOUND. */
  async lookup(digest: string, identity: Identity): Promise<Compiled> {
    if (!isDigest(digest)) throw new ServiceError('INVALID_DIGEST', 'a compilation is named by 64 hexadecimal digits');
    const key = cacheKey(identity.tenant, digest);
    const known = this.remembered(key) ?? (await this.stored(key));
    if (known === null) throw new ServiceError('NOT_FOUND', 'no such compilation is remembered; ask for it again');
    return { ...known, digest, key };
  }

  /** The answer as JSON text, made once. */
  json(key: string, answer: Answer): Buffer {
    if (answer.json !== null) return answer.json;
    const message = CompileResponseType.decode(answer.protobuf) as unknown as Message;
    const json = Buffer.from(JSON.stringify(writeJson(CompileResponseType, message)));
    this.parts.memory.addJson(key, answer, json);
    return json;
  }

  /** No new work; resolves when what is in flight has ended, or after `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.stopping = true;
    const until = performance.now() + timeout;
    while (this.flights.size > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20));
  }

  private prepare(message: CompileRequestMessage, { identity, json }: Asking): Prepared {
    const request = checkRequest(message);
    const target = this.parts.catalog.find(request.target?.kernel ?? '');
    const bytes = encode(CompileRequestType, request);
    const digest = this.digest(bytes, target.digest);
    const { tenant } = identity;
    return { request, bytes, digest, key: cacheKey(tenant, digest), tenant, target: target.name, json };
  }

  private digest(request: Uint8Array, target: string): string {
    return createHash('sha256').update(`${this.parts.buildId}\n${target}\n`).update(request).digest('hex');
  }

  /** From the tiers behind memory, the nearest first; what is found moves nearer. */
  private async stored(key: string): Promise<Shared | null> {
    this.parts.metrics.cacheLookups.inc({ tier: 'memory', result: 'miss' });
    return (await this.fromTier('disk', key)) ?? (await this.fromTier('redis', key));
  }

  private async fromTier(tier: 'disk' | 'redis', key: string): Promise<Shared | null> {
    const cache = this.parts[tier];
    if (cache === null) return null;
    const started = performance.now();
    const answer = await this.guarded(tier, () => cache.get(key));
    this.parts.metrics.cacheLookups.inc({ tier, result: answer === null ? 'miss' : 'hit' });
    if (answer === null) return null;
    this.parts.memory.set(key, answer);
    if (tier === 'redis') await this.store('disk', key, answer);
    return { answer, source: tier, timings: { [tier]: performance.now() - started } };
  }

  private async store(tier: 'disk' | 'redis', key: string, answer: Answer): Promise<void> {
    await this.guarded(tier, () => this.parts[tier]?.set(key, answer));
  }

  /** What a cache tier throws costs that tier's service alone. */
  private async guarded<T>(tier: 'disk' | 'redis', work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.parts.metrics.cacheErrors.inc({ tier });
      this.parts.metrics.onCacheError(error);
      return null;
    }
  }

  private async work(
    { request, bytes, digest, key, tenant, target, json }: Prepared,
    signal: AbortSignal,
  ): Promise<Shared> {
    const btf = await this.targetBtf(request, tenant);
    const { result, elapsed } = await this.parts.pool.run({ request: bytes, digest, target, btf, json }, signal);
    if ('badBtf' in result) throw new ServiceError('INVALID_BTF', result.badBtf, { field: 'target.btf' });
    const answer = asAnswer(result);
    this.parts.memory.set(key, answer);
    await Promise.all([this.store('disk', key, answer), this.store('redis', key, answer)]);
    this.count(result, elapsed);
    return { answer, source: 'compiled', timings: { ...result.timings, queue: queueTime(result, elapsed) } };
  }

  private async targetBtf({ target }: CompileRequestMessage, tenant: string): Promise<CompileTask['btf']> {
    if (target?.btf !== undefined) {
      return { key: cacheKey(tenant, sha256(target.btf)), bytes: await unwrapBtf(target.btf) };
    }
    if (target?.btfDigest === undefined) return null;
    const bytes = await unwrapBtf(await this.parts.btf.get(target.btfDigest, tenant));
    return { key: cacheKey(tenant, target.btfDigest), bytes };
  }

  private count(result: CompileTaskResult, elapsed: number): void {
    const { programs, stageSeconds } = this.parts.metrics;
    programs.inc({ verdict: 'accepted' }, result.accepted);
    programs.inc({ verdict: 'rejected' }, result.rejected);
    stageSeconds.observe({ stage: 'queue' }, queueTime(result, elapsed) / 1000);
    for (const [stage, milliseconds] of Object.entries(result.timings)) {
      stageSeconds.observe({ stage }, milliseconds / 1000);
    }
  }
}

function queueTime(result: CompileTaskResult, elapsed: number): number {
  return Math.max(0, elapsed - Object.values(result.timings).reduce((sum, time) => sum + time, 0));
}

function asAnswer(result: CompileTaskResult): Answer {
  return {
    protobuf: asBuffer(result.protobuf),
    json: result.json === null ? null : asBuffer(result.json),
    failed: result.failed,
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function reasonOf(error: unknown, client: AbortSignal, deadline: AbortSignal): unknown {
  if (error instanceof ServiceError) return error;
  if (client.aborted)
    return client.reason instanceof ServiceError ? client.reason : new ServiceError('CANCELLED', 'the client has gone');
  if (deadline.aborted) return new ServiceError('DEADLINE_EXCEEDED', 'the compilation was stopped');
  return error;
}
