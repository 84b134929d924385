/** Programs down, kernels across: whether each loads on each, at a glance. */
import type { Verdict } from './verdict.js';

export interface Matrix {
  readonly kernels: readonly string[];
  readonly lines: readonly MatrixLine[];
}

export interface MatrixLine {
  readonly file: string;
  readonly program: string;
  /** By kernel; null where that kernel has no such program. */
  readonly cells: readonly (Verdict | null)[];
}

/** In the order of the verdicts. */
export function matrixOf(verdicts: readonly Verdict[]): Matrix {
  const kernels = [...new Set(verdicts.map(({ kernel }) => kernel))];
  const lines = new Map<string, { file: string; program: string; cells: (Verdict | null)[] }>();
  for (const verdict of verdicts) {
    const { file, program, kernel } = verdict;
    const name = `${file}\0${program}`;
    let line = lines.get(name);
    if (line === undefined) lines.set(name, (line = { file, program, cells: kernels.map(() => null) }));
    line.cells[kernels.indexOf(kernel)] = verdict;
  }
  return { kernels, lines: [...lines.values()] };
}

const WORDS: Readonly<Record<Verdict['state'], string>> = {
  ok: 'ok',
  new: 'ok',
  expected: 'rejected, as expected',
  rejected: 'rejected',
  over: 'over budget',
  error: 'not tried',
};

/** `ok 1234` with the instructions processed, `rejected -13`, `over budget 1300`. */
export function cellText(verdict: Verdict | null): string {
  if (verdict === null) return '-';
  const { state, stats, errno } = verdict;
  const word = WORDS[state];
  if (state === 'error') return word;
  if (state === 'rejected' || state === 'expected') return errno === 0 ? word : `${word} ${errno}`;
  return stats === null ? word : `${word} ${stats.processedInstructions ?? 0}`;
}

/** What the kernels say differently of one program, in a sentence; null where they agree. */
export function difference({ cells }: MatrixLine): string | null {
  const there = cells.filter((cell) => cell !== null);
  const rejected = there.filter(({ accepted }) => !accepted);
  if (rejected.length === 0 || rejected.length === there.length) return null;
  return `loads on ${there.length - rejected.length} of ${there.length} kernels, not on ${rejected.map(({ kernel }) => kernel).join(', ')}`;
}
