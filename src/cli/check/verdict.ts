/** What is said of one program on one kernel: its verdict, its figures, and how they lie to the budget. */
import type { FailureJson, ProgramJson, StatsJson } from '../answer.js';
import { caveat } from '../caveat.js';
import type { Asked } from './ask.js';
import { FIGURES, type Budget, type Figure, type Figures, type ProgramBudget } from './budget.js';

export interface Overrun {
  readonly figure: Figure;
  readonly value: number;
  readonly budget: number;
}

export interface Verdict {
  /** As the command line names it. */
  readonly file: string;
  /** As the budget names it: relative to the budget's folder. */
  readonly object: string;
  readonly kernel: string;
  /** What is to be known of the kernel's answers (caveat.ts), or null. */
  readonly caveat: string | null;
  /** Empty where the object as a whole could not be loaded, or was not tried. */
  readonly program: string;
  readonly accepted: boolean;
  /** As bpf(2) answers; 0 where it was not asked. */
  readonly errno: number;
  /**
   * rejected, over, error: the check fails. error: there is no answer. expected: rejected, as the budget says. new: not in the
   * budget.
   */
  readonly state: 'ok' | 'new' | 'expected' | 'rejected' | 'over' | 'error';
  /** Of the verifier, also where it rejected; null where it was not reached. */
  readonly stats: StatsJson | null;
  /** What budgets hold, of accepted programs. */
  readonly figures: Figures | null;
  readonly budget: ProgramBudget | null;
  readonly overruns: readonly Overrun[];
  readonly failure: FailureJson | null;
  /** `file:line` of the rejection, or of the program's first line. */
  readonly source: string | null;
}

export const failed = ({ state }: Verdict): boolean => state === 'rejected' || state === 'over' || state === 'error';

const NOTHING = { program: '', accepted: false, errno: 0, stats: null, figures: null, budget: null, overruns: [] };

/** `object`: its name in the budget. `tolerance`: percent, over the budget's own. */
export function judge(asked: Asked, object: string, budget: Budget, tolerance: number): readonly Verdict[] {
  const { file, answer, error } = asked;
  const kernel = answer?.target?.name ?? asked.kernel;
  if (answer === null) {
    return [{ ...NOTHING, file, object, kernel, caveat: null, state: 'error', failure: error, source: null }];
  }
  const place = { file, object, kernel, caveat: caveat(answer) };
  const entries = budget.objects[object]?.[kernel] ?? {};
  const programs = answer.programs ?? [];
  if (programs.length === 0) {
    const failure = answer.failure ?? { stage: 'LOAD', code: 'NO_PROGRAMS', message: 'the object has no programs' };
    const errno = failure.errno ?? 0;
    return [{ ...place, ...NOTHING, errno, state: 'rejected', failure, source: failure.source ?? null }];
  }
  return programs.map((program) => judgeProgram(place, program, entries[program.name ?? ''] ?? null, tolerance));
}

function judgeProgram(
  place: Pick<Verdict, 'file' | 'object' | 'kernel' | 'caveat'>,
  program: ProgramJson,
  budget: ProgramBudget | null,
  tolerance: number,
): Verdict {
  const { accepted, errno } = program;
  const base = { ...place, program: program.name ?? '', accepted, errno, stats: program.stats ?? null, budget };
  if (!accepted) {
    const failure = program.failure ?? {};
    const state = budget?.rejected === true ? 'expected' : 'rejected';
    return { ...base, state, figures: null, overruns: [], failure, source: failure.source ?? null };
  }
  const figures = figuresOf(program);
  const overruns = FIGURES.flatMap((figure): Overrun[] => {
    const allowed = budget?.[figure];
    if (allowed === undefined || figures[figure] <= allowed * (1 + tolerance / 100)) return [];
    return [{ figure, value: figures[figure], budget: allowed }];
  });
  const state = overruns.length > 0 ? 'over' : budget === null ? 'new' : 'ok';
  return { ...base, state, figures, overruns, failure: null, source: firstLine(program) };
}

/** As one reads them: by file, then program in the object's order, then kernel. Answers come by file and kernel. */
export function inReadingOrder(verdicts: readonly Verdict[]): readonly Verdict[] {
  const places = new Map<string, number>();
  const placeOf = (name: string): number => {
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    return place;
  };
  const keyed = verdicts.map((verdict) => ({
    verdict,
    file: placeOf(`file\0${verdict.file}`),
    program: placeOf(`program\0${verdict.file}\0${verdict.program}`),
  }));
  return keyed.sort((a, b) => a.file - b.file || a.program - b.program).map(({ verdict }) => verdict);
}

const bytes = (base64: string | undefined): number => Buffer.byteLength(base64 ?? '', 'base64');

function figuresOf({ stats, translated, functions }: ProgramJson): Figures {
  return {
    processedInstructions: stats?.processedInstructions ?? 0,
    translatedInstructions: bytes(translated) / 8,
    codeSize: (functions ?? []).reduce((sum, { code }) => sum + bytes(code), 0),
    stackDepth: (stats?.stackDepths ?? []).reduce((sum, depth) => sum + depth, 0),
  };
}

function firstLine({ functions }: ProgramJson): string | null {
  const line = functions?.[0]?.lines?.find(({ file }) => file !== undefined);
  return line === undefined ? null : `${line.file!}:${line.line ?? 1}`;
}

/** The budget with what was found: accepted programs anew, expected rejections kept, everything else of these objects gone. */
export function updated(budget: Budget, verdicts: readonly Verdict[]): Budget {
  const objects: Record<string, Record<string, Record<string, ProgramBudget>>> = structuredClone(
    budget.objects,
  ) as never;
  for (const { object, kernel, state } of verdicts) if (state !== 'error') (objects[object] ??= {})[kernel] = {};
  for (const { object, kernel, program, state, figures } of verdicts) {
    if (figures !== null) objects[object]![kernel]![program] = figures;
    else if (state === 'expected') objects[object]![kernel]![program] = { rejected: true };
  }
  return { ...budget, objects };
}
