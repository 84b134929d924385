/** bpf-jitd check: gates a repository on verdicts and on a budget of instructions, code and stack. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { capabilitiesFromNames } from '../service/contract/capabilities.js';
import { targetNames } from '../service/targets.js';
import { askAll, type Asked, type Asker } from './check/ask.js';
import { readBudget, writeBudget } from './check/budget.js';
import { readCsv } from './check/csv.js';
import { figureTest, filters } from './check/filter.js';
import { objectFiles } from './check/inputs.js';
import { Progress } from './check/progress.js';
import { FORMATS, select, type Format, type Found } from './check/reports.js';
import { Service } from './check/service.js';
import { Threads } from './check/threads.js';
import { failed, inReadingOrder, judge, updated, type Verdict } from './check/verdict.js';
import { get } from './remote.js';
import { orUsage, UsageError } from './usage.js';

const OPTIONS = {
  budget: { type: 'string' },
  update: { type: 'boolean', default: false },
  kernel: { type: 'string', multiple: true },
  tolerance: { type: 'string' },
  filter: { type: 'string', short: 'f', multiple: true },
  sort: { type: 'string', short: 's' },
  columns: { type: 'string', short: 'e' },
  'top-n': { type: 'string', short: 'n' },
  compare: { type: 'string', short: 'C' },
  'fail-on': { type: 'string', multiple: true },
  format: { type: 'string', short: 'o', default: 'text' },
  csv: { type: 'string' },
  json: { type: 'string' },
  markdown: { type: 'string' },
  html: { type: 'string' },
  junit: { type: 'string' },
  sarif: { type: 'string' },
  'source-root': { type: 'string', default: '.' },
  'legacy-maps': { type: 'boolean', default: false },
  capabilities: { type: 'string' },
  jobs: { type: 'string', short: 'j' },
  timeout: { type: 'string', default: '60' },
  server: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** Where the budget is looked for unless it is named. */
const DEFAULT_BUDGET = 'bpf-budget.json';
/** The name that stands for every kernel there is. */
const ALL_KERNELS = 'all';
/** Requests that a service is sent at a time, unless --jobs says otherwise. */
const REMOTE_JOBS = 8;
/** MiB of heap that one object may take in this process, as in the service by default. */
const WORKER_MEMORY = 2048;

const parse = (args: string[]) => orUsage(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));

/** The exit status: 0 all is well; 1 a rejection, a figure over budget or a --fail-on that holds; 2 something could not be tried. */
export async function checkCommand(
  argv: string[],
  out: Pick<NodeJS.WriteStream, 'write'> = process.stdout,
): Promise<number> {
  const { values, positionals } = parse(argv);
  if (positionals.length === 0) throw new UsageError('check takes objects, folders or globs');
  if (!(values.format in FORMATS)) {
    throw new UsageError(`--format ${values.format}: it is one of ${Object.keys(FORMATS).join(', ')}`);
  }
  const budgetFile = values.budget ?? DEFAULT_BUDGET;
  if (values.budget !== undefined && !values.update && !existsSync(budgetFile)) {
    throw new UsageError(`there is no ${budgetFile}; --update writes one`);
  }
  const budget = readBudget(budgetFile);
  const tolerance = Number(values.tolerance ?? budget.tolerance ?? 0);
  if (!(tolerance >= 0)) throw new UsageError('--tolerance is a percentage');
  const view = { selection: selectionOf(values), breaks: thresholds(values) };
  const answers = await ask(objectFiles(positionals), values);
  const verdicts = inReadingOrder(
    answers.flatMap((asked) => judge(asked, budgetName(asked.file, budgetFile), budget, tolerance)),
  );
  if (values.update) writeBudget(budgetFile, updated(budget, verdicts));
  const found = select(verdicts, view.selection, values['source-root']);
  report(found, values, out);
  const broken = view.breaks.some((holds) => found.pairs.some((pair) => holds(pair)));
  return statusOf(found.verdicts, values.update, broken);
}

/** What was over has just become the budget where it is updated. */
function statusOf(verdicts: readonly Verdict[], isUpdate: boolean, broken: boolean): number {
  if (verdicts.some(({ state }) => state === 'error')) return 2;
  return broken || verdicts.some((verdict) => failed(verdict) && !(isUpdate && verdict.state === 'over')) ? 1 : 0;
}

function selectionOf(values: Values): Found['selection'] {
  return {
    filters: orUsage(() => filters(values.filter ?? [])),
    sort: values.sort ?? null,
    columns: values.columns ?? null,
    top: whole('--top-n', values['top-n'] ?? String(Number.MAX_SAFE_INTEGER)),
    base: values.compare === undefined ? null : readCsv(values.compare),
  };
}

/** --fail-on: filters by figures, of which none may hold for any program. */
function thresholds(values: Values): NonNullable<ReturnType<typeof figureTest>>[] {
  return (values['fail-on'] ?? []).map((expression) => {
    const test = orUsage(() => figureTest(expression));
    if (test === null) throw new UsageError(`--fail-on ${expression}: compares nothing, such as insns_pct>5`);
    return test;
  });
}

/** Relative to the budget's folder, the same on every system. */
function budgetName(file: string, budgetFile: string): string {
  return relative(resolve(dirname(budgetFile)), resolve(file))
    .split(sep)
    .join('/');
}

async function ask(files: readonly string[], values: Values): Promise<readonly Asked[]> {
  const kernels = await kernelsOf(values);
  const asker = askerOf(kernels, files.length * kernels.length, values);
  const progress = new Progress(files.length * kernels.length, process.stderr);
  const { capabilities } = values;
  const options = {
    logLevel: 1, // libbpf's own words about a rejection come from the log
    legacyMaps: values['legacy-maps'],
    ...(capabilities === undefined ? {} : { capabilities: capabilitiesFromNames(capabilities) }),
  };
  try {
    const answers = await askAll(asker, files, kernels, options, ({ file, kernel }) =>
      progress.step(`${file} on ${kernel}`),
    );
    return (values.kernel ?? []).includes(ALL_KERNELS) ? answers.filter(({ answer }) => !isForOthers(answer)) : answers;
  } finally {
    progress.end();
    await asker.close();
  }
}

/** LIBBPF_ERRNO__ENDIAN, as libbpf answers it. */
const ERRNO_ENDIAN = -4003;

/** Machines of the other byte order are not what an object is for: of all kernels, theirs are left out. libbpf's errno says so. */
function isForOthers(answer: Asked['answer']): boolean {
  return answer?.failure?.errno === ERRNO_ENDIAN;
}

/** The kernels asked for, each known, the default one where none is. Throws UsageError with the names there are. */
async function kernelsOf({ kernel: asked = [], server }: Values): Promise<readonly string[]> {
  const known = server === undefined ? targetNames() : await remoteNames(server);
  const unknown = asked.find((name) => name !== ALL_KERNELS && !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no kernel ${unknown}: the kernels are ${known.join(', ')}`);
  if (asked.includes(ALL_KERNELS)) return known;
  return asked.length === 0 ? known.slice(0, 1) : [...new Set(asked)];
}

async function remoteNames(server: string): Promise<string[]> {
  const { targets = [] } = (await get(server, 'targets')) as { targets?: { name: string }[] };
  return targets.map(({ name }) => name);
}

function askerOf(kernels: readonly string[], questions: number, values: Values): Asker {
  const timeout = 1000 * whole('--timeout', values.timeout);
  const jobs = values.jobs === undefined ? null : Math.max(1, whole('--jobs', values.jobs));
  if (values.server !== undefined)
    return new Service({ url: values.server, concurrency: jobs ?? REMOTE_JOBS, timeout });
  const threads = Math.max(1, Math.min(jobs ?? availableParallelism(), questions));
  return new Threads({ kernels, threads, timeout, memory: WORKER_MEMORY });
}

function whole(option: string, text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new UsageError(`${option} ${text}: is no whole number`);
  return Number(text);
}

function report(found: Found, values: Values, out: Pick<NodeJS.WriteStream, 'write'>): void {
  out.write(FORMATS[values.format as Format](found));
  for (const format of ['csv', 'json', 'markdown', 'html', 'junit', 'sarif'] as const) {
    const file = values[format];
    if (file !== undefined) writeFileSync(file, FORMATS[format](found));
  }
  const summary = process.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (summary !== '') appendFileSync(summary, FORMATS.markdown(found));
}
