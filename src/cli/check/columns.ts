/**
 * The columns of results, by the names that veristat (Linux's tools/testing/selftests/bpf, 6.12; the sizes: 6.13 and later) gives
 * them, so that a team's tables, filters and scripts go on working. What veristat cannot know has names in the same style.
 */
import type { Verdict } from './verdict.js';

export interface Column {
  /** The first is the heading in a CSV file. */
  readonly names: readonly [string, ...string[]];
  readonly heading: string;
  readonly kind: 'key' | 'text' | 'verdict' | 'number';
  readonly value: (verdict: Verdict) => string | number;
}

/** A result: what its columns hold, by their first names. What is not known is not there. */
export type Row = Readonly<Record<string, string | number>>;

type Names = Column['names'];
const key = (heading: string, names: Names, value: (v: Verdict) => string): Column => ({
  ...{ names, heading, kind: 'key', value },
});
const text = (heading: string, names: Names, value: (v: Verdict) => string): Column => ({
  ...{ names, heading, kind: 'text', value },
});
const number = (heading: string, names: Names, value: (v: Verdict) => number | undefined): Column => ({
  ...{ names, heading, kind: 'number', value: (v) => value(v) ?? 0 },
});

export const FILE = key('File', ['file_name', 'filename', 'file'], ({ file }) => file.slice(file.lastIndexOf('/') + 1));
export const PROGRAM = key('Program', ['prog_name', 'progname', 'prog'], ({ program }) => program);
export const KERNEL = key('Kernel', ['kernel'], ({ kernel }) => kernel);
export const SUCCESS = 'success';

export const COLUMNS: readonly Column[] = [
  FILE,
  PROGRAM,
  KERNEL,
  {
    ...{ names: ['verdict'], heading: 'Verdict', kind: 'verdict' },
    value: ({ accepted }) => (accepted ? SUCCESS : 'failure'),
  },
  // An answer depends on its request alone, so it holds no time; veristat's files have the column.
  number('Duration (us)', ['duration', 'dur'], () => 0),
  number('Insns', ['total_insns', 'insns'], ({ stats }) => stats?.processedInstructions),
  number('States', ['total_states', 'states'], ({ stats }) => stats?.totalStates),
  number('Peak states', ['peak_states'], ({ stats }) => stats?.peakStates),
  number('Max states per insn', ['max_states_per_insn'], ({ stats }) => stats?.maxStatesPerInstruction),
  number('Max mark read length', ['max_mark_read_len', 'mark_read'], ({ stats }) => stats?.markRead),
  number('Program size', ['prog_size'], ({ figures }) => figures?.translatedInstructions),
  number('Jited size', ['prog_size_jited'], ({ figures }) => figures?.codeSize),
  number('Stack depth', ['stack_depth', 'stack'], ({ figures }) => figures?.stackDepth),
  number('Errno', ['errno'], ({ errno }) => errno),
  text('Code', ['code'], ({ failure }) => failure?.code ?? ''),
  text('Message', ['message'], ({ failure }) => failure?.message ?? ''),
];

/** Sets of columns that `--columns` takes by name. */
const PRESETS: Readonly<Record<string, readonly string[]>> = {
  default: ['file', 'prog', 'kernel', 'verdict', 'insns', 'states', 'prog_size', 'prog_size_jited', 'stack'],
  // veristat's own table and CSV file.
  veristat: ['file', 'prog', 'verdict', 'duration', 'insns', 'states', 'peak_states'],
  'veristat-csv': [
    ...['file', 'prog', 'verdict', 'duration', 'insns', 'states', 'peak_states'],
    ...['max_states_per_insn', 'mark_read'],
  ],
  size: ['file', 'prog', 'kernel', 'prog_size', 'prog_size_jited', 'stack'],
  why: ['file', 'prog', 'kernel', 'verdict', 'errno', 'code', 'message'],
};

/** Null where no column is called so. */
export function columnOf(name: string): Column | null {
  return COLUMNS.find(({ names }) => names.includes(name)) ?? null;
}

/** Columns of `file,prog,insns` or of a preset. Throws an Error that names what is not known, and what is. */
export function columnsOf(spec: string): readonly Column[] {
  return (PRESETS[spec] ?? spec.split(',')).map((name) => {
    const column = columnOf(name.trim());
    if (column !== null) return column;
    const known = COLUMNS.map(({ names }) => names[0]).join(', ');
    throw new Error(
      `no column is called ${name.trim()}: there are ${known}; presets: ${Object.keys(PRESETS).join(', ')}`,
    );
  });
}

export function rowOf(verdict: Verdict): Row {
  return Object.fromEntries(COLUMNS.map(({ names, value }) => [names[0], value(verdict)]));
}
