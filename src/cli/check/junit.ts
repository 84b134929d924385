/** The check as JUnit XML, which CI systems show as tests: a suite an object and kernel, a test a program. */
import { failureText } from '../text.js';
import { failed, type Verdict } from './verdict.js';

export function junit(verdicts: readonly Verdict[]): string {
  const suites = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const name = `${verdict.object} on ${verdict.kernel}`;
    const suite = suites.get(name);
    if (suite === undefined) suites.set(name, [verdict]);
    else suite.push(verdict);
  }
  const body = [...suites].map(([name, cases]) => {
    return `  <testsuite ${attributes({ name, ...counts(cases) })}>\n${cases.map(testCase).join('')}  </testsuite>\n`;
  });
  const head = attributes({ name: 'bpf-jitd check', ...counts(verdicts) });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${head}>\n${body.join('')}</testsuites>\n`;
}

function counts(verdicts: readonly Verdict[]): Record<string, number> {
  const errors = verdicts.filter(({ state }) => state === 'error').length;
  return { tests: verdicts.length, failures: verdicts.filter(failed).length - errors, errors };
}

function testCase(verdict: Verdict): string {
  const { program, object, kernel, failure, overruns, state, source } = verdict;
  const [, file, line] = /^(.*):(\d+)$/.exec(source ?? '') ?? [];
  const place = file === undefined ? {} : { file, line: line! };
  const head = `    <testcase ${attributes({ name: program || object, classname: `${object}.${kernel}`, ...place })}`;
  const over = overruns.map(({ figure, value, budget }) => `${figure} is ${value}, over its budget of ${budget}`);
  const message = failure === null ? over.join('; ') : failureText(failure);
  if (state === 'expected') return `${head}>\n      <skipped ${attributes({ message })}/>\n    </testcase>\n`;
  if (!failed(verdict)) return `${head}/>\n`;
  const tag = state === 'error' ? 'error' : 'failure';
  const type = failure?.code ?? 'OVER_BUDGET';
  return `${head}>\n      <${tag} ${attributes({ type, message })}/>\n    </testcase>\n`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escape(String(value))}"`)
    .join(' ');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Names and messages come from objects: what XML 1.0 cannot hold becomes U+FFFD. */
export function escape(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]/g, '\ufffd').replace(/[&<>"\n]/g, (c) => ENTITIES[c]!);
}
