/** Uploaded BTF on disk, named by its SHA-256 and the tenant, bounded in bytes; the oldest goes first. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey } from './cache/key.js';
import { ServiceError } from './errors.js';
import { checkBtf, unwrapBtf } from './btf-unwrap.js';
import { isDigest } from './contract/request.js';

/** Read files that are kept in memory. */
const KEPT = 4;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class BtfStore {
  private readonly recent = new Map<string, Buffer>();

  constructor(
    private readonly dir: string,
    readonly maxBytes: number,
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
    await mkdir(this.dir, { recursive: true });
    const temporary = join(this.dir, `.${randomUUID()}`);
    await writeFile(temporary, bytes);
    const key = cacheKey(tenant, actual);
    await rename(temporary, join(this.dir, key));
    this.remember(key, bytes);
    await this.makeRoom(key);
    return actual;
  }

  /** Throws ServiceError UNKNOWN_BTF where the tenant has none, or where it is damaged. */
  async get(digest: string, tenant: string): Promise<Buffer> {
    const key = cacheKey(tenant, digest);
    const kept = this.recent.get(key);
    if (kept !== undefined) return kept;
    const unknown = new ServiceError('UNKNOWN_BTF', `upload it with PUT /btf/${digest}`, { field: 'target.btfDigest' });
    const path = join(this.dir, key);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) throw unknown;
    if (sha256(bytes) !== digest) {
      await rm(path, { force: true });
      throw unknown;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    this.remember(key, bytes);
    return bytes;
  }

  private remember(key: string, bytes: Buffer): void {
    const oldest = this.recent.keys().next();
    if (this.recent.size >= KEPT && oldest.done !== true) this.recent.delete(oldest.value);
    this.recent.set(key, bytes);
  }

  private async makeRoom(keep: string): Promise<void> {
    const files = await Promise.all(
      (await readdir(this.dir)).filter(isDigest).map(async (name) => {
        const info = await stat(join(this.dir, name)).catch(() => null);
        return { name, bytes: info?.size ?? 0, used: info?.mtimeMs ?? 0 };
      }),
    );
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files.sort((a, b) => a.used - b.used)) {
      if (total <= this.maxBytes || file.name === keep) continue;
      await rm(join(this.dir, file.name), { force: true });
      this.recent.delete(file.name);
      total -= file.bytes;
    }
  }
}
