/** The forms in which the check's results are written, by the names of its options. */
import { columnsOf, rowOf, type Column } from './columns.js';
import { cells, headings, join } from './compare.js';
import { csv, type Table } from './csv.js';
import { passes, type Filter } from './filter.js';
import { html } from './html.js';
import { junit } from './junit.js';
import { markdown } from './markdown.js';
import { cellText, difference, matrixOf } from './matrix.js';
import { reasons } from './reasons.js';
import { sarif } from './sarif.js';
import { keyOf, sorter, type Pair } from './statistic.js';
import { textTable } from './table.js';
import { failed, type Verdict } from './verdict.js';

export interface Selection {
  readonly filters: readonly Filter[];
  /** veristat's notation; null: in reading order. */
  readonly sort: string | null;
  /** Columns of tables and CSV; null: those that fit the form. */
  readonly columns: string | null;
  /** At most so many rows. */
  readonly top: number;
  /** What today's results are compared with. */
  readonly base: Table | null;
}

export interface Found {
  readonly verdicts: readonly Verdict[];
  /** The same, each with its base, filtered and sorted: what tables show. */
  readonly pairs: readonly Pair[];
  readonly selection: Selection;
  /** Where the sources' own paths begin. */
  readonly sourceRoot: string;
}

/** Filters, sorts and pairs. Throws an Error for a sort or a column that is not known. */
export function select(verdicts: readonly Verdict[], selection: Selection, sourceRoot: string): Found {
  const { filters, sort, base, top } = selection;
  const byRow = new Map(verdicts.map((verdict) => [rowOf(verdict), verdict]));
  const all = join(base?.rows ?? [], [...byRow.keys()]);
  const pairs = all.filter((pair) => passes(filters, pair));
  if (sort !== null) pairs.sort(sorter(sort));
  const shown = pairs.slice(0, top);
  const kept = shown.flatMap(({ now }) => (now === null ? [] : [byRow.get(now)!]));
  return { verdicts: kept, pairs: shown, selection, sourceRoot };
}

export const FORMATS = {
  text: textReport,
  csv: csvReport,
  json: ({ verdicts }: Found): string => `${JSON.stringify({ programs: verdicts }, null, 2)}\n`,
  markdown: ({ verdicts }: Found): string => markdown(verdicts),
  html: ({ verdicts }: Found): string => html(matrixOf(verdicts)),
  junit: ({ verdicts }: Found): string => junit(verdicts),
  sarif: ({ verdicts, sourceRoot }: Found): string => `${JSON.stringify(sarif(verdicts, sourceRoot), null, 2)}\n`,
} as const satisfies Record<string, (found: Found) => string>;
export type Format = keyof typeof FORMATS;

function csvReport({ pairs, selection: { columns, base }, verdicts }: Found): string {
  const shown = columnsOf(columns ?? 'veristat-csv');
  // The file of one kernel is veristat's own; several must be told apart.
  const several = columns === null && new Set(verdicts.map(({ kernel }) => kernel)).size > 1;
  const all = several ? [...shown, ...columnsOf('kernel')] : shown;
  const names = (column: Column): string => column.names[0];
  if (base === null) return csv([all.map(names), ...pairs.map((pair) => plain(all, pair))]);
  return csv([headings(all, ['_base', '_comp', '_diff'], names), ...pairs.map((pair) => cells(all, pair))]);
}

const plain = (columns: readonly Column[], pair: Pair): (string | number)[] =>
  columns.map((column) => (column.kind === 'key' ? keyOf(column, pair) : (pair.now?.[column.names[0]] ?? '')));

function textReport(found: Found): string {
  const { verdicts } = found;
  const why = reasons(verdicts).map(
    ({ file, program, kernels, text }) => `${`${file} ${program}`.trim()} on ${kernels.join(', ')}: ${text}\n`,
  );
  const over = verdicts.flatMap(({ file, program, kernel, overruns }) =>
    overruns.map(
      (one) => `${file} ${program} on ${kernel}: over budget, ${one.figure} is ${one.value} of ${one.budget}\n`,
    ),
  );
  const caveats = [...new Set(verdicts.flatMap(({ caveat }) => (caveat === null ? [] : [`${caveat}\n`])))];
  const notes = [...differences(verdicts), ...why, ...over, ...caveats].join('');
  const wrong = verdicts.filter(failed).length;
  const sum = `${verdicts.length - wrong} passed, ${wrong} failed\n`;
  return [tableOf(found), notes, sum].filter((part) => part !== '').join('\n');
}

function tableOf({ verdicts, pairs, selection: { columns, base } }: Found): string {
  const matrix = matrixOf(verdicts);
  const heading = (column: Column): string => column.heading;
  if (base !== null) {
    const shown = columnsOf(columns ?? 'file,prog,verdict,insns,states');
    const lines = pairs.map((pair) => cells(shown, pair));
    return textTable(headings(shown, [' (A)', ' (B)', ' (DIFF)'], heading), lines);
  }
  if (columns === null && matrix.kernels.length > 1) {
    const lines = matrix.lines.map(({ file, program, cells: line }) => [file, program, ...line.map(cellText)]);
    return textTable(['File', 'Program', ...matrix.kernels], lines);
  }
  const shown = columnsOf(columns ?? 'default');
  return textTable(
    shown.map(heading),
    pairs.map((pair) => plain(shown, pair)),
  );
}

function differences(verdicts: readonly Verdict[]): string[] {
  return matrixOf(verdicts).lines.flatMap((line) => {
    const said = difference(line);
    return said === null ? [] : [`${line.file} ${line.program} ${said}\n`];
  });
}
