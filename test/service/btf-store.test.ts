/** Uploaded BTF on disk: its bound, damage, and what writing leaves behind where it fails or is killed. */
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BtfStore, sha256 } from '../../src/service/btf-store.js';
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

const unknown = { code: 'UNKNOWN_BTF' };

t.test('the bound: what was used longest ago goes first', async (t) => {
  const dir = directory(t);
  const store = new BtfStore(dir, 3 * blob(0).length);
  const digests: string[] = [];
  for (let n = 0; n < 3; n++) digests.push(await store.put(blob(n), '', ''));
  const [first = '', second = '', third = ''] = digests;
  [first, third, second].forEach((digest, minute) => {
    utimesSync(join(dir, digest), minute * 60, minute * 60);
  });
  const fourth = await store.put(blob(3), '', '');
  const reader = new BtfStore(dir, store.maxBytes);
  await t.rejects(reader.get(first, ''), unknown);
  for (const [n, digest] of [
    [1, second],
    [2, third],
    [3, fourth],
  ] as const) {
    t.strictSame(await reader.get(digest, ''), blob(n));
  }
  t.strictSame(await store.size(), { bytes: 3 * blob(0).length, files: 3 });
});

t.test('a damaged file is none, and is removed', async (t) => {
  const dir = directory(t);
  const digest = await new BtfStore(dir, 1000).put(blob(0), '', '');
  writeFileSync(join(dir, digest), blob(1));
  await t.rejects(new BtfStore(dir, 1000).get(digest, ''), unknown);
  t.strictSame(readdirSync(dir), []);
});

t.test('nothing half written stays', async (t) => {
  const dir = directory(t);
  const store = new BtfStore(dir, 1000);
  mkdirSync(join(dir, sha256(blob(0))));
  await t.rejects(store.put(blob(0), '', ''), { code: 'EISDIR' });
  t.strictSame(readdirSync(dir), [sha256(blob(0))], 'by a write that failed');
  rmdirSync(join(dir, sha256(blob(0))));

  writeFileSync(join(dir, '.killed'), 'half');
  utimesSync(join(dir, '.killed'), 0, 0);
  writeFileSync(join(dir, '.writing'), 'half');
  await store.put(blob(1), '', '');
  t.notOk(readdirSync(dir).includes('.killed'), 'by a process that was killed');
  t.ok(readdirSync(dir).includes('.writing'), 'unless it is at it');
});
