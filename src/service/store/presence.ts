/**
 * The processes that use a directory: each has a folder below it, for files that it is writing, and renews the folder's
 * time while it lives. What a killed process has left goes with its folder, once that is old.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, remove } from './files.js';

/** Milliseconds between two renewals, and after which a process is taken for dead. */
const RENEW = 20_000;
const DEAD = 120_000;

const NO_FOLDER: ReadonlySet<string | undefined> = new Set(['EEXIST', 'ENOTDIR']);

export class Presence {
  /** Where this process writes what is not whole yet. */
  readonly folder: string;
  private readonly name = randomUUID();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly dir: string) {
    this.folder = join(dir, this.name);
  }

  /** Makes the folder; again where somebody removed it. */
  async enter(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true });
    } catch (error) {
      if (!NO_FOLDER.has(codeOf(error))) throw error;
      await remove(this.dir); // something else lies there
      await mkdir(this.folder, { recursive: true });
    }
    this.timer ??= setInterval(() => {
      const now = new Date();
      utimes(this.folder, now, now).catch(() => undefined); // removed: the next write makes it again
    }, RENEW).unref();
  }

  /** How many other processes use the directory now. */
  async others(): Promise<number> {
    let alive = 0;
    for (const name of await readdir(this.dir).catch(() => [])) {
      if (name === this.name) continue;
      const path = join(this.dir, name);
      const info = await stat(path).catch(() => null);
      if (info === null) continue;
      if (Date.now() - info.mtimeMs < DEAD) alive++;
      else await remove(path);
    }
    return alive;
  }

  async leave(): Promise<void> {
    clearInterval(this.timer);
    await remove(this.folder);
  }
}
