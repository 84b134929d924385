/** bpf-jitd check: verdicts, budgets, reports, and the exit status that a build goes by. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { raw, testService } from '../service/fixtures/service.js';
import { checkCommand } from '../../src/cli/check-command.js';
import { cli, type Ran } from './fixtures/cli.js';

const OBJECTS = fileURLToPath(new URL('../objects/', import.meta.url));
const UNCHECKED = fileURLToPath(new URL('./objects/unchecked.o', import.meta.url));

t.setTimeout(240_000);

type Budget = Record<'objects', Record<string, Record<string, Record<string, Record<string, number | boolean>>>>>;

const HOME = process.cwd();
const dir = mkdtempSync(join(tmpdir(), 'bpf-check-'));
t.teardown(() => {
  process.chdir('/');
  rmSync(dir, { recursive: true, force: true });
});
cpSync(join(OBJECTS, 'xdp_count.o'), join(dir, 'good.o'));
cpSync(UNCHECKED, join(dir, 'unchecked.o'));
process.chdir(dir);
/** The command in this process, which is what costs no second a time; its exit status is what it resolves to. */
async function check(args: readonly string[]): Promise<Ran> {
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
  t.match(first.out, /good\.o xdp_main` \| linux-6\.12-arm64 \| 🆕/);

  t.equal((await check(['good.o', '--update'])).status, 0);
  const budget = read<Budget>('bpf-budget.json');
  const entry = budget.objects['good.o']!['linux-6.12-arm64']!['xdp_main']!;
  t.strictSame(Object.keys(entry), ['processedInstructions', 'translatedInstructions', 'codeSize', 'stackDepth']);
  t.ok(Object.values(entry).every((value) => Number(value) > 0));

  const size = Number(entry['codeSize']);
  entry['codeSize'] = size - 4;
  writeFileSync(join(dir, 'bpf-budget.json'), JSON.stringify(budget));
  const summary = { cwd: dir, env: { GITHUB_STEP_SUMMARY: join(dir, 'summary.md') } };
  const over = await cli(['check', 'good.o', '--sarif', 'over.sarif'], summary);
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
  t.match(ran.out, /2 of 4 fail/);
  t.equal(ran.out.match(/^- linux-6\.1-arm64: not verified: /gm)?.length, 1, 'what is to be known of a kernel, once');
  t.notMatch(ran.out, /^- linux-6\.12-arm64: /m);
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
  t.match(read('out.json'), { programs: [{ program: 'checked', state: 'new' }, { state: 'rejected' }] });

  const budget = read<Budget>('b.json');
  t.strictSame(Object.keys(budget.objects['unchecked.o']!['linux-6.1-arm64']!), ['checked']);
  for (const kernel of Object.values(budget.objects['unchecked.o']!)) kernel['unchecked'] = { rejected: true };
  writeFileSync(join(dir, 'b.json'), JSON.stringify(budget));
  const known = await check(['unchecked.o', '--budget', 'b.json', ...kernels]);
  t.equal(known.status, 0, 'a rejection that is known');
  t.match(known.out, /rejected, as expected/);
});

t.test('a service is asked the same; what cannot be loaded fails', async (t) => {
  process.chdir(HOME); // where tsx finds the workers' sources
  const service = await testService(t);
  await service.post(raw('up'));
  process.chdir(dir);
  const here = await check(['good.o', 'unchecked.o', '--budget', 'b.json']);
  const there = await check(['good.o', 'unchecked.o', '--budget', 'b.json', '--server', service.url]);
  t.equal(there.out, here.out, there.err);
  t.equal(there.status, here.status);
  writeFileSync(join(dir, 'not.o'), 'no object');
  for (const server of [[], ['--server', service.url]]) {
    const ran = await check(['not.o', ...server]);
    t.equal(ran.status, 1);
    t.match(ran.out, /❌ rejected.*\n\n- `not\.o` on .*: LOAD/);
  }
});

t.test('what cannot be tried', async (t) => {
  writeFileSync(join(dir, 'bad.json'), '{"objects": {"x": {"k": {"p": {"codeSize": -1}}}}}');
  writeFileSync(join(dir, 'worse.json'), '{');
  for (const [args, message] of [
    [[], /takes objects/],
    [['good.o', '--budget', 'none.json'], /there is no none\.json; --update writes one/],
    [
      ['check', 'good.o', '--budget', 'bad.json'],
      /bad\.json: objects\["x"\]\["k"\]\["p"\]\.codeSize: expected a number/,
    ],
    [['good.o', '--budget', 'worse.json'], /worse\.json: .*JSON/],
    [['good.o', '--kernel', 'linux-0.1'], /UNKNOWN_TARGET/],
    [['nowhere.o'], /ENOENT/],
  ] as const) {
    const ran = await check(args);
    t.equal(ran.status, 2, args.join(' '));
    t.match(ran.err, message);
  }
});
