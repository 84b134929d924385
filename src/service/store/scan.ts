/** Reads what lies in a store's directory. */
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { Books, onDisk } from './books.js';

/** Files that are looked at together: the disk is for requests, too. */
const TOGETHER = 4;

/** Names of files in a store: SHA-256 in hexadecimal. */
const KEY = /^[0-9a-f]{64}$/;

interface Found {
  readonly key: string;
  readonly bytes: number;
  readonly written: number;
}

export interface Scanned {
  readonly books: Books;
  /** Names of what no store writes: folders, links, files that are larger than the store. */
  readonly strange: readonly string[];
}

/** The files in the order of their last use. Names that are no keys are left alone. Throws what the system says. */
export async function scan(dir: string, maxBytes: number): Promise<Scanned> {
  const found: Found[] = [];
  const strange: string[] = [];
  const look = async (key: string): Promise<void> => {
    const info = await lstat(join(dir, key)).catch(() => null); // another process may have removed it
    if (info?.isFile() === true && info.size <= maxBytes)
      found.push({ key, bytes: onDisk(info.size), written: info.mtimeMs });
    else if (info !== null) strange.push(key);
  };
  let together: Promise<void>[] = [];
  for await (const { name } of await opendir(dir, { bufferSize: 256 })) {
    if (!KEY.test(name)) continue;
    together.push(look(name));
    if (together.length < TOGETHER) continue;
    await Promise.all(together);
    together = [];
  }
  await Promise.all(together);
  const books = new Books();
  for (const { key, ...line } of found.sort((a, b) => a.written - b.written)) books.note(key, line);
  return { books, strange };
}
