/** API keys by themselves: tokens, the file, buckets, addresses, and the command line that makes them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { keysCommand } from '../../src/cli/keys-command.js';
import { clientAddress, trustedProxies } from '../../src/service/auth/address.js';
import { TokenBucket } from '../../src/service/auth/bucket.js';
import { network } from '../../src/service/auth/identity.js';
import { changeKeysFile, readKeysFile } from '../../src/service/auth/keys-file.js';
import { bearerToken, isToken, newToken, tokenId } from '../../src/service/auth/token.js';

const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-keys-'));
t.teardown(() => {
  rmSync(dir, { recursive: true, force: true });
});

t.test('tokens', (t) => {
  const { id, token, sha256 } = newToken();
  t.match(token, /^bpfjit_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
  t.equal(tokenId(token), id);
  t.ok(isToken(token, Buffer.from(sha256, 'hex')));
  for (let i = 0; i < token.length; i++) {
    const other = token.slice(0, i) + (token[i] === 'a' ? 'b' : 'a') + token.slice(i + 1);
    if (isToken(other, Buffer.from(sha256, 'hex'))) t.fail(`character ${i} does not matter`);
  }
  t.equal(bearerToken(`Bearer ${token}`), token);
  t.equal(bearerToken(`bearer  ${token} `), token);
  for (const bad of [undefined, '', token, `Basic ${token}`, 'Bearer', `Bearer ${token} ${token}`]) {
    t.equal(bearerToken(bad), null);
  }
  t.equal(tokenId(`${token}x`), null);
  t.end();
});

t.test('a keys file is taken whole or refused with the place', (t) => {
  const path = join(dir, 'bad.json');
  const key = { id: 'a'.repeat(12), sha256: 'b'.repeat(64), scopes: ['compile'] };
  const refused = (value: unknown, words: RegExp): void => {
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
    t.throws(() => readKeysFile(path), { message: words });
  };
  refused('{ "keys": [ secret', /is not JSON: unexpected text at position 12$|is not JSON: it ends too early$/);
  refused([], /must be \{ "keys"/);
  refused({ keys: [key, { ...key, id: 'x' }] }, /keys\[1\]\.id: must be 12 hexadecimal digits$/);
  refused({ keys: [key, key] }, /keys\[1\]\.id: a{12} is there twice$/);
  refused({ keys: [{ ...key, scopes: ['all'] }] }, /keys\[0\]\.scopes: must be a list of compile, jobs/);
  refused({ keys: [{ ...key, sha256: undefined }] }, /keys\[0\]\.sha256/);
  refused({ keys: [{ ...key, rate: '5' }] }, /keys\[0\]\.rate/);
  refused({ keys: [{ ...key, expires: 'soon' }] }, /keys\[0\]\.expires/);
  refused({ keys: [{ ...key, scope: [] }] }, /keys\[0\]\.scope: there is no such member/);
  writeFileSync(path, JSON.stringify({ keys: [key] }));
  t.strictSame(readKeysFile(path), [key]);
  t.throws(() => {
    changeKeysFile(path, () => [{ ...key, rate: NaN } as never]);
  }, /rate: must be/);
  t.strictSame(readKeysFile(path), [key], 'a change that is refused changes nothing');
  writeFileSync(`${path}.new`, '');
  t.throws(() => {
    changeKeysFile(path, (keys) => keys);
  }, /somebody else changes the keys/);
  t.end();
});

t.test('a bucket gives its rate, its burst, and no more', (t) => {
  let now = 0;
  const bucket = new TokenBucket(2, 4, () => now);
  const take = (): number => Array.from({ length: 10 }, () => bucket.take()).filter(Boolean).length;
  t.equal(take(), 4);
  t.equal(bucket.wait, 1);
  now = 1000;
  t.equal(take(), 2);
  now = 100_000;
  t.equal(bucket.left, 4);
  t.equal(bucket.full, 0);
  t.equal(take(), 4);
  bucket.change(1, 10);
  t.equal(take(), 6, 'a larger burst is there at once');
  now += 3000;
  t.equal(take(), 3);
  t.equal(new TokenBucket(0.1, 1, () => 0).wait, 1);
  t.end();
});

t.test('addresses', (t) => {
  t.equal(network('::ffff:10.1.2.3'), '10.1.2.3');
  t.equal(network('::1'), '::1');
  t.equal(network('2001:db8::1'), '2001:db8:0:0::/64');
  t.equal(network('2001:0db8:0:0:9:8:7:6'), network('2001:db8::5'), 'one subscriber');
  t.not(network('2001:db8:0:1::1'), network('2001:db8::1'));
  const isTrusted = trustedProxies(['10.0.0.0/8', 'fd00::/8', '192.0.2.7']);
  t.equal(clientAddress('198.51.100.1', '1.2.3.4', isTrusted), '198.51.100.1', 'who is not trusted is not believed');
  t.equal(clientAddress('10.0.0.1', '1.2.3.4', isTrusted), '1.2.3.4');
  t.equal(clientAddress('10.0.0.1', '6.6.6.6, 1.2.3.4, 10.9.9.9', isTrusted), '1.2.3.4', 'nor what they say');
  t.equal(clientAddress('fd00::1', '', isTrusted), 'fd00::1');
  t.equal(clientAddress('192.0.2.7', 'garbage', isTrusted), 'garbage');
  t.end();
});

t.test('the command line makes, lists and revokes', async (t) => {
  const file = join(dir, 'cli.json');
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', main, 'keys', ...args, '--file', file]);
  const made = await run('create', '--name', 'ci', '--tenant', 'team a', '--rate', '5', '--expires', '90d');
  const token = made.stdout.trim();
  const id = tokenId(token)!;
  t.notMatch(made.stderr, token.slice(-43));
  t.notMatch(readFileSync(file, 'utf8'), token.slice(-43), 'the secret is not in the file');
  t.equal(statSync(file).mode & 0o777, 0o600);
  const [key] = readKeysFile(file);
  t.match(key, { id, name: 'ci', tenant: 'team a', rate: 5, scopes: ['compile', 'jobs', 'read', 'btf:write'] });
  t.ok(isToken(token, Buffer.from(key!.sha256, 'hex')));
  t.match(
    (await run('list')).stdout,
    new RegExp(`^${id} +until \\d{4}-.* team a +compile,jobs,read,btf:write +5/s +ci`),
  );
  t.equal(keysCommand(['revoke', id, '--file', file]), 0);
  t.match(readKeysFile(file)[0]?.revoked, /^\d{4}-/);
  t.throws(() => keysCommand(['revoke', 'f'.repeat(12), '--file', file]), /there is no key ffffffffffff/);
  t.throws(() => keysCommand(['create', '--rate', 'fast', '--file', file]), /rate: must be a positive number/);
});
