/**
 * Expressions over results, as veristat has them: `insns`, `|insns_diff|`, `insns_pct`. Where results are compared, `_a` is the
 * base's value, `_b` (or nothing) what was found now, `_diff` how far it lies above, `_pct` the same in percent.
 */
import { columnOf, FILE, KERNEL, PROGRAM, SUCCESS, type Column, type Row } from './columns.js';

/** One program's results: the base's, where there is a base, and today's. */
export interface Pair {
  readonly base: Row | null;
  readonly now: Row | null;
}

type Variant = 'a' | 'b' | 'diff' | 'pct';

export interface Statistic {
  readonly column: Column;
  readonly variant: Variant;
  /** Signs do not count. */
  readonly absolute: boolean;
}

/** Null where no column is called so. */
export function parseStatistic(expression: string): Statistic | null {
  const inner = /^\|(.+)\|$/.exec(expression)?.[1];
  const name = inner ?? expression;
  const [, stem = name, variant = 'b'] = columnOf(name) === null ? (/^(.+)_(a|b|diff|pct)$/.exec(name) ?? []) : [];
  const column = columnOf(stem);
  return column === null ? null : { column, variant: variant as Variant, absolute: inner !== undefined };
}

/** A number where the column counts (a verdict: 1 for success; compared: 1 for alike), -Infinity where a side is missing. */
export function valueOf({ column, variant, absolute }: Statistic, pair: Pair): string | number {
  if (column.kind === 'key' || column.kind === 'text') return keyOf(column, pair);
  const value = numberOf(column, variant, pair);
  return absolute ? Math.abs(value) : value;
}

function numberOf(column: Column, variant: Variant, { base, now }: Pair): number {
  const a = base === null ? null : asNumber(column, base);
  const b = now === null ? null : asNumber(column, now);
  if (variant === 'a') return a ?? -Infinity;
  if (variant === 'b') return b ?? -Infinity;
  if (a === null || b === null) return -Infinity;
  if (variant === 'diff') return column.kind === 'verdict' ? Number(a === b) : b - a;
  return percent(a, b);
}

/** Growth from `a` to `b`; from nothing to something counts as all of it. */
export function percent(a: number, b: number): number {
  if (a !== 0) return ((b - a) * 100) / a;
  return b === 0 ? 0 : b < 0 ? -100 : 100;
}

export function asNumber(column: Column, row: Row): number {
  const value = row[column.names[0]] ?? 0;
  return column.kind === 'verdict' ? Number(value === SUCCESS) : Number(value);
}

/** The text of a column that both sides share. */
export function keyOf({ names }: Column, { base, now }: Pair): string {
  return String((now ?? base)?.[names[0]] ?? '');
}

/** Sorts by `insns^,file`: `^` puts the least first, `v` the most; keys begin with the least, figures with the most. Throws an Error. */
export function sorter(spec: string): (a: Pair, b: Pair) => number {
  const orders = spec.split(',').map((part) => {
    const [, name = '', order] = /^(.*?)([\^vV.!_]?)$/.exec(part.trim()) ?? [];
    const whole = parseStatistic(part.trim());
    const statistic = whole ?? parseStatistic(name);
    if (statistic === null) throw new Error(`--sort: no column is called ${part.trim()}`);
    const ascends = whole === null ? order === '^' : statistic.column.kind !== 'number';
    return { statistic, sign: ascends ? 1 : -1 };
  });
  for (const column of [FILE, PROGRAM, KERNEL]) {
    orders.push({ statistic: { column, variant: 'b', absolute: false }, sign: 1 });
  }
  return (a, b) => {
    for (const { statistic, sign } of orders) {
      const x = valueOf(statistic, a);
      const y = valueOf(statistic, b);
      if (x !== y) return x < y ? -sign : sign;
    }
    return 0;
  };
}
