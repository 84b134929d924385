/** Uploaded BTF on disk, named by its SHA-256 and the tenant, bounded in bytes; the oldest goes first. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey } from './cache/key.js';
import type { SharedUploads } from './cluster/uploads.js';
import { ServiceError } from './errors.js';
import { checkBtf, unwrapBtf } from './btf-unwrap.js';
import { isDigest } from './contract/request.js';

/** Read files that are kept in memory. */
const KEPT = 4;

/** What names of files begin with that are being written. */
const TEMPORARY = '.';

/** Milliseconds after which nobody is still writing one. */
const ABANDONED_AFTER = 600_000;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class BtfStore {
  private readonly recent = new Map<string, Buffer>();

  constructor(
    private readonly dir: string,
    readonly maxBytes: number,
    private readonly shared: SharedUploads | null = null,
  ) {}

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
    const key = cacheKey(tenant, actual);
    await this.keep(key, bytes);
    await this.shared?.put(key, bytes);
    return actual;
  }

  /** Throws ServiceError UNKNOWN_BTF where the tenant has none, or where it is damaged. */
  async get(digest: string, tenant: string, field = 'target.btfDigest'): Promise<Buffer> {
    const key = cacheKey(tenant, digest);
    const kept = this.recent.get(key);
    if (kept !== undefined) return kept;
    const bytes = (await this.fromDisk(key, digest)) ?? (await this.fromOthers(key, digest));
    if (bytes !== null) return bytes;
    throw new ServiceError('UNKNOWN_BTF', `upload it with PUT /btf/${digest}`, { field });
  }

  private async fromDisk(key: string, digest: string): Promise<Buffer | null> {
    const path = join(this.dir, key);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return null;
    if (sha256(bytes) !== digest) {
      await rm(path, { force: true });
      return null;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    this.remember(key, bytes);
    return bytes;
  }

  /** Of what is on disk. */
  async size(): Promise<{ readonly bytes: number; readonly files: number }> {
    const files = await this.files();
    return { bytes: files.reduce((sum, file) => sum + file.bytes, 0), files: files.length };
  }

  /** What was uploaded to another instance; kept here too, where the disk has room. */
  private async fromOthers(key: string, digest: string): Promise<Buffer | null> {
    const bytes = (await this.shared?.get(key)) ?? null;
    if (bytes === null || sha256(bytes) !== digest) return null;
    await this.keep(key, bytes).catch(() => undefined);
    return bytes;
  }

  private async keep(key: string, bytes: Buffer): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    const temporary = join(this.dir, `${TEMPORARY}${randomUUID()}`);
    try {
      await writeFile(temporary, bytes);
      await rename(temporary, join(this.dir, key));
    } catch (error) {
      await rm(temporary, { force: true }); // on a full disk, what would keep it full
      throw error;
    }
    this.remember(key, bytes);
    await this.makeRoom(key);
    await this.sweep();
  }

  /** What processes that were killed left half written. */
  private async sweep(): Promise<void> {
    for (const name of await readdir(this.dir)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const path = join(this.dir, name);
      const info = await stat(path).catch(() => null); // another process may be done with it
      if (info !== null && Date.now() - info.mtimeMs > ABANDONED_AFTER) await rm(path, { force: true });
    }
  }

  private remember(key: string, bytes: Buffer): void {
    const oldest = this.recent.keys().next();
    if (this.recent.size >= KEPT && oldest.done !== true) this.recent.delete(oldest.value);
    this.recent.set(key, bytes);
  }

  private async files(): Promise<{ readonly name: string; readonly bytes: number; readonly used: number }[]> {
    const names = await readdir(this.dir).catch(() => []); // none was uploaded yet
    return Promise.all(
      names.filter(isDigest).map(async (name) => {
        const info = await stat(join(this.dir, name)).catch(() => null);
        return { name, bytes: info?.size ?? 0, used: info?.mtimeMs ?? 0 };
      }),
    );
  }

  private async makeRoom(keep: string): Promise<void> {
    const files = await this.files();
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files.sort((a, b) => a.used - b.used)) {
      if (total <= this.maxBytes || file.name === keep) continue;
      await rm(join(this.dir, file.name), { force: true });
      this.recent.delete(file.name);
      total -= file.bytes;
    }
  }
}
