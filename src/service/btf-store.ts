/** Uploaded BTF: on disk under its SHA-256 and tenant, bounded in bytes, and where all instances find it. */
import { cacheKey } from './cache/key.js';
import type { SharedUploads } from './cluster/uploads.js';
import { ServiceError } from './errors.js';
import type { FileStore } from './store/file-store.js';

export interface BtfStoreParts {
  readonly files: FileStore;
  /** Null where this instance is alone. */
  readonly shared: SharedUploads | null;
  /** Hears of a disk that fails; what it costs is that disk's service. */
  readonly onError: (error: unknown) => void;
}

export class BtfStore {
  constructor(private readonly parts: BtfStoreParts) {}

  get maxBytes(): number {
    return this.parts.files.maxBytes;
  }

  /** Of what is on disk. */
  get size(): { readonly bytes: number; readonly files: number } {
    const { bytes, count } = this.parts.files;
    return { bytes, files: count };
  }

  /** Keeps bytes that were checked, under their SHA-256. Throws ServiceError BODY_TOO_LARGE or STORE_FULL. */
  async put(bytes: Buffer, digest: string, tenant: string): Promise<void> {
    if (bytes.length > this.maxBytes)
      throw new ServiceError('BODY_TOO_LARGE', 'the BTF is larger than the whole store');
    await this.keep(cacheKey(tenant, digest), bytes);
  }

  /**
   * The file that has it, or its bytes where this disk takes nothing of what another instance was given; null where the tenant
   * has none. Whoever reads it holds it against the digest.
   */
  async locate(digest: string, tenant: string): Promise<string | Buffer | null> {
    const key = cacheKey(tenant, digest);
    return (await this.parts.files.find(key)) ?? this.fromOthers(key);
  }

  /** Sets aside what its reader found damaged. */
  async forget(digest: string, tenant: string): Promise<void> {
    await this.parts.files.setAside(cacheKey(tenant, digest), 'its checksum is wrong').catch(this.parts.onError);
  }

  async close(): Promise<void> {
    await this.parts.files.close();
  }

  /** One place that took it is enough. Throws ServiceError STORE_FULL. */
  private async keep(key: string, bytes: Buffer): Promise<void> {
    const { shared } = this.parts;
    const [here, elsewhere] = await Promise.all([this.toDisk(key, bytes), shared?.put(key, bytes) ?? false]);
    if (!here && !elsewhere) throw new ServiceError('STORE_FULL', 'the disk takes no more just now');
  }

  private async toDisk(key: string, bytes: Buffer): Promise<boolean> {
    try {
      await this.parts.files.write(key, bytes);
      return true;
    } catch (error) {
      this.parts.onError(error);
      return false;
    }
  }

  /** What was uploaded to another instance; kept here too, where the disk has room. */
  private async fromOthers(key: string): Promise<string | Buffer | null> {
    const bytes = (await this.parts.shared?.get(key)) ?? null;
    if (bytes === null) return null;
    return (await this.toDisk(key, bytes)) ? this.parts.files.find(key) : bytes;
  }
}
