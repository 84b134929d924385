/**
 * The second tier: answers on disk, each a file under its key (store/file-store.ts) that says in its checksum whose it is
 * (entry.ts). Nothing waits for the disk to have it for good: the operating system writes in its own time, a kill loses nothing,
 * and what a machine that goes down has left torn fails its checksum.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { remove } from '../store/files.js';
import { FileStore, type OnDamage } from '../store/file-store.js';
import { CircuitBreaker } from './breaker.js';
import { packEntry, unpackEntry, type Answer } from './entry.js';

/** A disk that fails or hangs is left alone for a while: five failures in a row, five seconds, a second for one call. */
const PATIENCE = { failures: 5, rest: 5000, timeout: 1000, now: () => performance.now() };

/** Where earlier versions kept answers, in a database. */
const OUTDATED = ['data.mdb', 'lock.mdb', 'boot'];

export class DiskCache {
  /** Apart: a full disk that takes nothing new still gives what it has. */
  private readonly reads = new CircuitBreaker(PATIENCE);
  private readonly writes = new CircuitBreaker(PATIENCE);

  private constructor(private readonly files: FileStore) {}

  /** Throws what the system says of a directory that cannot be used. */
  static async open(dir: string, maxBytes: number, onDamage: OnDamage): Promise<DiskCache> {
    const files = await FileStore.open(dir, maxBytes, onDamage);
    for (const name of OUTDATED) await remove(join(dir, name));
    return new DiskCache(files);
  }

  get bytes(): number {
    return this.files.bytes;
  }
  get count(): number {
    return this.files.count;
  }
  get maxBytes(): number {
    return this.files.maxBytes;
  }
  /** Resolves when everything that lay there is counted. */
  get counted(): Promise<void> {
    return this.files.scanned;
  }

  /** Null where there is none, or where what is there is damaged; that is then set aside. Throws what the system says. */
  async get(key: string): Promise<Answer | null> {
    const packed = await guarded(this.reads, () => this.files.read(key));
    if (packed === null) return null;
    const answer = unpackEntry(key, packed);
    if (answer === null) await this.files.setAside(key, 'its checksum is wrong');
    return answer;
  }

  /** Entries larger than the whole cache are not kept. Throws what the system says of a disk that does not take it. */
  async set(key: string, answer: Answer): Promise<void> {
    await guarded(this.writes, () => this.files.write(key, packEntry(key, answer)));
  }

  async close(): Promise<void> {
    await this.files.close();
  }
}

/** Null where the disk is left alone just now. */
async function guarded<T>(breaker: CircuitBreaker, work: () => Promise<T>): Promise<T | null> {
  let failure: unknown = null;
  const result = await breaker.run(work, (error) => {
    failure = error;
  });
  if (failure !== null) throw failure as Error;
  return result;
}
