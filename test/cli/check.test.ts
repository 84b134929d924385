/** bpf-jitd check: verdicts, budgets, reports, and the exit status that a build goes by. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { raw, testService } from '../service/fixtures/service.js';
import { checkCommand } from '../../src/cli/check-command.js';
import { escape } from '../../src/cli/check/junit.js';
import { cli, type Ran } from './fixtures/cli.js';

const OBJECTS = fileURLToPath(new URL('../objects/', import.meta.url));
const UNCHECKED = fileURLToPath(new URL('./objects/unchecked.o', import.meta.url));

t.setTimeout(240_000);

type Budget = Record<'objects', Record<string, Record<string, Record<string, Record<string, number | boolean>>>>>;

const HOME = process.cwd();
// Inside of the checkout, for worker threads look for tsx from the working folder up.
mkdirSync(join(HOME, 'node_modules/.cache'), { recursive: true });
const dir = mkdtempSync(join(HOME, 'node_modules/.cache/bpf-check-'));
t.teardown(() => {
  process.chdir('/');
  rmSync(dir, { recursive: true, force: true });
});
cpSync(join(OBJECTS, 'xdp_count.o'), join(dir, 'good.o'));
cpSync(UNCHECKED, join(dir, 'unchecked.o'));
process.chdir(dir);
// Threads of sources start slowly: most tests ask one service, `checkHere` asks threads as a user's command does.
const service = await testService(t);
await service.post(raw('up'));

const check = (args: readonly string[]): Promise<Ran> => checkHere([...args, '--server', service.url]);

/** The command in this process; its exit status is what it resolves to. */
async function checkHere(args: readonly string[]): Promise<Ran> {
  let out = '';
  const write = (text: unknown): boolean => ((out += String(text)), true);
  try {
    return { status: await checkCommand([...args], { write }), out, err: '' };
  } catch (error) {
    return { status: 2, out, err: (error as Error).message }; // as main.ts does
  }
}

const read = <T>(name: string): T => JSON.parse(readFileSync(join(dir, name), 'utf8')) as T;

t.test('a budget is written, held, and may grow within its tolerance', async (t) => {
  const first = await check(['good.o']);
  t.equal(first.status, 0, first.err);
  t.match(first.out, /good\.o +xdp_main +linux-6\.12-arm64 +success +36 /);

  t.equal((await check(['good.o', '--update'])).status, 0);
  const budget = read<Budget>('bpf-budget.json');
  const entry = budget.objects['good.o']!['linux-6.12-arm64']!['xdp_main']!;
  t.strictSame(Object.keys(entry), ['processedInstructions', 'translatedInstructions', 'codeSize', 'stackDepth']);
  t.ok(Object.values(entry).every((value) => Number(value) > 0));

  const size = Number(entry['codeSize']);
  entry['codeSize'] = size - 4;
  writeFileSync(join(dir, 'bpf-budget.json'), JSON.stringify(budget));
  const summary = { cwd: dir, env: { GITHUB_STEP_SUMMARY: join(dir, 'summary.md') } };
  const over = await cli(['check', 'good.o', '--sarif', 'over.sarif', '--format', 'markdown'], summary);
  t.equal(over.status, 1);
  t.ok(over.out.includes(`**${size} (+4)**`), over.out);
  t.equal(readFileSync(join(dir, 'summary.md'), 'utf8'), over.out);
  t.match(read('over.sarif'), { runs: [{ results: [{ ruleId: 'BUDGET/codeSize' }] }] });
  t.equal((await check(['good.o', '--tolerance', '5'])).status, 0, 'four bytes are within 5 %');
  t.equal((await check(['good.o', '--update'])).status, 0, 'growth that is meant');
  t.equal((await check(['good.o'])).status, 0);
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region?: { readonly startLine: number };
        };
      }[];
    }[];
  }[];
}

t.test('a rejection fails the check, at its line', async (t) => {
  const options = ['--source-root', 'src/bpf', '--sarif', 'out.sarif', '--json', 'out.json'];
  const kernels = ['--kernel', 'linux-6.12-arm64', '--kernel', 'linux-6.1-arm64'];
  const ran = await check(['unchecked.o', '--budget', 'b.json', '--update', ...kernels, ...options]);
  t.equal(ran.status, 1, 'no budget makes a rejection good');
  t.match(ran.out, /^2 passed, 2 failed$/m);
  t.equal(ran.out.match(/^linux-6\.1-arm64: not verified: /gm)?.length, 1, 'what is to be known of a kernel, once');
  t.notMatch(ran.out, /^linux-6\.12-arm64: /m);
  t.match(ran.out, /outside of the packet \(instruction 1, unchecked\.c:16\)/);

  // What SARIF 2.1.0 asks of every log, run, result and location.
  const sarif = read<Sarif>('out.sarif');
  t.equal(sarif.version, '2.1.0');
  const [run] = sarif.runs;
  t.equal(run!.tool.driver.name, 'bpf-jitd');
  t.equal(run!.results.length, 2);
  for (const result of run!.results) {
    t.equal(run!.tool.driver.rules[result.ruleIndex]!.id, result.ruleId);
    t.equal(result.level, 'error');
    t.ok(result.message.text.length > 0);
    const place = result.locations[0]!.physicalLocation;
    t.strictSame(place, { artifactLocation: { uri: 'src/bpf/unchecked.c' }, region: { startLine: 16 } });
  }
  t.match(read('out.json'), {
    programs: [{ program: 'checked', state: 'new' }, { state: 'new' }, { state: 'rejected' }],
  });

  const budget = read<Budget>('b.json');
  t.strictSame(Object.keys(budget.objects['unchecked.o']!['linux-6.1-arm64']!), ['checked']);
  for (const kernel of Object.values(budget.objects['unchecked.o']!)) kernel['unchecked'] = { rejected: true };
  writeFileSync(join(dir, 'b.json'), JSON.stringify(budget));
  const known = await check(['unchecked.o', '--budget', 'b.json', ...kernels]);
  t.equal(known.status, 0, 'a rejection that is known');
  t.match(known.out, /rejected, as expected/);
});

t.test('a service is asked the same; what cannot be loaded fails', async (t) => {
  const here = await checkHere(['good.o', 'unchecked.o', '--budget', 'b.json', '--kernel', 'all']);
  const there = await check(['good.o', 'unchecked.o', '--budget', 'b.json', '--kernel', 'all']);
  t.equal(there.out, here.out, there.err);
  t.equal(there.status, here.status);
  writeFileSync(join(dir, 'not.o'), 'no object');
  for (const ask of [checkHere, check]) {
    const ran = await ask(['not.o']);
    t.equal(ran.status, 1);
    t.match(ran.out, /^not\.o on linux-6\.12-arm64: LOAD ELF_INVALID: /m);
  }
});

t.test('what cannot be tried', async (t) => {
  writeFileSync(join(dir, 'bad.json'), '{"objects": {"x": {"k": {"p": {"codeSize": -1}}}}}');
  writeFileSync(join(dir, 'worse.json'), '{');
  for (const [args, message] of [
    [[], /takes objects/],
    [['good.o', '--format', 'table'], /--format table: it is one of text, csv/],
    [['good.o', '--columns', 'file,speed'], /no column is called speed: there are file_name/],
    [['good.o', '--sort', 'speed'], /no column is called speed/],
    [['good.o', '--filter', 'speed>1'], /speed is no figure/],
    [['good.o', '--filter', 'insns>many'], /many is no number/],
    [['good.o', '--fail-on', 'good.o'], /compares nothing/],
    [['*.none'], /no object matches \*\.none/],
    [['good.o', '--jobs', 'x'], /--jobs x: is no whole number/],
    [['good.o', '--budget', 'none.json'], /there is no none\.json; --update writes one/],
    [
      ['check', 'good.o', '--budget', 'bad.json'],
      /bad\.json: objects\["x"\]\["k"\]\["p"\]\.codeSize: expected a number/,
    ],
    [['good.o', '--budget', 'worse.json'], /worse\.json: .*JSON/],
    [['good.o', '--kernel', 'linux-0.1'], /there is no kernel linux-0\.1: the kernels are linux-6\.12-arm64/],
  ] as const) {
    const ran = await check(args);
    t.equal(ran.status, 2, args.join(' '));
    t.match(ran.err, message);
  }
});

t.test('what cannot be tried is a row; the rest is tried all the same', async (t) => {
  writeFileSync(join(dir, 'not.o'), 'no object');
  const ran = await check(['nowhere.o', 'not.o', 'good.o', '--budget', 'none.json', '--update']);
  t.equal(ran.status, 2);
  t.match(ran.out, /^nowhere\.o on linux-6\.12-arm64: ENOENT: no such file or directory, open 'nowhere\.o'$/m);
  t.match(ran.out, /^good\.o +xdp_main +linux-6\.12-arm64 +success/m);
  t.match(ran.out, /^1 passed, 2 failed$/m);
  t.strictSame(
    Object.keys(read<Budget>('none.json').objects),
    ['not.o', 'good.o'],
    'what was not tried is not written',
  );

  // Nothing ends in a millisecond: time that runs out is a row, too.
  const late = await checkHere(['good.o', '--timeout', '0']);
  t.equal(late.status, 2);
  t.match(late.out, /DEADLINE_EXCEEDED: took longer than 0 ms/);
});

t.test('folders and globs; rows in reading order, programs by kernels', async (t) => {
  mkdirSync(join(dir, 'deep/er'), { recursive: true });
  cpSync(join(dir, 'good.o'), join(dir, 'deep/er/z.o'));
  cpSync(join(dir, 'unchecked.o'), join(dir, 'deep/a.o'));
  const lines = (out: string): string[] =>
    [...out.matchAll(/^(deep\/\S+) +(\S+) +(.*)$/gm)].map((m) => `${m[1]} ${m[2]}`);
  const all = ['--kernel', 'all'];
  const folder = await check(['deep', ...all]);
  t.equal(folder.status, 1);
  t.strictSame(lines(folder.out).slice(0, 3), ['deep/a.o checked', 'deep/a.o unchecked', 'deep/er/z.o xdp_main']);
  t.match(folder.out, /^File +Program +linux-6\.12-arm64 +linux-/m);
  t.match(folder.out, /^deep\/a\.o +unchecked +rejected -13 +rejected -13/m);
  t.equal(folder.out.match(/outside of the packet/g)?.length, 1, 'what kernels say alike is said once');
  t.equal((await check(['deep/**/*.o', 'deep/a.o', ...all])).out, folder.out, 'a glob, and nothing twice');
});

t.test('results as veristat has them: CSV, filters, sorting, comparison', async (t) => {
  const files = ['good.o', 'unchecked.o'];
  const ran = await check([...files, '--format', 'csv']);
  t.equal(
    ran.out,
    [
      'file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,max_states_per_insn,max_mark_read_len',
      'good.o,xdp_main,success,0,36,2,2,0,1',
      'unchecked.o,checked,success,0,13,1,1,0,1',
      'unchecked.o,unchecked,failure,0,2,0,0,0,0',
      '',
    ].join('\n'),
  );
  const rows = async (...args: string[]): Promise<string> => {
    const { out, err } = await check([...files, '--format', 'csv', '--columns', 'prog,insns', ...args]);
    t.equal(err, '');
    return out.trim().split('\n').slice(1).join(' ');
  };
  t.equal(await rows('--sort', 'insns^'), 'unchecked,2 checked,13 xdp_main,36');
  t.equal(await rows('--sort', 'insns', '--top-n', '1'), 'xdp_main,36');
  t.equal(await rows('-f', 'verdict=failure'), 'unchecked,2');
  t.equal(await rows('-f', 'insns>2', '-f', '!xdp*'), 'checked,13');
  t.equal(await rows('-f', 'unchecked.o/c*'), 'checked,13');
  writeFileSync(join(dir, 'filters'), '# what counts\nunchecked.o/\n\n!insns<=2\n');
  t.equal(await rows('-f', '@filters'), 'checked,13');

  writeFileSync(
    join(dir, 'base.csv'),
    ran.out.replace('success,0,36', 'success,0,30').replace(/^.*,checked,.*\n/m, ''),
  );
  const compared = await check([
    ...files,
    '--compare',
    'base.csv',
    '--format',
    'csv',
    '--columns',
    'prog,verdict,insns',
  ]);
  t.equal(
    compared.out,
    [
      'prog_name,verdict_base,verdict_comp,verdict_diff,total_insns_base,total_insns_comp,total_insns_diff',
      'xdp_main,success,success,MATCH,30,36,+6 (+20.00%)',
      'checked,N/A,success,N/A,N/A,13,N/A',
      'unchecked,failure,failure,MATCH,2,2,+0 (+0.00%)',
      '',
    ].join('\n'),
  );
  const gate = ['good.o', '--compare', 'base.csv', '-f', 'good.o', '--fail-on'];
  t.equal((await check([...gate, 'insns_pct>19'])).status, 1);
  t.equal((await check([...gate, 'insns_pct>20'])).status, 0);
  t.equal((await check([...gate, 'verdict_diff=mismatch'])).status, 0);

  writeFileSync(join(dir, 'bad.csv'), 'file_name,prog_name,total_insns\na,b\n');
  t.match((await check([...gate.slice(0, 1), '--compare', 'bad.csv'])).err, /bad\.csv:2: 2 cells below 3 headings/);
});

t.test('JUnit and HTML hold what an object says as text', async (t) => {
  const ran = await check([
    'unchecked.o',
    'nowhere.o',
    '--junit',
    'out.xml',
    '--html',
    'out.html',
    '--kernel',
    'linux-6.12-arm64',
    '--kernel',
    'linux-6.1-arm64',
  ]);
  t.equal(ran.status, 2);
  const xml = readFileSync(join(dir, 'out.xml'), 'utf8');
  const kernels = 2;
  t.match(
    xml,
    new RegExp(`<testsuites name="bpf-jitd check" tests="${3 * kernels}" failures="${kernels}" errors="${kernels}">`),
  );
  t.match(xml, /<testcase name="unchecked" [^>]*file="[^"]*unchecked\.c" line="16">\n +<failure type="MEMORY_ACCESS"/);
  t.equal(
    execFileSync('python3', [
      '-c',
      'import sys, xml.dom.minidom as m; m.parse(sys.argv[1]); print("well")',
      join(dir, 'out.xml'),
    ]).toString(),
    'well\n',
  );
  t.match(readFileSync(join(dir, 'out.html'), 'utf8'), /<td class="bad">rejected -13<\/td>/);
  t.equal(escape('a<b>&"\u0000\n'), 'a&lt;b&gt;&amp;&quot;\ufffd&#10;');
});
