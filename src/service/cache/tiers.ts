/** The cache tiers behind one another: memory, disk, Redis. What a tier throws costs that tier's service alone. */
import { performance } from 'node:perf_hooks';
import { CompileResponseType, type Message } from '../contract/schema.js';
import { writeJson } from '../contract/json-write.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Trace } from '../telemetry/trace.js';
import type { DiskCache } from './disk.js';
import type { Answer } from './entry.js';
import type { MemoryCache } from './memory.js';
import type { RedisCache } from './redis.js';

export interface Found {
  readonly answer: Answer;
  readonly source: 'memory' | 'disk' | 'redis';
  /** Milliseconds, by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface CacheParts {
  readonly memory: MemoryCache;
  readonly disk: DiskCache | null;
  readonly redis: RedisCache | null;
  readonly metrics: Metrics;
}

export class CacheTiers {
  private readonly memoryHits: { inc(): void };

  constructor(private readonly parts: CacheParts) {
    this.memoryHits = parts.metrics.cacheLookups.tally({ tier: 'memory', result: 'hit' });
  }

  /** An answer that is in memory; cheap. */
  remembered(key: string): Found | null {
    const answer = this.parts.memory.get(key);
    if (answer === null) return null;
    this.memoryHits.inc();
    return { answer, source: 'memory', timings: {} };
  }

  /** From the tiers, the nearest first; what is found moves nearer. */
  async find(key: string, trace: Trace | null): Promise<Found | null> {
    const started = trace === null ? 0 : performance.now();
    const found = this.remembered(key);
    trace?.child('cache memory', started, performance.now(), { 'cache.hit': found !== null });
    if (found !== null) return found;
    this.parts.metrics.cacheLookups.inc({ tier: 'memory', result: 'miss' });
    return (await this.fromTier('disk', key, trace)) ?? (await this.fromTier('redis', key, trace));
  }

  /** An answer that another instance may have put into Redis meanwhile. */
  async arrived(key: string): Promise<Answer | null> {
    const answer = await this.guarded('redis', () => this.parts.redis?.get(key) ?? null);
    if (answer !== null) this.parts.memory.set(key, answer);
    return answer;
  }

  /** In the tiers of this instance alone; Redis has it. */
  async keep(key: string, answer: Answer): Promise<void> {
    this.parts.memory.set(key, answer);
    await this.store('disk', key, answer);
  }

  /** Resolves when the tiers have it, or have failed to take it. */
  async put(key: string, answer: Answer, trace: Trace | null): Promise<void> {
    const started = trace === null ? 0 : performance.now();
    this.parts.memory.set(key, answer);
    await Promise.all([this.store('disk', key, answer), this.store('redis', key, answer)]);
    trace?.child('cache store', started, performance.now());
  }

  /** The answer as JSON text, made once. */
  json(key: string, answer: Answer): Buffer {
    if (answer.json !== null) return answer.json;
    const message = CompileResponseType.decode(answer.protobuf) as unknown as Message;
    const json = Buffer.from(JSON.stringify(writeJson(CompileResponseType, message)));
    this.parts.memory.addJson(key, answer, json);
    return json;
  }

  private async fromTier(tier: 'disk' | 'redis', key: string, trace: Trace | null): Promise<Found | null> {
    const cache = this.parts[tier];
    if (cache === null) return null;
    const started = performance.now();
    const answer = await this.guarded(tier, () => cache.get(key));
    const elapsed = performance.now() - started;
    this.parts.metrics.cacheSeconds.observe({ tier }, elapsed / 1000);
    trace?.child(`cache ${tier}`, started, started + elapsed, { 'cache.hit': answer !== null });
    this.parts.metrics.cacheLookups.inc({ tier, result: answer === null ? 'miss' : 'hit' });
    if (answer === null) return null;
    this.parts.memory.set(key, answer);
    if (tier === 'redis') await this.store('disk', key, answer);
    return { answer, source: tier, timings: { [tier]: elapsed } };
  }

  private async store(tier: 'disk' | 'redis', key: string, answer: Answer): Promise<void> {
    await this.guarded<unknown>(tier, () => this.parts[tier]?.set(key, answer));
  }

  private async guarded<T>(tier: 'disk' | 'redis', work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.parts.metrics.cacheErrors.inc({ tier });
      this.parts.metrics.onCacheError(error);
      return null;
    }
  }
}
