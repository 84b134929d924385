/** The check as a table for people: a pull request's summary. */
import { basename } from 'node:path';
import { failureText } from '../text.js';
import { failed, type Verdict } from './verdict.js';
import { FIGURES, type Figure } from './budget.js';

const HEADINGS: Readonly<Record<Figure, string>> = {
  processedInstructions: 'processed',
  translatedInstructions: 'translated',
  codeSize: 'code bytes',
  stackDepth: 'stack bytes',
};
const MARKS: Readonly<Record<Verdict['state'], string>> = {
  ok: '✅ accepted',
  new: '🆕 accepted, not in the budget',
  expected: '☑️ rejected, as expected',
  rejected: '❌ rejected',
  over: '📈 over budget',
};

export function markdown(verdicts: readonly Verdict[]): string {
  const wrong = verdicts.filter(failed).length;
  const heading = wrong === 0 ? `BPF: ${verdicts.length} within budget` : `BPF: ${wrong} of ${verdicts.length} fail`;
  const rows = verdicts.map((verdict) => {
    const cells = FIGURES.map((figure) => cell(verdict, figure));
    const name = `${basename(verdict.object)}${verdict.program === '' ? '' : ` ${verdict.program}`}`;
    return `| ${[code(name), verdict.kernel, MARKS[verdict.state], ...cells].join(' | ')} |`;
  });
  const why = verdicts.filter(({ failure }) => failure !== null).map(reason);
  const caveats = new Set(verdicts.flatMap(({ caveat }) => (caveat === null ? [] : [`- ${escape(caveat)}`])));
  const notes = [...why, ...caveats];
  return `### ${heading}

| program | kernel | verdict | ${FIGURES.map((figure) => HEADINGS[figure]).join(' | ')} |
|---|---|---|${'---:|'.repeat(FIGURES.length)}
${rows.join('\n')}
${notes.length === 0 ? '' : `\n${notes.join('\n')}\n`}`;
}

/** `41 (+3)`: of the budget; bold where it is too much. */
function cell({ figures, budget, overruns }: Verdict, figure: Figure): string {
  if (figures === null) return '';
  const value = figures[figure];
  const allowed = budget?.[figure];
  if (allowed === undefined || allowed === value) return String(value);
  const text = `${value} (${value > allowed ? '+' : ''}${value - allowed})`;
  return overruns.some((overrun) => overrun.figure === figure) ? `**${text}**` : text;
}

function reason({ object, program, kernel, failure }: Verdict): string {
  return `- ${code(`${basename(object)} ${program}`.trim())} on ${kernel}: ${escape(failureText(failure!))}`;
}

/** Names and messages come from objects: nothing in them may be Markdown. */
const escape = (text: string): string => text.replace(/[\\`*_[\]<>|&#]/g, '\\$&').replace(/\s+/g, ' ');
const code = (text: string): string => `\`${text.replace(/[`|\s]+/g, ' ')}\``;
