/**
 * What both transports call, and nothing deeper:
 *
 *     checked request → digest → memory → disk → the same in flight? → queue → worker → answer
 */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Answer } from './cache/entry.js';
import type { DiskCache } from './cache/disk.js';
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
import type { CompileTaskResult } from './pool/protocol.js';
import type { TargetCatalog } from './catalog.js';
import type { Metrics } from './telemetry/metrics.js';

/** Where an answer came from. */
export type Source = 'memory' | 'disk' | 'redis' | 'flight' | 'compiled';

export interface Compiled {
  readonly digest: string;
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

type Shared = Omit<Compiled, 'digest'>;

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

  /**
   * Answers a request. `signal`: the client has gone or its time is over; the work stops when nobody else waits for it.
   * `json`: JSON is what the client will be sent. Throws ServiceError.
   */
  async compile(
    message: CompileRequestMessage,
    signal: AbortSignal,
    json: boolean,
    limit = Infinity,
  ): Promise<Compiled> {
    const started = performance.now();
    if (this.stopping) throw new ServiceError('SHUTTING_DOWN', 'this instance takes no new work');
    const request = checkRequest(message);
    const target = this.parts.catalog.find(request.target?.kernel ?? '');
    const bytes = encode(CompileRequestType, request);
    const digest = this.digest(bytes, target.digest);
    const prepared = performance.now() - started;
    const known = this.remembered(digest) ?? (await this.stored(digest));
    if (known !== null) return { ...known, digest, timings: { ...known.timings, request: prepared } };
    const deadline = AbortSignal.timeout(Math.max(1, Math.floor(Math.min(limit, this.parts.timeout))));
    const shared = await this.flights
      .join(digest, AbortSignal.any([signal, deadline]), (stop) =>
        this.work(request, bytes, digest, target.name, json, stop),
      )
      .catch((error: unknown) => {
        throw reasonOf(error, signal, deadline);
      });
    return { ...shared, digest, timings: { ...shared.timings, request: prepared } };
  }

  /** An answer that is in memory; cheap. */
  remembered(digest: string): Shared | null {
    const answer = this.parts.memory.get(digest);
    if (answer === null) return null;
    this.memoryHits.inc();
    return { answer, source: 'memory', timings: {} };
  }

  /** An answer given before. Throws ServiceError INVALID_DIGEST or NOT_FOUND. */
  async lookup(digest: string): Promise<Compiled> {
    if (!isDigest(digest)) throw new ServiceError('INVALID_DIGEST', 'a compilation is named by 64 hexadecimal digits');
    const known = this.remembered(digest) ?? (await this.stored(digest));
    if (known === null) throw new ServiceError('NOT_FOUND', 'no such compilation is remembered; ask for it again');
    return { ...known, digest };
  }

  /** The answer as JSON text, made once. */
  json(digest: string, answer: Answer): Buffer {
    if (answer.json !== null) return answer.json;
    const message = CompileResponseType.decode(answer.protobuf) as unknown as Message;
    const json = Buffer.from(JSON.stringify(writeJson(CompileResponseType, message)));
    this.parts.memory.addJson(digest, answer, json);
    return json;
  }

  /** No new work; resolves when what is in flight has ended, or after `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.stopping = true;
    const until = performance.now() + timeout;
    while (this.flights.size > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20));
  }

  private digest(request: Uint8Array, target: string): string {
    return createHash('sha256').update(`${this.parts.buildId}\n${target}\n`).update(request).digest('hex');
  }

  /** From the tiers behind memory, the nearest first; what is found moves nearer. */
  private async stored(digest: string): Promise<Shared | null> {
    this.parts.metrics.cacheLookups.inc({ tier: 'memory', result: 'miss' });
    return (await this.fromTier('disk', digest)) ?? (await this.fromTier('redis', digest));
  }

  private async fromTier(tier: 'disk' | 'redis', digest: string): Promise<Shared | null> {
    const cache = this.parts[tier];
    if (cache === null) return null;
    const started = performance.now();
    const answer = await this.guarded(tier, () => cache.get(digest));
    this.parts.metrics.cacheLookups.inc({ tier, result: answer === null ? 'miss' : 'hit' });
    if (answer === null) return null;
    this.parts.memory.set(digest, answer);
    if (tier === 'redis') await this.store('disk', digest, answer);
    return { answer, source: tier, timings: { [tier]: performance.now() - started } };
  }

  private async store(tier: 'disk' | 'redis', digest: string, answer: Answer): Promise<void> {
    await this.guarded(tier, () => this.parts[tier]?.set(digest, answer));
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
    request: CompileRequestMessage,
    bytes: Uint8Array,
    digest: string,
    target: string,
    json: boolean,
    signal: AbortSignal,
  ): Promise<Shared> {
    const btf = await this.targetBtf(request);
    const { result, elapsed } = await this.parts.pool.run({ request: bytes, digest, target, btf, json }, signal);
    if ('badBtf' in result) throw new ServiceError('INVALID_BTF', result.badBtf, { field: 'target.btf' });
    const answer = asAnswer(result);
    this.parts.memory.set(digest, answer);
    await Promise.all([this.store('disk', digest, answer), this.store('redis', digest, answer)]);
    this.count(result, elapsed);
    return { answer, source: 'compiled', timings: { ...result.timings, queue: queueTime(result, elapsed) } };
  }

  private async targetBtf(request: CompileRequestMessage): Promise<{ digest: string; bytes: Uint8Array } | null> {
    const target = request.target;
    if (target?.btf !== undefined) return { digest: sha256(target.btf), bytes: await unwrapBtf(target.btf) };
    if (target?.btfDigest === undefined) return null;
    return { digest: target.btfDigest, bytes: await unwrapBtf(await this.parts.btf.get(target.btfDigest)) };
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
