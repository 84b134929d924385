import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Manifest } from '../../src/compiler/targets/data.js';
import type { Symbols } from './kernel/symbols.js';

/** Writes a profile: the manifest as it is, everything else packed with Brotli. The manifest gets the others' digest. */
export function writeProfile(directory: string, files: ReadonlyMap<string, Uint8Array>, manifest: Manifest): void {
  const fresh = `${directory}.new`; // an interrupted recording leaves the old profile whole
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(fresh, `${name}.br`), packed(bytes));
  writeFileSync(join(fresh, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(directory, { recursive: true, force: true });
  renameSync(fresh, directory);
}

export function digest(files: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name)!;
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

function packed(bytes: Uint8Array): Buffer {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 10,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/** JSON with a line for each element of the outer lists: small changes of a kernel are small changes of the file. */
export function json(value: object): Buffer {
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => {
    if (!Array.isArray(member)) return `${JSON.stringify(name)}: ${JSON.stringify(member)}`;
    return `${JSON.stringify(name)}: [\n${member.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  });
  return Buffer.from(`{\n${members.join(',\n')}\n}\n`);
}

/**
 * Names and addresses as src/compiler/targets/symbols.ts reads them, those of the image as it was linked: `loadOffset`
 * below where it runs. Local labels and compilers' clones are left out.
 */
export function packSymbols(symbols: Symbols, loadOffset: bigint): Buffer {
  const entries = [...symbols.entries(), ...symbols.seconds()].filter(([name]) => /^\w+$/.test(name));
  entries.sort(([a], [b]) => (a < b ? -1 : Number(a > b))); // a second address stays behind the first
  const last = symbols.image[1];
  const first = symbols.find('_text') ?? symbols.address('_stext');
  const count = entries.length;
  const head = Buffer.alloc(4 * (3 * count + 2));
  head.writeUInt32LE(count, 0);
  let start = 0;
  entries.forEach(([name, runtime], i) => {
    const address = runtime >= first && runtime <= last ? runtime - loadOffset : runtime;
    head.writeUInt32LE(start, 4 + 4 * i);
    start += name.length;
    head.writeUInt32LE(Number(address & 0xffff_ffffn), 4 + 4 * (count + 1 + i));
    head.writeUInt32LE(Number(address >> 32n), 4 + 4 * (2 * count + 1 + i));
  });
  head.writeUInt32LE(start, 4 + 4 * count);
  return Buffer.concat([head, Buffer.from(entries.map(([name]) => name).join(''))]);
}
