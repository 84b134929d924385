/** Where damaged files go: kept for whoever looks into it, the newest alone, in a bounded number of bytes. */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { remove } from './files.js';

/** Files that are kept at most. */
const KEPT = 16;

export class SetAside {
  constructor(
    private readonly dir: string,
    private readonly maxBytes: number,
  ) {}

  /** Takes whatever lies at the path away from there, even where nothing of it can be kept. */
  async take(path: string, name: string): Promise<void> {
    try {
      await mkdir(this.dir, { recursive: true });
      await rename(path, join(this.dir, `${name.slice(0, 80)}.${randomUUID()}`));
      await this.trim();
    } catch {
      await remove(path);
      await remove(this.dir); // where it is no folder, or one that cannot be read
    }
  }

  private async trim(): Promise<void> {
    const found = (await readdir(this.dir)).map(async (name) => {
      const path = join(this.dir, name);
      const info = await lstat(path);
      // A folder's bytes are not counted: none is kept.
      return { path, bytes: info.isDirectory() ? Infinity : info.size, since: info.ctimeMs };
    });
    const newest = (await Promise.all(found)).sort((a, b) => b.since - a.since);
    let left = this.maxBytes;
    for (const [i, { path, bytes }] of newest.entries()) {
      if (i < KEPT && bytes <= left) left -= bytes;
      else await remove(path);
    }
  }
}
