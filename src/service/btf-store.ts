/** Uploaded BTF: on disk under its SHA-256 and tenant, bounded in bytes, and where all instances find it. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { cacheKey } from './cache/key.js';
import type { SharedUploads } from './cluster/uploads.js';
import { ServiceError } from './errors.js';
import { checkBtf, unwrapBtf } from './btf-unwrap.js';
import { isDigest } from './contract/request.js';
import type { FileStore } from './store/file-store.js';

/** Read files that are kept in memory. */
const KEPT = 4;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface BtfStoreParts {
  readonly files: FileStore;
  /** Null where this instance is alone. */
  readonly shared: SharedUploads | null;
  /** Hears of a disk that fails; what it costs is that disk's service. */
  readonly onError: (error: unknown) => void;
}

export class BtfStore {
  private readonly recent = new LRUCache<string, Buffer>({ max: KEPT });

  constructor(private readonly parts: BtfStoreParts) {}

  get maxBytes(): number {
    return this.parts.files.maxBytes;
  }

  /** Of what is on disk. */
  get size(): { readonly bytes: number; readonly files: number } {
    const { bytes, count } = this.parts.files;
    return { bytes, files: count };
  }

  /** Keeps the bytes and answers their digest. `digest` empty: none was claimed. Throws ServiceError. */
  async put(bytes: Buffer, digest: string, tenant: string): Promise<string> {
    const actual = sha256(bytes);
    if (digest !== '' && !isDigest(digest))
      throw new ServiceError('INVALID_DIGEST', 'the digest is not 64 hexadecimal digits');
    if (digest !== '' && digest !== actual) {
      throw new ServiceError('DIGEST_MISMATCH', `the ${bytes.length} bytes have the SHA-256 ${actual}`);
    }
    if (bytes.length === 0) throw new ServiceError('INVALID_BTF', 'the BTF is empty');
    checkBtf(await unwrapBtf(bytes));
    if (bytes.length > this.maxBytes)
      throw new ServiceError('BODY_TOO_LARGE', 'the BTF is larger than the whole store');
    await this.keep(cacheKey(tenant, actual), bytes);
    return actual;
  }

  /** Throws ServiceError UNKNOWN_BTF where the tenant has none, or where it is damaged. */
  async get(digest: string, tenant: string, field = 'target.btfDigest'): Promise<Buffer> {
    const key = cacheKey(tenant, digest);
    const bytes = this.recent.get(key) ?? (await this.fromDisk(key, digest)) ?? (await this.fromOthers(key, digest));
    if (bytes === null) throw new ServiceError('UNKNOWN_BTF', `upload it with PUT /btf/${digest}`, { field });
    this.recent.set(key, bytes);
    return bytes;
  }

  async close(): Promise<void> {
    await this.parts.files.close();
  }

  /** One place that took it is enough. Throws ServiceError STORE_FULL. */
  private async keep(key: string, bytes: Buffer): Promise<void> {
    const { shared } = this.parts;
    const [here, elsewhere] = await Promise.all([this.toDisk(key, bytes), shared?.put(key, bytes) ?? false]);
    if (!here && !elsewhere) throw new ServiceError('STORE_FULL', 'the disk takes no more just now');
    this.recent.set(key, bytes);
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

  private async fromDisk(key: string, digest: string): Promise<Buffer | null> {
    const { files, onError } = this.parts;
    try {
      const bytes = await files.read(key);
      if (bytes === null || sha256(bytes) === digest) return bytes;
      await files.setAside(key, 'its checksum is wrong');
    } catch (error) {
      onError(error);
    }
    return null;
  }

  /** What was uploaded to another instance; kept here too, where the disk has room. */
  private async fromOthers(key: string, digest: string): Promise<Buffer | null> {
    const bytes = (await this.parts.shared?.get(key)) ?? null;
    if (bytes === null || sha256(bytes) !== digest) return null;
    await this.toDisk(key, bytes);
    return bytes;
  }
}
