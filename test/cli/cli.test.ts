/** The command line: forms, exit status, in process and over a server. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { cli, MAIN } from './fixtures/cli.js';
import { testService } from '../service/fixtures/service.js';

const OBJECT = fileURLToPath(new URL('../objects/xdp_count.o', import.meta.url));

t.setTimeout(240_000);

t.test('compile', async (t) => {
  const text = await cli(['compile', OBJECT]);
  t.equal(text.status, 0, text.err);
  t.match(text.out, /^xdp_main \(xdp, xdp\): accepted\n/);
  t.match(text.out, /^ {5}0: d50\w+|^ {5}0: \w{8} {2}/m);
  t.match(text.out, /: d65f03c0 {2}ret/);
  t.match(text.out, /@ \w+ (?:KERNEL|MAP)/, 'relocations are marked');

  const json = await cli(['compile', OBJECT, '--format', 'json', '--program', 'xdp_main']);
  const answer = JSON.parse(json.out) as { programs: readonly { name: string; accepted: boolean }[] };
  t.match(answer.programs, [{ name: 'xdp_main', accepted: true }]);

  t.notMatch(text.err, /verified/);
  const older = await cli(['compile', OBJECT, '--kernel', 'linux-6.1-arm64', '--format', 'json']);
  t.match(older.err, /^bpf-jitd: linux-6\.1-arm64: not verified: /, 'a kernel whose answers nobody held against it');
  t.match(JSON.parse(older.out), { target: { verified: /^not verified: / } });

  const elf = await cli(['compile', OBJECT, '--format', 'elf', '--output', '/dev/null']);
  t.equal(elf.status, 0, elf.err);

  const service = await testService(t);
  const remote = await cli(['compile', OBJECT, '--server', service.url]);
  t.equal(remote.status, 0, remote.err);
  t.equal(remote.out, text.out, 'the service answers what this process does');
  const none = ['compile', MAIN];
  const refused = await cli([...none, '--server', service.url]);
  t.equal(refused.status, 2);
  t.equal(refused.out, (await cli(none)).out, 'also of what is no object');
  const proxy = createServer((request, response) => {
    response.writeHead(307, { location: `${service.url}${request.url!.replace('/jitd/', '/')}` }).end();
  }).listen(0, '127.0.0.1');
  t.teardown(() => proxy.close());
  await once(proxy, 'listening');
  const below = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/jitd`;
  t.match(
    await cli(['targets', '--server', below]),
    { status: 0, out: /linux-6\.12-arm64/ },
    'below a path of a proxy',
  );
});

t.test('what the programs are attached to, and the modules they use', async (t) => {
  const at = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const target = ['--attach-program', 'xdp_main', '--attach-object', at('attach/targets.o')];
  const replaced = await cli(['compile', at('attach/attached.o'), '--program', 'replaced', ...target]);
  t.equal(replaced.status, 0, replaced.err);

  const module = join(t.testdir(), 'nf_conntrack.ko.gz');
  writeFileSync(module, gzipSync(brotliDecompressSync(readFileSync(at('modules/nf_conntrack.btf.br')))));
  const leaves = ['compile', at('modules/modules.o'), '--program', 'leaves'];
  t.equal((await cli([...leaves, '--module', module])).status, 0);
  t.equal((await cli(leaves)).status, 1, 'without it');
});

t.test('what cannot be tried', async (t) => {
  for (const [args, message] of [
    [['compile', '/nowhere.o'], /ENOENT/],
    [['compile', OBJECT, '--kernel', 'linux-0.1'], /UNKNOWN_TARGET/],
    [['compile', OBJECT, '--format', 'pdf'], /--format/],
    [['compile', OBJECT, '--nonsense'], /nonsense/],
    [['compile', MAIN], /.*/],
    [['compile', OBJECT, '--server', 'localhost:8080'], /--server localhost:8080 is no URL/],
    [['compile', OBJECT, '--server', 'http://127.0.0.1:9'], /no answer from http:\/\/127\.0\.0\.1:9: /],
    [['fly'], /^bpf-jitd: there is no command fly\nbpf-jitd --help .*\n$/],
  ] as const) {
    const ran = await cli(args);
    t.equal(ran.status, 2, args.join(' '));
    t.match(ran.err + ran.out, message);
    t.notMatch(ran.err, /\n\s+at /);
  }
});

t.test('targets', async (t) => {
  const ran = await cli(['targets']);
  t.equal(ran.status, 0, ran.err);
  t.match(ran.out, /^linux-6\.12-arm64 +6\.12/m);
});
