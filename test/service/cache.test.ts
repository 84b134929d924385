/** Caches: bounds, checksums, and a disk tier that survives being killed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DiskCache } from '../../src/service/cache/disk.js';
import { packEntry, unpackEntry } from '../../src/service/cache/entry.js';
import { MemoryCache } from '../../src/service/cache/memory.js';

const answer = (text: string) => ({ protobuf: Buffer.from(text), json: null, failed: false });
const key = (n: number): string => n.toString(16).padStart(64, '0');

t.test('an entry with any bit changed is no entry', (t) => {
  const packed = packEntry({ ...answer('some answer'), failed: true });
  t.strictSame(unpackEntry(packed), { ...answer('some answer'), failed: true });
  for (let bit = 0; bit < packed.length * 8; bit++) {
    const damaged = Buffer.from(packed);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    if (unpackEntry(damaged) !== null) t.fail(`bit ${bit} may change unnoticed`);
  }
  for (let length = 0; length < packed.length; length++) t.equal(unpackEntry(packed.subarray(0, length)), null);
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
    const cache = new DiskCache(join(dir, 'a'), 20_000);
    for (let n = 0; n < 40; n++) {
      cache.set(key(n), answer('x'.repeat(960)));
      if (n >= 15) cache.get(key(10));
    }
    t.ok(cache.bytes <= 20_000, `${cache.bytes} bytes`);
    t.equal(cache.count, 20);
    t.ok(cache.get(key(10)), 'renewed by use');
    t.equal(cache.get(key(11)), null);
    cache.set(key(99), answer('x'.repeat(30_000)));
    t.equal(cache.get(key(99)), null, 'larger than the whole cache');
    await cache.close();
    const again = new DiskCache(join(dir, 'a'), 20_000);
    t.equal(again.count, 20);
    t.strictSame(again.get(key(39)), answer('x'.repeat(960)));
    await again.close();
  });

  await t.test('is made anew after the machine went down', async (t) => {
    const path = join(dir, 'c');
    const cache = new DiskCache(path, 20_000);
    cache.set(key(1), answer('one'));
    await cache.close();
    writeFileSync(join(path, 'boot'), 'another boot');
    const after = new DiskCache(path, 20_000);
    t.equal(after.count, 0);
    after.set(key(2), answer('two'));
    await after.close();
    const same = new DiskCache(path, 20_000);
    t.equal(same.count, 1);
    await same.close();
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
      const cache = new DiskCache(join(dir, 'b'), 1_000_000);
      t.ok(cache.count > 0, `${cache.count} entries are there`);
      let bytes = 0;
      for (let n = 0; n < cache.count; n++) {
        const found = cache.get(key(n));
        t.equal(found?.protobuf.toString(), `entry ${n} `.repeat(50));
        bytes += (found?.protobuf.length ?? 0) + 40;
      }
      t.equal(cache.bytes, bytes, 'the books are right');
      await cache.close();
    }
  });
});
