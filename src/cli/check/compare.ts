/** Results beside a base of results: which belong together, and the columns that show both. */
import { FILE, KERNEL, PROGRAM, type Column, type Row } from './columns.js';
import { asNumber, keyOf, percent, type Pair } from './statistic.js';

/** Joins by file, program and, where the base tells kernels apart, kernel. What one side lacks stands alone. */
export function join(base: readonly Row[], now: readonly Row[]): readonly Pair[] {
  const keys = [FILE, PROGRAM, ...(base.some((row) => KERNEL.names[0] in row) ? [KERNEL] : [])];
  const nameOf = (row: Row): string => keys.map(({ names }) => row[names[0]] ?? '').join('\0');
  const left = new Map(base.map((row) => [nameOf(row), row]));
  const found = new Set<string>();
  const pairs = now.map((row): Pair => {
    const name = nameOf(row);
    found.add(name);
    return { base: left.get(name) ?? null, now: row };
  });
  const gone = [...left].filter(([name]) => !found.has(name)).map(([, row]): Pair => ({ base: row, now: null }));
  return [...pairs, ...gone];
}

/** Headings of a comparison: each column but the keys three times, with these suffixes. */
export function headings(columns: readonly Column[], suffixes: readonly string[], of: (c: Column) => string): string[] {
  return columns.flatMap((column) => {
    return column.kind === 'key' ? [of(column)] : suffixes.map((suffix) => of(column) + suffix);
  });
}

export function cells(columns: readonly Column[], pair: Pair): (string | number)[] {
  return columns.flatMap((column) => (column.kind === 'key' ? [keyOf(column, pair)] : sides(column, pair)));
}

const MISSING = 'N/A';

/** Base, now, and how they differ: `+12 (+3.40%)`, MATCH or MISMATCH. */
function sides(column: Column, { base, now }: Pair): (string | number)[] {
  const [name] = column.names;
  const [a, b] = [base?.[name] ?? MISSING, now?.[name] ?? MISSING];
  if (a === MISSING || b === MISSING) return [a, b, MISSING];
  if (column.kind !== 'number') return [a, b, a === b ? 'MATCH' : 'MISMATCH'];
  const [x, y] = [asNumber(column, base!), asNumber(column, now!)];
  return [a, b, `${signed(y - x, 0)} (${signed(percent(x, y), 2)}%)`];
}

const signed = (value: number, digits: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(digits)}`;
