/** bpf-jitd check: gates a repository on verdicts and on a budget of instructions, code and stack. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { capabilitiesFromNames } from '../service/contract/capabilities.js';
import type { AnswerJson } from './answer.js';
import { readBudget, writeBudget, type Budget } from './check/budget.js';
import { markdown } from './check/markdown.js';
import { sarif } from './check/sarif.js';
import { failed, judge, updated, type Verdict } from './check/verdict.js';
import { compilerOf } from './local.js';
import { orUsage, UsageError } from './usage.js';

const OPTIONS = {
  budget: { type: 'string' },
  update: { type: 'boolean', default: false },
  kernel: { type: 'string', multiple: true },
  tolerance: { type: 'string' },
  markdown: { type: 'string' },
  sarif: { type: 'string' },
  json: { type: 'string' },
  'legacy-maps': { type: 'boolean', default: false },
  capabilities: { type: 'string' },
  'source-root': { type: 'string', default: '.' },
  server: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** Where the budget is looked for unless it is named. */
const DEFAULT_BUDGET = 'bpf-budget.json';

const parse = (args: string[]) => orUsage(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));

/** The exit status: 0 all is well, 1 a rejection or a figure over budget, 2 could not be tried. */
export async function checkCommand(
  argv: string[],
  out: Pick<NodeJS.WriteStream, 'write'> = process.stdout,
): Promise<number> {
  const { values, positionals: files } = parse(argv);
  if (files.length === 0) throw new UsageError('check takes objects');
  const budgetFile = values.budget ?? DEFAULT_BUDGET;
  if (values.budget !== undefined && !values.update && !existsSync(budgetFile)) {
    throw new UsageError(`there is no ${budgetFile}; --update writes one`);
  }
  const budget = readBudget(budgetFile);
  const verdicts = await judgeAll(files, values, budget, budgetFile);
  if (values.update) writeBudget(budgetFile, updated(budget, verdicts));
  report(verdicts, values, out);
  // What was over has just become the budget.
  return verdicts.some((verdict) => failed(verdict) && !(values.update && verdict.state === 'over')) ? 1 : 0;
}

async function judgeAll(
  files: readonly string[],
  values: Values,
  budget: Budget,
  budgetFile: string,
): Promise<readonly Verdict[]> {
  const tolerance = Number(values.tolerance ?? budget.tolerance ?? 0);
  if (!(tolerance >= 0)) throw new UsageError('--tolerance is a percentage');
  const compile = compilerOf(values.server);
  const verdicts: Verdict[] = [];
  for (const file of files) {
    const name = relative(resolve(dirname(budgetFile)), resolve(file))
      .split(sep)
      .join('/');
    const object = readFileSync(file).toString('base64');
    for (const kernel of values.kernel ?? ['']) {
      const options = {
        logLevel: 1, // messages come from the log
        legacyMaps: values['legacy-maps'],
        ...(values.capabilities === undefined ? {} : { capabilities: capabilitiesFromNames(values.capabilities) }),
      };
      const answer = (await compile({ object, target: { kernel }, options })) as AnswerJson;
      verdicts.push(...judge(name, kernel, answer, budget, tolerance));
    }
  }
  return verdicts;
}

function report(verdicts: readonly Verdict[], values: Values, out: Pick<NodeJS.WriteStream, 'write'>): void {
  const table = markdown(verdicts);
  out.write(table);
  if (values.markdown !== undefined) writeFileSync(values.markdown, table);
  const summary = process.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (summary !== '') appendFileSync(summary, table);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ programs: verdicts }, null, 2)}\n`);
  if (values.sarif !== undefined) {
    writeFileSync(values.sarif, `${JSON.stringify(sarif(verdicts, values['source-root']), null, 2)}\n`);
  }
}
