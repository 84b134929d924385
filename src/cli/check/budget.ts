/**
 * The budget file, JSON that people read in reviews:
 *
 *     { "tolerance": 2,
 *       "objects": { "build/prog.o": { "linux-6.12-arm64": {
 *         "xdp_main": { "processedInstructions": 36, "translatedInstructions": 41, "codeSize": 264, "stackDepth": 8 },
 *         "newer": { "rejected": true } } } } }
 *
 * Paths are relative to the file. `tolerance` is percent; a figure that is not there is not held. `rejected` says that this
 * kernel is known to reject the program: people write it, `--update` leaves it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Per program: instructions that the verifier processed and that the kernel runs, bytes of code and of stack. */
export const FIGURES = ['processedInstructions', 'translatedInstructions', 'codeSize', 'stackDepth'] as const;
export type Figure = (typeof FIGURES)[number];
export type Figures = Readonly<Record<Figure, number>>;

export type ProgramBudget = Readonly<Partial<Figures>> & { readonly rejected?: boolean };
type Level<T> = Readonly<Record<string, T>>;

export interface Budget {
  /** Percent. */
  readonly tolerance?: number;
  /** Object → kernel → program. */
  readonly objects: Level<Level<Level<ProgramBudget>>>;
}

const ENTRY = new Set<string>([...FIGURES, 'rejected']);

/** An empty one where there is no file. Throws an Error that names the place where it is not a budget. */
export function readBudget(file: string): Budget {
  if (!existsSync(file)) return { objects: {} };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const { objects, tolerance, ...others } = level(json, file);
  const [unknown] = Object.keys(others).filter((name) => name !== '$schema');
  if (unknown !== undefined) throw new Error(`${file}: ${unknown}: unknown member`);
  if (tolerance !== undefined) notNegative(tolerance, `${file}: tolerance`);
  for (const [object, kernels] of Object.entries(level(objects, `${file}: objects`))) {
    for (const [kernel, programs] of Object.entries(level(kernels, `${file}: objects["${object}"]`))) {
      const at = `${file}: objects["${object}"]["${kernel}"]`;
      for (const [program, entry] of Object.entries(level(programs, at))) checkEntry(entry, `${at}["${program}"]`);
    }
  }
  return json as Budget;
}

function checkEntry(entry: unknown, at: string): void {
  for (const [name, value] of Object.entries(level(entry, at))) {
    if (!ENTRY.has(name)) throw new Error(`${at}.${name}: unknown member`);
    if (name !== 'rejected') notNegative(value, `${at}.${name}`);
    else if (typeof value !== 'boolean') throw new Error(`${at}.rejected: expected true or false`);
  }
}

function level(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${at}: expected an object`);
}

function notNegative(value: unknown, at: string): void {
  if (typeof value !== 'number' || !(value >= 0)) throw new Error(`${at}: expected a number that is not negative`);
}

export function writeBudget(file: string, budget: Budget): void {
  writeFileSync(file, `${JSON.stringify(budget, null, 2)}\n`);
}
