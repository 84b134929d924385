/**
 * The second tier: LMDB on disk, bounded in bytes, oldest use out first. Three tables in one environment:
 *
 *     entries: digest → packed entry        uses: digest → [sequence, bytes]        order: sequence → digest
 *
 * All three change in one transaction, so a kill leaves them consistent. A use is recorded only now and then: order is
 * kept by sequence numbers, not clocks.
 */
import { mkdirSync } from 'node:fs';
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
    private readonly maxBytes: number,
  ) {
    mkdirSync(path, { recursive: true });
    this.root = open({ path, mapSize: mapSize(maxBytes), maxDbs: 4, noSubdir: false });
    this.entries = this.root.openDB({ name: 'entries', encoding: 'binary' });
    this.uses = this.root.openDB({ name: 'uses', encoding: 'msgpack' });
    this.order = this.root.openDB({ name: 'order', encoding: 'string', keyEncoding: 'uint32' });
    for (const { value } of this.uses.getRange()) {
      this.total += value[1];
      this.sequence = Math.max(this.sequence, value[0]);
    }
  }

  get bytes(): number {
    return this.total;
  }
  get count(): number {
    return this.uses.getCount();
  }

  /** Null where there is none, or where what is there is damaged; that is then removed. */
  async get(digest: string): Promise<Answer | null> {
    const packed = this.entries.get(digest);
    if (packed === undefined) return null;
    const answer = unpackEntry(packed);
    if (answer === null) await this.change(() => this.drop(digest));
    else await this.renew(digest);
    return answer;
  }

  /** Entries larger than the whole cache are not kept. */
  async set(digest: string, answer: Answer): Promise<void> {
    const packed = packEntry(answer);
    if (packed.length > this.maxBytes) return;
    await this.change(() => {
      this.drop(digest);
      this.makeRoom(packed.length);
      void this.entries.put(digest, packed);
      this.append(digest, packed.length);
    });
  }

  async close(): Promise<void> {
    await this.root.flushed;
    await this.root.close();
  }

  private async change(work: () => void): Promise<void> {
    await this.root.transaction(work);
  }

  private append(digest: string, bytes: number): void {
    this.sequence++;
    void this.order.put(this.sequence, digest);
    void this.uses.put(digest, [this.sequence, bytes]);
    this.total += bytes;
  }

  private drop(digest: string): void {
    const use = this.uses.get(digest);
    if (use === undefined) return;
    void this.entries.remove(digest);
    void this.uses.remove(digest);
    void this.order.remove(use[0]);
    this.total -= use[1];
  }

  private makeRoom(bytes: number): void {
    if (this.total + bytes <= this.maxBytes) return;
    for (const { value } of this.order.getRange({ snapshot: false })) {
      if (this.total + bytes <= this.maxBytes) return;
      this.drop(value);
    }
  }

  private async renew(digest: string): Promise<void> {
    const use = this.uses.get(digest);
    if (use === undefined || this.sequence - use[0] < this.count * RENEW_AFTER) return;
    await this.change(() => {
      const now = this.uses.get(digest);
      if (now === undefined) return;
      void this.order.remove(now[0]);
      this.total -= now[1];
      this.append(digest, now[1]);
    });
  }
}

/** Room for pages that wait to be reused besides the entries themselves. */
function mapSize(maxBytes: number): number {
  return Math.max(64 * 1024 * 1024, maxBytes * 2);
}
