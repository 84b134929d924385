/** Files in a directory that is damaged, full, shared or taken away: what it costs is what was there, and nothing else. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DiskCache } from '../../src/service/cache/disk.js';
import { smallDisk } from './fixtures/small-disk.js';

const FILL = fileURLToPath(new URL('./fixtures/fill-cache.ts', import.meta.url));
const BLOCK = 4096;

const key = (n: number | string): string => n.toString(16).padStart(64, '0');
const answer = (text: string) => ({ protobuf: Buffer.from(text), json: null, failed: false });

interface Damage {
  readonly file: string;
  readonly why: string;
}

interface Opened {
  readonly cache: DiskCache;
  readonly damage: Damage[];
}

async function open(dir: string, maxBytes = 64 * BLOCK): Promise<Opened> {
  const damage: Damage[] = [];
  const cache = await DiskCache.open(dir, maxBytes, (file, why) => damage.push({ file, why }));
  await cache.counted;
  return { cache, damage };
}

function directory(t: { teardown(work: () => void): void }): string {
  const dir = fs.mkdtempSync(join(tmpdir(), 'bpf-jitd-'));
  t.teardown(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Bytes, in whole blocks, of the files that lie in a directory while others write there. */
function usage(dir: string): number {
  let bytes = 0;
  for (const name of fs.readdirSync(dir)) {
    const info = fs.lstatSync(join(dir, name), { throwIfNoEntry: false });
    if (info?.isFile() === true) bytes += Math.ceil(info.size / BLOCK) * BLOCK;
  }
  return bytes;
}

/** Overwrites bytes of a file. */
function scribble(path: string, at: number, bytes: Buffer): void {
  const file = fs.openSync(path, 'r+');
  fs.writeSync(file, bytes, 0, bytes.length, at);
  fs.closeSync(file);
}

/** What may become of the file of one entry. `null`: it is as good as none, and nothing to complain of. */
const DAMAGED_FILES: Readonly<Record<string, { work(path: string): void; readonly why: RegExp | null }>> = {
  removed: { work: (path) => fs.rmSync(path), why: null },
  empty: { work: (path) => fs.truncateSync(path, 0), why: /checksum/ },
  'cut in the head': { work: (path) => fs.truncateSync(path, 20), why: /checksum/ },
  'cut in half': { work: (path) => fs.truncateSync(path, 500), why: /checksum/ },
  longer: { work: (path) => fs.appendFileSync(path, 'x'), why: /checksum/ },
  'huge and hollow': { work: (path) => fs.truncateSync(path, 2 ** 40), why: /bytes|not a file/ },
  zeros: { work: (path) => fs.writeFileSync(path, Buffer.alloc(1000)), why: /checksum/ },
  garbage: { work: (path) => fs.writeFileSync(path, Buffer.alloc(1000, 0xa5)), why: /checksum/ },
  'a byte changed': {
    work: (path) => {
      scribble(path, 700, Buffer.from('y'));
    },
    why: /checksum/,
  },
  'its head changed': {
    work: (path) => {
      scribble(path, 0, Buffer.from('BCJ9'));
    },
    why: /checksum/,
  },
  "another entry's": {
    work: (path) => {
      fs.copyFileSync(join(path, '..', key(2)), path);
    },
    why: /checksum/,
  },
  'a folder': {
    work: (path) => {
      fs.rmSync(path);
      fs.mkdirSync(join(path, 'more'), { recursive: true });
    },
    why: /not a file/,
  },
  'a link to a device': {
    work: (path) => {
      fs.rmSync(path);
      fs.symlinkSync('/dev/zero', path);
    },
    why: /./,
  },
  'a link to nothing': {
    work: (path) => {
      fs.rmSync(path);
      fs.symlinkSync('nowhere', path);
    },
    why: /./,
  },
  'a pipe': {
    work: (path) => {
      fs.rmSync(path);
      execFileSync('mkfifo', [path]);
    },
    why: /not a file/,
  },
  'a socket': {
    work: (path) => {
      fs.rmSync(path);
      makeSocket(path);
    },
    why: /./,
  },
};

/** A socket stays where the process that made it does not close it. */
function makeSocket(path: string): void {
  const short = join(fs.mkdtempSync('/tmp/s-'), 's'); // paths of sockets are short
  const script = `require('net').createServer().listen(${JSON.stringify(short)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script]);
  } catch {
    // killed, as it is to be
  }
  fs.renameSync(short, path);
}

t.test('a damaged file costs its entry', async (t) => {
  for (const [kind, { work, why }] of Object.entries(DAMAGED_FILES)) {
    for (const running of [true, false]) {
      await t.test(`${kind}, ${running ? 'under a process' : 'found at the start'}`, async (t) => {
        const dir = directory(t);
        let { cache, damage } = await open(dir);
        for (const n of [1, 2, 3]) await cache.set(key(n), answer(`${n}`.repeat(1000)));
        if (!running) await cache.close();
        work(join(dir, key(1)));
        if (!running) ({ cache, damage } = await open(dir));
        t.equal(await cache.get(key(1)), null);
        if (why === null) t.strictSame(damage, []);
        else t.match(damage, [{ file: key(1), why }], 'told of once');
        for (const n of [2, 3]) t.strictSame(await cache.get(key(n)), answer(`${n}`.repeat(1000)), 'others are there');
        await cache.set(key(1), answer('made anew'));
        t.strictSame(await cache.get(key(1)), answer('made anew'));
        t.equal(cache.count, 3);
        t.equal(cache.bytes, 3 * BLOCK);
        await cache.close();
      });
    }
  }
});

/** What may become of the directory. */
const DAMAGED_DIRECTORIES: Readonly<Record<string, (dir: string) => void>> = {
  removed: (dir) => {
    fs.rmSync(dir, { recursive: true });
  },
  emptied: (dir) => {
    for (const name of fs.readdirSync(dir)) fs.rmSync(join(dir, name), { recursive: true });
  },
  'a file': (dir) => {
    fs.rmSync(dir, { recursive: true });
    fs.writeFileSync(dir, 'x');
  },
  'a link to nothing': (dir) => {
    fs.rmSync(dir, { recursive: true });
    fs.symlinkSync('nowhere', dir);
  },
  'files where its own folders are': (dir) => {
    for (const name of ['.processes', '.damaged']) {
      fs.rmSync(join(dir, name), { recursive: true, force: true });
      fs.writeFileSync(join(dir, name), 'x');
    }
    fs.writeFileSync(join(dir, key(1)), 'x');
  },
  'a database of an earlier version': (dir) => {
    for (const name of ['data.mdb', 'lock.mdb', 'boot']) fs.writeFileSync(join(dir, name), 'x'.repeat(100_000));
  },
};

t.test('a damaged directory is made anew', async (t) => {
  for (const [kind, work] of Object.entries(DAMAGED_DIRECTORIES)) {
    for (const running of [true, false]) {
      await t.test(`${kind}, ${running ? 'under a process' : 'found at the start'}`, async (t) => {
        const dir = join(directory(t), 'cache');
        let { cache } = await open(dir);
        for (const n of [1, 2, 3]) await cache.set(key(n), answer(`${n}`));
        if (!running) await cache.close();
        work(dir);
        if (!running) ({ cache } = await open(dir));
        for (const n of [1, 2, 3]) await cache.get(key(n)).catch(() => null); // gone, or there: but answered
        for (const n of [1, 4]) {
          await cache.set(key(n), answer(`again ${n}`));
          t.strictSame(await cache.get(key(n)), answer(`again ${n}`));
        }
        if (!running) t.notOk(fs.existsSync(join(dir, 'data.mdb')));
        await cache.close();
      });
    }
  }
});

t.test('what is set aside is bounded, too', async (t) => {
  const dir = directory(t);
  const { cache, damage } = await open(dir, 64 * BLOCK);
  for (let n = 0; n < 200; n++) {
    await cache.set(key(n), answer('x'.repeat(n * 10)));
    fs.appendFileSync(join(dir, key(n)), 'x');
    t.equal(await cache.get(key(n)), null);
  }
  t.equal(damage.length, 200);
  const kept = fs.readdirSync(join(dir, '.damaged'));
  t.ok(kept.length > 0 && kept.length <= 16, `${kept.length} are kept`);
  const bytes = kept.reduce((sum, name) => sum + fs.statSync(join(dir, '.damaged', name)).size, 0);
  t.ok(bytes <= 4 * BLOCK, `${bytes} bytes`);
  await cache.close();
});

/** Fills the directory from another process until there are so many dots, then kills it. */
async function fill(dir: string, maxBytes: number, name: string, entries: number): Promise<void> {
  const args = ['--import', 'tsx', FILL, dir, String(maxBytes), name];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  child.stdout.on('data', (data: Buffer) => {
    seen += data.length;
    if (seen >= entries) child.kill('SIGKILL');
  });
  await new Promise((done) => child.once('exit', done));
}

t.test('two processes, one directory: both live, and the bound holds for both together', async (t) => {
  const dir = directory(t);
  const maxBytes = 256 * BLOCK;
  const { cache, damage } = await open(dir, maxBytes);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, usage(dir))), 20);
  const others = Promise.all([fill(dir, maxBytes, 'a', 3000), fill(dir, maxBytes, 'b', 3000)]);
  let over = false;
  void others.then(() => (over = true));
  for (let n = 0; !over; n++) {
    await cache.set(key(n), answer(`own ${n}`));
    if (n % 100 === 0) t.ok(await cache.get(key(n)), 'the own is found again');
  }
  clearInterval(watch);
  t.ok(most > maxBytes / 2 && most <= maxBytes, `at most ${most / BLOCK} of 256 blocks`);
  t.strictSame(damage, [], 'nothing looks damaged to the other');
  await cache.close();
  const after = await open(dir, maxBytes);
  for (const name of fs.readdirSync(dir)) {
    if (!name.startsWith('.')) t.not(await after.cache.get(name), null, 'and all is whole');
  }
  await after.cache.close();
});

t.test('a full disk refuses what is new, and keeps what it has', async (t) => {
  const dir = smallDisk(t, 1024 * 1024);
  if (dir === null) return;
  const store = join(dir, 'cache');
  for (let round = 0; round < 3; round++) {
    const { cache, damage } = await open(store, 64 * 1024 * 1024);
    const failures = new Set<string | undefined>();
    for (let n = 0; n < 400; n++) {
      const failure = await cache.set(key(n), answer(`${n} `.repeat(1000))).catch((error: unknown) => error);
      if (failure !== undefined) failures.add((failure as NodeJS.ErrnoException).code);
    }
    t.strictSame([...failures], ['ENOSPC'], 'says so');
    const { count } = cache;
    t.ok(count > 20, `${count} are kept`);
    for (let n = 0; n < 400; n++) {
      const found = await cache.get(key(n));
      if (found !== null) t.equal(found.protobuf.toString(), `${n} `.repeat(1000));
    }
    t.strictSame(damage, []);
    await cache.close();
  }
  fs.rmSync(store, { recursive: true });
  fs.writeFileSync(join(dir, 'filler'), Buffer.alloc(1024 * 1024 - BLOCK));
  for (let n = 0; ; n++) {
    try {
      fs.writeFileSync(join(dir, `f${n}`), 'x'.repeat(BLOCK));
    } catch {
      break;
    }
  }
  const { cache } = await open(store, 64 * 1024 * 1024);
  await t.rejects(cache.set(key(1), answer('x'.repeat(10_000))), { code: 'ENOSPC' }, 'full from the start');
  fs.rmSync(join(dir, 'filler'));
  await cache.set(key(1), answer('room'));
  t.strictSame(await cache.get(key(1)), answer('room'), 'and used again when there is room');
  await cache.close();
});

t.test('a directory that cannot be used is said at the start', async (t) => {
  const file = join(directory(t), 'file');
  fs.writeFileSync(file, 'x');
  await t.rejects(
    DiskCache.open(join(file, 'cache'), BLOCK, () => undefined),
    { code: 'ENOTDIR' },
  );
  t.equal(fs.readFileSync(file, 'utf8'), 'x', 'what is not ours is left alone');
});
