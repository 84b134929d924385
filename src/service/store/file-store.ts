/**
 * Files named by digests in one directory, bounded in bytes, least recently used out first. It survives what disks and people
 * do to it: a file comes into being whole, by renaming; one that is damaged is set aside and made anew; a disk that is full
 * refuses new files and keeps the old; nothing of it is memory of this process, so nothing of it can end the process.
 *
 *     DIGEST              a file
 *     .processes/ID/      what a process is writing (presence.ts)
 *     .damaged/           what was set aside
 *
 * Several processes may use the directory. Each counts for itself what it writes, and looks again at what others wrote before
 * it has written much: while there are others, a quarter of the bound is left free for what is not known yet.
 */
import { lstat, mkdir, rename, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Books, onDisk } from './books.js';
import { codeOf, Damaged, readWhole, remove, writeWhole } from './files.js';
import { Lane } from './lane.js';
import { Presence } from './presence.js';
import { scan } from './scan.js';
import { SetAside } from './set-aside.js';

/** Hears of each file that is damaged: its name, and why. */
export type OnDamage = (name: string, why: string) => void;

/** Of the bound, what damaged files may take, and what is left free while other processes write too. */
const DAMAGED_SHARE = 1 / 16;
const OTHERS_SHARE = 1 / 4;

/** Of the bound, what is written until it is asked whether there are others, and until it is looked what they did. */
const ASK_AFTER = 1 / 64;
const LOOK_AFTER = 1 / 16;

/** Milliseconds after which a use is written to disk again, for the order in which the next process finds the files. */
const RENEW_AFTER = 3_600_000;

/** Reads at a time, and operations that may wait. */
const READERS = 2;
const WAITING = 1024;

/** A disk, or a user's share of it, that is full. */
const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);
/** The directory is not there, or is none any more. */
const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);
/** Something lies where a file belongs. */
const BLOCKED: ReadonlySet<string | undefined> = new Set(['EISDIR', 'ENOTEMPTY', 'EEXIST']);

export class FileStore {
  /** Resolves when all that lay in the directory is in the books; until then files are looked for on disk. */
  readonly scanned: Promise<void>;
  private books = new Books();
  /** What is written while the directory is being read, which may miss it; null while it is not. */
  private fresh: Set<string> | null = null;
  private complete = false;
  private others = 0;
  private sinceAsked = 0;
  private sinceLooked = 0;
  private written = 0;
  private readonly presence: Presence;
  private readonly aside: SetAside;
  /** One at a time: room is made for each before it is written. */
  private readonly writes = new Lane(1, WAITING);
  private readonly reads = new Lane(READERS, WAITING);

  private constructor(
    private readonly dir: string,
    readonly maxBytes: number,
    private readonly onDamage: OnDamage,
  ) {
    this.presence = new Presence(join(dir, '.processes'));
    this.aside = new SetAside(join(dir, '.damaged'), maxBytes * DAMAGED_SHARE);
    this.scanned = this.enter();
  }

  /** Throws what the system says of a directory that cannot be used; one on a full disk can. */
  static async open(dir: string, maxBytes: number, onDamage: OnDamage): Promise<FileStore> {
    await makeDirectory(dir, onDamage);
    return new FileStore(dir, maxBytes, onDamage);
  }

  /** Of all files, in whole blocks. */
  get bytes(): number {
    return this.books.bytes;
  }
  get count(): number {
    return this.books.count;
  }

  /** Null where there is none, or where what is there is no file; it is then set aside. Throws what the system says. */
  async read(key: string): Promise<Buffer | null> {
    if (this.complete && this.books.get(key) === null) return null;
    try {
      const bytes = await this.reads.run(() => readWhole(this.path(key), this.maxBytes));
      if (bytes === null) this.books.strike(key);
      else this.use(key, bytes.length);
      return bytes;
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      await this.setAside(key, error.message);
      return null;
    }
  }

  /** Where the file lies, for whoever reads and checks it elsewhere; null where there is none. */
  async find(key: string): Promise<string | null> {
    if (this.complete && this.books.get(key) === null) return null;
    const there = await lstat(this.path(key)).catch(() => null);
    if (there?.isFile() !== true) return null;
    this.use(key, there.size);
    return this.path(key);
  }

  /** Keeps the bytes, unless they are more than the store may hold. Throws what the system says; then it keeps nothing. */
  async write(key: string, bytes: Buffer): Promise<void> {
    const size = onDisk(bytes.length);
    if (size > this.limit) return;
    await this.writes.run(async () => {
      await this.makeRoom(size - (this.books.get(key)?.bytes ?? 0));
      await this.place(key, bytes);
      this.books.note(key, { bytes: size, written: Date.now() });
      this.fresh?.add(key);
      await this.tally(size);
    });
  }

  /** Takes a file away that its reader found damaged. */
  async setAside(key: string, why: string): Promise<void> {
    this.books.strike(key);
    await this.aside.take(this.path(key), key);
    this.onDamage(key, why);
  }

  /** What is being written is written first. */
  async close(): Promise<void> {
    await this.writes.run(() => this.presence.leave()).catch(() => undefined);
  }

  private get limit(): number {
    return this.maxBytes * (1 - DAMAGED_SHARE - (this.others > 0 ? OTHERS_SHARE : 0));
  }

  private path(key: string): string {
    return join(this.dir, key);
  }

  private async enter(): Promise<void> {
    await this.presence.enter().catch(() => undefined); // the first write tells
    this.others = await this.presence.others();
    await this.look();
  }

  /** Makes the books as the directory has them. Where it cannot be read the old ones stay, and it is tried again later. */
  private async look(): Promise<void> {
    if (this.fresh !== null) return; // somebody is at it
    this.fresh = new Set();
    this.sinceLooked = 0;
    try {
      const { books, strange } = await scan(this.dir, this.maxBytes);
      for (const key of this.fresh) books.copy(key, this.books);
      this.books = books;
      this.complete = true;
      for (const key of strange) await this.setAside(key, 'is not a file of this store');
      await this.makeRoom(0);
    } catch {
      this.complete = false;
    } finally {
      this.fresh = null;
    }
  }

  private use(key: string, length: number): void {
    const now = Date.now();
    const line = this.books.get(key) ?? { bytes: onDisk(length), written: 0 };
    const old = now - line.written > RENEW_AFTER;
    this.books.note(key, old ? { bytes: line.bytes, written: now } : line);
    if (!old) return;
    const time = new Date(now);
    utimes(this.path(key), time, time).catch(() => undefined); // costs the order alone
  }

  private async place(key: string, bytes: Buffer): Promise<void> {
    try {
      await this.tryPlace(key, bytes);
    } catch (error) {
      if (GONE.has(codeOf(error))) await this.makeAgain();
      else if (BLOCKED.has(codeOf(error))) await this.setAside(key, 'is not a file');
      else throw error;
      await this.tryPlace(key, bytes);
    }
  }

  private async tryPlace(key: string, bytes: Buffer): Promise<void> {
    const temporary = join(this.presence.folder, String(this.written++));
    await writeWhole(temporary, bytes);
    try {
      await rename(temporary, this.path(key));
    } catch (error) {
      await remove(temporary);
      throw error;
    }
  }

  /** Somebody has removed the directory, or put something else in its place. */
  private async makeAgain(): Promise<void> {
    await makeDirectory(this.dir, this.onDamage);
    await this.presence.enter();
    await this.look();
  }

  private async makeRoom(bytes: number): Promise<void> {
    while (this.books.bytes + bytes > this.limit) {
      const { oldest } = this.books;
      if (oldest === null) return;
      this.books.strike(oldest);
      await remove(this.path(oldest));
    }
  }

  /** Others are asked after now and then, and what they wrote is looked at, before it can be much. */
  private async tally(size: number): Promise<void> {
    this.sinceAsked += size;
    this.sinceLooked += size;
    if (this.sinceAsked < this.maxBytes * ASK_AFTER) return;
    this.sinceAsked = 0;
    const before = this.others;
    this.others = await this.presence.others();
    const unknown = this.others > before || (this.others > 0 && this.sinceLooked > this.maxBytes * LOOK_AFTER);
    if (unknown || !this.complete)
      void this.look(); // a large directory takes a while: writing goes on
    else await this.makeRoom(0);
  }
}

/** What lies there and is no directory is set aside. */
async function makeDirectory(dir: string, onDamage: OnDamage): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    if (FULL.has(codeOf(error))) return;
    const there = await lstat(dir).catch(() => null); // ENOENT is also said of a link to nothing
    if (there === null || there.isDirectory()) throw error;
    await remove(`${dir}.damaged`);
    await rename(dir, `${dir}.damaged`);
    onDamage(basename(dir), 'is not a directory');
    await mkdir(dir, { recursive: true });
  }
}
