/** Ties the metrics to the parts of the service that they tell of. */
import type { Logger } from 'pino';
import type { BtfStore } from '../btf-store.js';
import type { DiskCache } from '../cache/disk.js';
import type { MemoryCache } from '../cache/memory.js';
import type { Config } from '../config.js';
import type { CompilePool } from '../pool/pool.js';
import type { Gauges, Metrics } from './metrics.js';

export interface Observed {
  readonly config: Config;
  readonly pool: CompilePool;
  readonly memory: MemoryCache;
  readonly disk: DiskCache | null;
  readonly btf: BtfStore;
  readonly logger: Logger;
}

export function observe(metrics: Metrics, { config, pool, memory, disk, btf, logger }: Observed): void {
  metrics.onCacheError = (error) => {
    logger.warn({ err: error }, 'cache');
  };
  metrics.onJobError = (error) => {
    logger.warn({ err: error }, 'jobs');
  };
  metrics.onDefect = (error, traceId) => {
    logger.error({ err: error, ...(traceId === undefined ? {} : { trace_id: traceId }) }, 'defect');
  };
  metrics.observe({
    queued: () => pool.state.queued,
    queueLimit: () => config.queue,
    running: () => pool.state.running,
    workers: () => pool.threads.length,
    workerHeaps: () => pool.heapBytes,
    caches: () => [cacheSize('memory', memory), ...(disk === null ? [] : [cacheSize('disk', disk)])],
    btfStore: () => btf.size,
  });
}

function cacheSize(tier: string, cache: MemoryCache | DiskCache): ReturnType<Gauges['caches']>[number] {
  return { tier, bytes: cache.bytes, entries: cache.count, limit: cache.maxBytes };
}
