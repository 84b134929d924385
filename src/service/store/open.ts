/** What the service keeps in its data directory, opened: the disk cache and the uploaded BTF. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { blameSetting } from '../blame-setting.js';
import { BtfStore } from '../btf-store.js';
import { DiskCache } from '../cache/disk.js';
import type { SharedUploads } from '../cluster/uploads.js';
import type { Config } from '../config.js';
import type { Metrics } from '../telemetry/metrics.js';
import { FileStore, type OnDamage } from './file-store.js';

export interface Stores {
  /** Null where answers are not kept on disk. */
  readonly disk: DiskCache | null;
  readonly btf: BtfStore;
}

/** Throws ConfigError where the data directory cannot be used. `uploads` null: this instance is alone. */
export async function openStores(
  { dataDir, diskCache, btfStore }: Config,
  uploads: SharedUploads | null,
  metrics: Metrics,
  logger: Logger,
): Promise<Stores> {
  const damaged = (store: 'cache' | 'btf'): OnDamage => {
    return (file, why) => {
      metrics.damagedFiles.inc({ store });
      logger.warn({ store, file, why }, 'a damaged file was set aside');
    };
  };
  return blameSetting(`BPF_JITD_DATA_DIR=${dataDir}`, async () => {
    const files = await FileStore.open(join(dataDir, 'btf'), btfStore, damaged('btf'));
    const onError = (error: unknown): void => {
      metrics.cacheErrors.inc({ tier: 'btf' });
      metrics.onCacheError(error);
    };
    const disk = diskCache === 0 ? null : await DiskCache.open(join(dataDir, 'cache'), diskCache, damaged('cache'));
    return { disk, btf: new BtfStore({ files, shared: uploads, onError }) };
  });
}
