/** Caches: bounds, checksums, and a disk tier that survives being killed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DiskCache } from '../../src/service/cache/disk.js';
import { packEntry, unpackEntry } from '../../src/service/cache/entry.js';
import { MemoryCache } from '../../src/service/cache/memory.js';

const answer = (text: string) => ({ protobuf: Buffer.from(text), json: null, failed: false });
const BLOCK = 4096;
const key = (n: number): string => n.toString(16).padStart(64, '0');

t.test('an entry with any bit changed is no entry', (t) => {
  const packed = packEntry(key(1), { ...answer('some answer'), failed: true });
  t.strictSame(unpackEntry(key(1), packed), { ...answer('some answer'), failed: true });
  t.equal(unpackEntry(key(2), packed), null, "nor is another's");
  for (let bit = 0; bit < packed.length * 8; bit++) {
    const damaged = Buffer.from(packed);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    if (unpackEntry(key(1), damaged) !== null) t.fail(`bit ${bit} may change unnoticed`);
  }
  for (let length = 0; length < packed.length; length++) t.equal(unpackEntry(key(1), packed.subarray(0, length)), null);
  t.end();
});

t.test('memory is bounded in bytes, the least recently used goes first', (t) => {
  const cache = new MemoryCache(10_000);
  for (let n = 0; n < 20; n++) {
    cache.set(key(n), answer('x'.repeat(1000)));
    cache.get(key(0));
  }
  t.ok(cache.bytes <= 10_000);
  t.ok(cache.get(key(0)), 'used all the time');
  t.equal(cache.get(key(1)), null);
  t.ok(cache.get(key(19)));
  t.end();
});

t.test('disk', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-'));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  await t.test('is bounded in bytes and evicts in order of use', async (t) => {
    const open = async (): Promise<DiskCache> => {
      const cache = await DiskCache.open(join(dir, 'a'), 16 * BLOCK, () => undefined);
      await cache.counted;
      return cache;
    };
    const cache = await open();
    for (let n = 0; n < 40; n++) {
      await cache.set(key(n), answer('x'.repeat(960)));
      if (n >= 8) await cache.get(key(6));
    }
    t.equal(cache.bytes, 15 * BLOCK, 'a sixteenth is for what is damaged');
    t.equal(cache.count, 15);
    t.ok(await cache.get(key(6)), 'renewed by use');
    t.equal(await cache.get(key(7)), null);
    await cache.set(key(99), answer('x'.repeat(16 * BLOCK)));
    t.equal(await cache.get(key(99)), null, 'larger than the whole cache');
    await cache.close();
    const again = await open();
    t.equal(again.count, 15);
    t.strictSame(await again.get(key(39)), answer('x'.repeat(960)));
    await again.close();
  });

  await t.test('survives kill -9 in the middle of writing', async (t) => {
    const script = fileURLToPath(new URL('./fixtures/fill-cache.ts', import.meta.url));
    for (let round = 0; round < 2; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', script, join(dir, 'b')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise<void>((done) => {
        let seen = 0;
        child.stdout.on('data', (data: Buffer) => {
          seen += data.length;
          if (seen > 300) child.kill('SIGKILL');
        });
        child.on('exit', () => {
          done();
        });
      });
      const damaged: string[] = [];
      const cache = await DiskCache.open(join(dir, 'b'), 4_000_000, (file) => damaged.push(file));
      await cache.counted;
      t.ok(cache.count > 0, `${cache.count} entries are there`);
      for (let n = 0; n < cache.count; n++) {
        const found = await cache.get(key(n));
        t.equal(found?.protobuf.toString(), `entry ${n} `.repeat(50));
      }
      t.equal(cache.bytes, cache.count * BLOCK, 'the books are right');
      t.strictSame(damaged, []);
      await cache.close();
    }
  });
});
