/**
 * The second tier: LMDB on disk, bounded in bytes, oldest use out first. Three tables in one environment:
 *
 *     entries: digest → packed entry        uses: digest → [sequence, bytes]        order: sequence → digest
 *
 * Nothing waits for the disk: the operating system writes in its own time, and a kill loses nothing. Only a machine that
 * goes down can; what it leaves behind is thrown away (`prepare`).
 *
 * All three change in one transaction, so a kill leaves them consistent. A use is recorded only now and then: order is
 * kept by sequence numbers, not clocks.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { packEntry, unpackEntry, type Answer } from './entry.js';

/** An entry is moved to the end of the order when this share of all entries was used after it. */
const RENEW_AFTER = 0.25;

type Use = readonly [sequence: number, bytes: number];

export class DiskCache {
  private readonly root: RootDatabase;
  private readonly entries: Database<Buffer, string>;
  private readonly uses: Database<Use, string>;
  private readonly order: Database<string, number>;
  private sequence = 0;
  private total = 0;

  constructor(
    path: string,
    readonly maxBytes: number,
  ) {
    prepare(path);
    this.root = open({ path, mapSize: mapSize(maxBytes), maxDbs: 4, noSubdir: false, noSync: true });
    this.entries = this.root.openDB({ name: 'entries', encoding: 'binary' });
    this.uses = this.root.openDB({ name: 'uses', encoding: 'msgpack' });
    this.order = this.root.openDB({ name: 'order', encoding: 'string', keyEncoding: 'uint32' });
    this.recount();
  }

  get bytes(): number {
    return this.total;
  }
  get count(): number {
    return this.uses.getCount();
  }

  /** Null where there is none, or where what is there is damaged; that is then removed. */
  get(digest: string): Answer | null {
    const packed = this.entries.get(digest);
    if (packed === undefined) return null;
    const answer = unpackEntry(packed);
    if (answer === null) this.change(() => this.drop(digest));
    else this.tryRenew(digest);
    return answer;
  }

  /** Entries larger than the whole cache are not kept. */
  set(digest: string, answer: Answer): void {
    const packed = packEntry(answer);
    if (packed.length > this.maxBytes) return;
    this.change(() => {
      this.drop(digest);
      this.makeRoom(packed.length);
      this.entries.putSync(digest, packed);
      this.append(digest, packed.length);
    });
  }

  async close(): Promise<void> {
    await this.root.flushed;
    await this.root.close();
  }

  /** Synchronous, so that a failure has one place to go to; LMDB syncs to disk in its own time. */
  private change(work: () => void): void {
    try {
      this.root.transactionSync(work);
    } catch (error) {
      this.recount(); // a disk that is full: LMDB has dropped the transaction
      throw error;
    }
  }

  /** The books as the tables have them. */
  private recount(): void {
    this.total = 0;
    for (const { value } of this.uses.getRange()) {
      this.total += value[1];
      this.sequence = Math.max(this.sequence, value[0]);
    }
  }

  private append(digest: string, bytes: number): void {
    this.sequence++;
    this.order.putSync(this.sequence, digest);
    this.uses.putSync(digest, [this.sequence, bytes]);
    this.total += bytes;
  }

  private drop(digest: string): void {
    const use = this.uses.get(digest);
    if (use === undefined) return;
    this.entries.removeSync(digest);
    this.uses.removeSync(digest);
    this.order.removeSync(use[0]);
    this.total -= use[1];
  }

  private makeRoom(bytes: number): void {
    if (this.total + bytes <= this.maxBytes) return;
    for (const { value } of this.order.getRange({ snapshot: false })) {
      if (this.total + bytes <= this.maxBytes) return;
      this.drop(value);
    }
  }

  /** A use that cannot be written down is no reason to lose what was found. */
  private tryRenew(digest: string): void {
    try {
      this.renew(digest);
    } catch {
      // the next write tells
    }
  }

  private renew(digest: string): void {
    const use = this.uses.get(digest);
    if (use === undefined || this.sequence - use[0] < this.count * RENEW_AFTER) return;
    this.change(() => {
      const now = this.uses.get(digest);
      if (now === undefined) return;
      this.order.removeSync(now[0]);
      this.total -= now[1];
      this.append(digest, now[1]);
    });
  }
}

/** Room for pages that wait to be reused besides the entries themselves. */
function mapSize(maxBytes: number): number {
  return Math.max(64 * 1024 * 1024, maxBytes * 2);
}

/** Names the boot under which the cache was last written. */
const BOOT_FILE = 'boot';

/** Makes the directory; a cache of an earlier boot may be torn, where the machine went down before all was written. */
function prepare(path: string): void {
  const boot = bootId();
  const file = join(path, BOOT_FILE);
  if (existsSync(path) && (!existsSync(file) || readFileSync(file, 'utf8') !== boot)) {
    rmSync(path, { recursive: true, force: true });
  }
  mkdirSync(path, { recursive: true });
  writeFileSync(file, boot);
}

/** Empty where the system has none: then the cache is kept. */
function bootId(): string {
  const source = '/proc/sys/kernel/random/boot_id';
  return existsSync(source) ? readFileSync(source, 'utf8').trim() : '';
}
