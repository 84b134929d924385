/**
 * Filters as veristat has them: `GLOB` (a file's or a program's name), `FILE/PROG`, `insns>1000`, `verdict=failure`; `!` in front
 * takes out what fits; `@FILE` holds one a line, with `#` for comments.
 */
import { readFileSync } from 'node:fs';
import picomatch from 'picomatch';
import { FILE, PROGRAM } from './columns.js';
import { keyOf, parseStatistic, valueOf, type Pair } from './statistic.js';

type Test = (pair: Pair) => boolean;
export interface Filter {
  readonly denies: boolean;
  /** Of names, or of figures: filters of one kind are alternatives, both kinds must hold. */
  readonly kind: 'name' | 'figure';
  readonly test: Test;
}

const EPSILON = 1e-9;
/** In the order in which they are looked for: none may stand inside of an earlier one. */
const OPERATORS: readonly (readonly [string, (difference: number) => boolean])[] = [
  ['==', (d) => Math.abs(d) < EPSILON],
  ['!=', (d) => Math.abs(d) >= EPSILON],
  ['<>', (d) => Math.abs(d) >= EPSILON],
  ['<=', (d) => d <= EPSILON],
  ['<', (d) => d < -EPSILON],
  ['>=', (d) => d >= -EPSILON],
  ['>', (d) => d > EPSILON],
  ['=', (d) => Math.abs(d) < EPSILON],
];
const YES = /^(?:true|t|success|succ|s|match|m)$/i;
const NO = /^(?:false|f|failure|fail|mismatch|mis)$/i;

/** Throws an Error that quotes what cannot be understood. */
export function filters(expressions: readonly string[]): readonly Filter[] {
  return expressions.flatMap((expression) => {
    if (!expression.startsWith('@')) return [filter(expression)];
    const lines = readFileSync(expression.slice(1), 'utf8').split('\n');
    return lines
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(filter);
  });
}

/** Whether a result is to be shown: nothing denies it, and of each kind that allows, one fits. */
export function passes(all: readonly Filter[], pair: Pair): boolean {
  if (all.some(({ denies, test }) => denies && test(pair))) return false;
  return (['name', 'figure'] as const).every((kind) => {
    const allowing = all.filter((one) => one.kind === kind && !one.denies);
    return allowing.length === 0 || allowing.some(({ test }) => test(pair));
  });
}

function filter(expression: string): Filter {
  const denies = expression.startsWith('!');
  const plain = denies ? expression.slice(1) : expression;
  const figure = figureTest(plain);
  return { denies, kind: figure === null ? 'name' : 'figure', test: figure ?? nameTest(plain) };
}

/** Null where the expression compares nothing. Throws an Error for a column or value that makes no sense. */
export function figureTest(expression: string): Test | null {
  const found = OPERATORS.find(([sign]) => expression.includes(sign));
  if (found === undefined) return null;
  const [sign, holds] = found;
  const at = expression.indexOf(sign);
  const statistic = parseStatistic(expression.slice(0, at).trim());
  const value = expression.slice(at + sign.length).trim();
  if (statistic === null || (statistic.column.kind !== 'number' && statistic.column.kind !== 'verdict')) {
    throw new Error(`${expression}: ${expression.slice(0, at).trim()} is no figure`);
  }
  const wanted = YES.test(value) ? 1 : NO.test(value) ? 0 : Number(value.replace(/%$/, ''));
  if (value === '' || Number.isNaN(wanted)) throw new Error(`${expression}: ${value} is no number`);
  return (pair) => holds(Number(valueOf(statistic, pair)) - wanted);
}

function nameTest(expression: string): Test {
  const slash = expression.indexOf('/');
  const [file, program] =
    slash < 0 ? [expression, expression] : [expression.slice(0, slash), expression.slice(slash + 1)];
  if (file === '' && program === '') throw new Error(`--filter: ${expression} names nothing`);
  const fits = (glob: string): ((name: string) => boolean) => (glob === '' ? () => true : picomatch(glob));
  const [fitsFile, fitsProgram] = [fits(file), fits(program)];
  return slash < 0
    ? (pair) => fitsFile(keyOf(FILE, pair)) || fitsProgram(keyOf(PROGRAM, pair))
    : (pair) => fitsFile(keyOf(FILE, pair)) && fitsProgram(keyOf(PROGRAM, pair));
}
