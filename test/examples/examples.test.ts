/** The examples, run against a real service; what their tools are missing for is said and left out. */
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { MAIN } from '../cli/fixtures/cli.js';
import { testService } from '../service/fixtures/service.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLES = join(ROOT, 'examples');
const GOOD = join(ROOT, 'test/objects/xdp_count.o');
const BAD = join(ROOT, 'test/cli/objects/unchecked.o');
/** The command line, unbuilt. */
const BPF_JITD = `${process.execPath} --import ${join(ROOT, 'node_modules/tsx/dist/loader.mjs')} ${MAIN}`;

t.setTimeout(180_000);

const dir = mkdtempSync(join(tmpdir(), 'bpf-examples-'));
t.teardown(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function run(command: string, args: readonly string[], env: Record<string, string> = {}, cwd = dir): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { cwd, env: { ...process.env, ...env } }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(child.exitCode), out, err });
    });
  });
}

/** False, or why a test must be left out. */
function missing(...commands: readonly (readonly [string, ...string[]])[]): string | false {
  const absent = commands.find(([name, ...args]) => spawnSync(name, args, { stdio: 'ignore' }).status !== 0);
  return absent === undefined ? false : `${absent[0]} is not installed (test/setup)`;
}

t.test('shell', { skip: missing(['curl', '--version'], ['jq', '--version']) }, async (t) => {
  const service = await testService(t);
  const script = join(EXAMPLES, 'shell/compile.sh');
  const env = { BPF_JITD_SERVER: service.url };
  const good = await run(script, [GOOD], env);
  t.strictSame(good, { status: 0, out: 'xdp_main: accepted\n', err: '' });
  t.ok(statSync(join(dir, 'xdp_main.bin')).size > 100);
  const bad = await run(script, [BAD], env);
  t.equal(bad.status, 1);
  t.match(
    bad.out,
    /^checked: accepted\nunchecked: rejected, errno -13: invalid access to packet, .*\nR1 offset is outside of the packet\n$/,
  );
  const refused = await run(script, [MAIN], env);
  t.equal(refused.status, 2);
  t.match(refused.err, /INVALID_OBJECT/);
});

const python = missing(
  ['/usr/bin/python3', '-c', 'import grpc, google.protobuf'],
  ['protoc', '--version'],
  ['test', '-f', '/usr/include/google/protobuf/any.proto'],
);
t.test('Python', { skip: python }, async (t) => {
  const service = await testService(t);
  const protos = readdirSync(join(ROOT, 'proto/bpfjit/v1')).map((name) => `bpfjit/v1/${name}`);
  const made = await run('protoc', [
    '-I',
    join(ROOT, 'proto'),
    `--python_out=${dir}`,
    ...protos,
    'google/rpc/status.proto',
  ]);
  t.equal(made.status, 0, made.err);
  copyFileSync(join(EXAMPLES, 'python/compile.py'), join(dir, 'compile.py'));
  const ran = await run('/usr/bin/python3', ['compile.py', GOOD, BAD], { BPF_JITD_GRPC: service.grpcAddress });
  t.equal(ran.status, 1, ran.err);
  const lines = ran.out.trim().split('\n').sort();
  t.match(lines, [
    /unchecked\.o checked: accepted, 104 bytes/,
    /unchecked\.o unchecked: rejected: invalid access/,
    /xdp_main: accepted/,
    /^R1 offset is outside of the packet$/,
  ]);
});

t.test('Go', { skip: missing(['go', 'version']) }, async (t) => {
  const service = await testService(t);
  const env = { BPF_JITD_SERVER: service.url, GOFLAGS: '-mod=mod', GOCACHE: join(dir, 'go') };
  const ran = await run('go', ['run', '.', BAD], env, join(EXAMPLES, 'go'));
  t.match(ran.out, /checked: accepted, 1 functions\nunchecked: rejected, errno -13: invalid access/);
  t.equal(ran.status, 1);
});

t.test('Make', { skip: missing(['make', '--version']) }, async (t) => {
  const folder = join(dir, 'make');
  cpSync(join(EXAMPLES, 'make'), folder, { recursive: true });
  // Built already: make finds nothing to do for the compiler.
  writeFileSync(join(folder, 'prog.bpf.c'), '');
  copyFileSync(GOOD, join(folder, 'prog.bpf.o'));
  const make = (...args: string[]): Promise<Ran> => run('make', [...args, `BPF_JITD=${BPF_JITD}`], {}, folder);
  t.match(await make('check'), { status: 2, err: /--update writes one/ }, 'no budget yet');
  t.equal((await make('budget')).status, 0);
  t.equal((await make('check')).status, 0);
  const budget = join(folder, 'bpf-budget.json');
  writeFileSync(budget, readFileSync(budget, 'utf8').replace(/"codeSize": \d+/, '"codeSize": 10'));
  const over = await make('check');
  t.equal(over.status, 2);
  t.match(over.out, /over budget/);
});

t.test('GitHub Action', async (t) => {
  const text = readFileSync(join(ROOT, 'action/action.yml'), 'utf8');
  const script = text.slice(text.indexOf('      run: |\n') + 13).replace(/^ {8}/gm, '');
  const folder = join(dir, 'action');
  cpSync(EXAMPLES, folder, { recursive: true });
  copyFileSync(GOOD, join(folder, 'one.o'));
  copyFileSync(BAD, join(folder, 'two.o'));
  // In place of npx, which would fetch the published package.
  const shim = `npx() { [ "$1" = --yes ] && [ "$2" = bpf-jitd@0 ] && shift 2 && ${BPF_JITD} "$@"; }\n`;
  const inputs = {
    ...{ BUDGET: '', KERNELS: 'linux-6.12-arm64', TOLERANCE: '2', SERVER: '', VERSION: '0', HTML: '', COMPARE: '' },
    ...{ JUNIT: 'out.xml', CSV: 'out.csv', CAPABILITIES: '', LEGACY_MAPS: 'false', TIMEOUT: '60', FILTER: '' },
    FAIL_ON: 'insns>100\nstates>100',
  };
  const env = {
    ...inputs,
    OBJECTS: '*.o',
    SOURCE_ROOT: 'bpf',
    SARIF: 'out.sarif',
    GITHUB_STEP_SUMMARY: join(dir, 'summary'),
  };
  const ran = await run('bash', ['-e', '-c', shim + script], env, folder);
  t.equal(ran.status, 1, ran.err);
  t.match(readFileSync(join(folder, 'out.sarif'), 'utf8'), /"uri": "bpf\/unchecked\.c"/);
  t.match(readFileSync(join(dir, 'summary'), 'utf8'), /1 of 3 fail/);
  t.match(readFileSync(join(folder, 'out.xml'), 'utf8'), /tests="3" failures="1" errors="0"/);
  t.match(readFileSync(join(folder, 'out.csv'), 'utf8'), /^one\.o,xdp_main,success,/m);
  const fails = { ...env, OBJECTS: 'one.o', FAIL_ON: 'states>100\ninsns>30' };
  t.equal((await run('bash', ['-e', '-c', shim + script], fails, folder)).status, 1, 'a figure that must not be');
  const none = await run('bash', ['-e', '-c', shim + script], { ...env, OBJECTS: 'none/*.o' }, folder);
  t.match(none, { status: 2, err: /no object matches/ });
  for (const [, input] of text.matchAll(/\$\{\{ inputs\.([\w-]+) \}\}/g))
    t.match(text, new RegExp(`^  ${input}:$`, 'm'));
});
