/** What is said of one program on one kernel: its verdict, its figures, and how they lie to the budget. */
import type { AnswerJson, FailureJson, ProgramJson } from '../answer.js';
import { caveat } from '../caveat.js';
import { FIGURES, type Budget, type Figure, type Figures, type ProgramBudget } from './budget.js';

export interface Overrun {
  readonly figure: Figure;
  readonly value: number;
  readonly budget: number;
}

export interface Verdict {
  /** As the budget names it: relative to the budget's folder. */
  readonly object: string;
  readonly kernel: string;
  /** What is to be known of the kernel's answers (caveat.ts), or null. */
  readonly caveat: string | null;
  /** Empty where the object as a whole could not be loaded. */
  readonly program: string;
  /**
   * rejected, over: the check fails. expected: rejected, as the budget says. new: not in the budget.
   */
  readonly state: 'ok' | 'new' | 'expected' | 'rejected' | 'over';
  readonly figures: Figures | null;
  readonly budget: ProgramBudget | null;
  readonly overruns: readonly Overrun[];
  readonly failure: FailureJson | null;
  /** `file:line` of the rejection, or of the program's first line. */
  readonly source: string | null;
}

export const failed = ({ state }: Verdict): boolean => state === 'rejected' || state === 'over';

/** `tolerance`: percent, over the budget's own. */
export function judge(
  object: string,
  asked: string,
  answer: AnswerJson,
  budget: Budget,
  tolerance: number,
): readonly Verdict[] {
  const kernel = answer.target?.name ?? asked;
  const place = { object, kernel, caveat: caveat(answer) };
  const entries = budget.objects[object]?.[kernel] ?? {};
  const programs = answer.programs ?? [];
  if (programs.length === 0) {
    const failure = answer.failure ?? { stage: 'LOAD', code: 'NO_PROGRAMS', message: 'the object has no programs' };
    const nothing = { figures: null, budget: null, overruns: [] };
    return [{ ...place, ...nothing, program: '', state: 'rejected', failure, source: failure.source ?? null }];
  }
  return programs.map((program) => judgeProgram(place, program, entries[program.name ?? ''] ?? null, tolerance));
}

function judgeProgram(
  place: Pick<Verdict, 'object' | 'kernel' | 'caveat'>,
  program: ProgramJson,
  budget: ProgramBudget | null,
  tolerance: number,
): Verdict {
  const base = { ...place, program: program.name ?? '', budget };
  if (!program.accepted) {
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
  for (const { object, kernel } of verdicts) (objects[object] ??= {})[kernel] = {};
  for (const { object, kernel, program, state, figures } of verdicts) {
    if (figures !== null) objects[object]![kernel]![program] = figures;
    else if (state === 'expected') objects[object]![kernel]![program] = { rejected: true };
  }
  return { ...budget, objects };
}
