/** Uploaded BTF on disk: its bound, damage, a full disk, and what a process that was killed leaves behind. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BtfStore } from '../../src/service/btf-store.js';
import { FileStore } from '../../src/service/store/file-store.js';
import { smallDisk } from './fixtures/small-disk.js';
import { BtfBuilder } from '../btf/builder.js';

/** BTF of one type, of the same size for each `n` below ten. */
function blob(n: number): Buffer {
  const builder = new BtfBuilder();
  builder.int(`int${n}`, 4, 1);
  return Buffer.from(builder.build());
}

function directory(t: { teardown(work: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-'));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

async function open(dir: string, maxBytes: number): Promise<{ store: BtfStore; damaged: string[]; errors: unknown[] }> {
  const damaged: string[] = [];
  const errors: unknown[] = [];
  const files = await FileStore.open(dir, maxBytes, (file) => damaged.push(file));
  await files.scanned;
  const store = new BtfStore({ files, shared: null, onError: (error) => errors.push(error) });
  return { store, damaged, errors };
}

const BLOCK = 4096;

const names = (dir: string): string[] => readdirSync(dir).filter((name) => !name.startsWith('.'));

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes);

async function put(store: BtfStore, bytes: Buffer): Promise<string> {
  await store.put(bytes, sha256(bytes), '');
  return sha256(bytes);
}

/** As a worker reads it: null where there is none, or where it turns out to be damaged. */
async function get(store: BtfStore, digest: string): Promise<Buffer | null> {
  const from = await store.locate(digest, '');
  const bytes = typeof from === 'string' ? readFileSync(from) : from;
  if (bytes === null || sha256(bytes) === digest) return bytes;
  await store.forget(digest, '');
  return null;
}

t.test('the bound: what was used longest ago goes first', async (t) => {
  const dir = directory(t);
  const room = 3.5 * BLOCK;
  const { store } = await open(dir, room);
  const digests: string[] = [];
  for (let n = 0; n < 3; n++) digests.push(await put(store, blob(n)));
  await store.close();
  const [first = '', second = '', third = ''] = digests;
  [first, third, second].forEach((digest, minute) => {
    utimesSync(join(dir, digest), minute * 60, minute * 60);
  });
  const { store: reader } = await open(dir, room);
  const fourth = await put(reader, blob(3));
  t.equal(await get(reader, first), null);
  for (const [n, digest] of [
    [1, second],
    [2, third],
    [3, fourth],
  ] as const) {
    t.strictSame(await get(reader, digest), blob(n));
  }
  t.strictSame(reader.size, { bytes: 3 * BLOCK, files: 3 });
  await reader.close();
});

t.test('a damaged file is none, is set aside, and may be uploaded again', async (t) => {
  const dir = directory(t);
  const digest = await put((await open(dir, 1e6)).store, blob(0));
  for (const [i, damage] of [blob(1), blob(0).subarray(0, 20), Buffer.alloc(0)].entries()) {
    writeFileSync(join(dir, digest), damage);
    const { store, damaged } = await open(dir, 1e6);
    t.equal(await get(store, digest), null);
    t.strictSame(damaged, [digest]);
    t.strictSame(names(dir), []);
    t.equal(readdirSync(join(dir, '.damaged')).length, i + 1);
    t.equal(await put(store, blob(0)), digest);
    t.strictSame(readFileSync(join(dir, digest)), blob(0));
    await store.close();
  }
});

t.test('nothing half written stays', async (t) => {
  const dir = directory(t);
  const processes = join(dir, '.processes');
  for (const name of ['killed', 'writing']) {
    mkdirSync(join(processes, name), { recursive: true });
    writeFileSync(join(processes, name, '0'), 'half');
  }
  utimesSync(join(processes, 'killed'), 0, 0);
  const { store } = await open(dir, 1e6);
  t.notOk(readdirSync(processes).includes('killed'), 'by a process that was killed');
  t.ok(readdirSync(processes).includes('writing'), 'unless it is at it');
  await store.close();
});

t.test('an upload that finds the disk full is refused, and those before are there', async (t) => {
  const dir = smallDisk(t, 64 * 1024);
  if (dir === null) return;
  const { store, errors } = await open(dir, 1e6);
  const digest = await put(store, blob(0));
  writeFileSync(join(dir, 'filler'), Buffer.alloc(60 * 1024));
  await t.rejects(put(store, blob(1)), { code: 'STORE_FULL' });
  t.match(errors, [{ code: 'ENOSPC' }]);
  const other = await open(dir, 1e6);
  t.strictSame(await get(other.store, digest), blob(0));
  await other.store.close();
  rmSync(join(dir, 'filler'));
  await put(store, blob(1));
  await store.close();
});
