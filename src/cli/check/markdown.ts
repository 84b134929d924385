/** The check as tables for people: a pull request's summary. */
import { basename } from 'node:path';
import { FIGURES, type Figure } from './budget.js';
import { cellText, difference, matrixOf, type Matrix } from './matrix.js';
import { reasons, type Reason } from './reasons.js';
import { failed, type Verdict } from './verdict.js';

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
  error: '⚠️ not tried',
};

/** One kernel: a line a program with its figures. Several: programs by kernels, and what differs. */
export function markdown(verdicts: readonly Verdict[]): string {
  const wrong = verdicts.filter(failed).length;
  const heading = wrong === 0 ? `BPF: ${verdicts.length} within budget` : `BPF: ${wrong} of ${verdicts.length} fail`;
  const matrix = matrixOf(verdicts);
  const table = matrix.kernels.length > 1 ? matrixTable(matrix) : figureTable(verdicts);
  const differences = matrix.lines.flatMap((line) => {
    const said = difference(line);
    return said === null ? [] : [`- ${code(`${basename(line.file)} ${line.program}`.trim())} ${escape(said)}`];
  });
  const why = reasons(verdicts).map(reasonText);
  const over = verdicts.filter(({ overruns }) => overruns.length > 0).map(overrun);
  const caveats = new Set(verdicts.flatMap(({ caveat }) => (caveat === null ? [] : [`- ${escape(caveat)}`])));
  const notes = [...differences, ...why, ...over, ...caveats];
  return `### ${heading}\n\n${table}${notes.length === 0 ? '' : `\n${notes.join('\n')}\n`}`;
}

function figureTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const cells = FIGURES.map((figure) => cell(verdict, figure));
    return `| ${[nameOf(verdict), verdict.kernel, MARKS[verdict.state], ...cells].join(' | ')} |\n`;
  });
  return `| program | kernel | verdict | ${FIGURES.map((figure) => HEADINGS[figure]).join(' | ')} |
|---|---|---|${'---:|'.repeat(FIGURES.length)}
${rows.join('')}`;
}

function matrixTable({ kernels, lines }: Matrix): string {
  const rows = lines.map(({ file, program, cells }) => {
    const name = code(`${basename(file)} ${program}`.trim());
    const marks = cells.map((one) => (one === null ? '–' : `${MARKS[one.state].split(' ')[0]!} ${cellText(one)}`));
    return `| ${[name, ...marks].join(' | ')} |\n`;
  });
  return `| program | ${kernels.join(' | ')} |\n|---|${'---|'.repeat(kernels.length)}\n${rows.join('')}`;
}

/** `41 (+3)`: of the budget; bold where it is too much. */
function cell({ figures, stats, budget, overruns }: Verdict, figure: Figure): string {
  if (figures === null) return figure === 'processedInstructions' ? String(stats?.processedInstructions ?? '') : '';
  const value = figures[figure];
  const allowed = budget?.[figure];
  if (allowed === undefined || allowed === value) return String(value);
  const text = `${value} (${value > allowed ? '+' : ''}${value - allowed})`;
  return overruns.some((one) => one.figure === figure) ? `**${text}**` : text;
}

function reasonText({ file, program, kernels, text }: Reason): string {
  return `- ${code(`${basename(file)} ${program}`.trim())} on ${kernels.join(', ')}: ${escape(text)}`;
}

function overrun(verdict: Verdict): string {
  const said = verdict.overruns.map(({ figure, value, budget }) => `${HEADINGS[figure]} ${value}, budget ${budget}`);
  return `- ${nameOf(verdict)} on ${verdict.kernel}: ${said.join('; ')}`;
}

const nameOf = ({ file, program }: Verdict): string => code(`${basename(file)} ${program}`.trim());

/** Names and messages come from objects: nothing in them may be Markdown. */
const escape = (text: string): string => text.replace(/[\\`*_[\]<>|&#]/g, '\\$&').replace(/\s+/g, ' ');
const code = (text: string): string => `\`${text.replace(/[`|\s]+/g, ' ')}\``;
