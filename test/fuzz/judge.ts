/** Generated programs, and what we say of them: errno and the whole log at level 2. */
import { createHash } from 'node:crypto';
import type { Btf } from '../../src/compiler/btf/btf.js';
import type { Program } from '../../src/compiler/load/program.js';
import { rewrite } from '../../src/compiler/rewrite/rewrite.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { statisticsText, verify } from '../../src/compiler/verify/verify.js';
import { comparable, programOf } from '../verify/cases.js';
import { fuzzCallProgram } from './calls.js';
import { fuzzProgram } from './program.js';
import type { FuzzProgram } from './program.js';
import { fuzzMutant } from './mutants.js';
import { fuzzTracingProgram } from './tracing.js';

type Generated = FuzzProgram & { readonly attachTo?: readonly [name: string, kind: number] };

type Generator = (seed: number, profile: Profile) => Program;

const written =
  (generate: (seed: number, btf: Btf) => Generated): Generator =>
  (seed, profile) =>
    bind(generate(seed, profile.btf), profile);

export const GENERATORS: Readonly<Record<string, Generator>> = {
  program: written(fuzzProgram),
  tracing: written(fuzzTracingProgram),
  calls: written(fuzzCallProgram),
  mutants: fuzzMutant,
};

/** bpf(2)'s log level of all comparisons: instructions, every state, statistics. */
export const LOG_LEVEL = 2 | 4;
/** Longer walks are left out: the kernel under emulation would print for minutes. */
const MAX_PROCESSED = 400;

export interface Judged {
  readonly errno: number;
  readonly log: string;
}

/** A generated program, bound to the kernel type that it is attached to. */
function bind(generated: Generated, profile: Profile): Program {
  const program = programOf({ name: 'fuzz', ...generated });
  if (generated.attachTo === undefined) return program;
  const [name, kind] = generated.attachTo;
  return { ...program, attachBtfId: profile.btf.find(name, kind), attachBtf: profile.btf };
}

export function isShort(program: Program, profile: Profile): boolean {
  return (verify(program, profile, { logLevel: 0 }).stats?.processedInstructions ?? 0) <= MAX_PROCESSED;
}

/** Errno and log, statistics behind the rewrites included, as bpf(2) answers them. */
export function judge(program: Program, profile: Profile): Judged {
  const result = verify(program, profile, { logLevel: LOG_LEVEL });
  if (result.verified === null) return result;
  const rewritten = rewrite(result.verified);
  if (!rewritten.ok) return { errno: rewritten.failure.errno, log: result.log };
  const stats = { ...result.stats, stackDepths: rewritten.value.stackDepths };
  return { errno: 0, log: result.log + statisticsText(LOG_LEVEL, stats) };
}

/** A short digest of a log, without what varies from run to run. */
export function digest(log: string): string {
  return createHash('sha256').update(comparable(log).join('\n')).digest('hex').slice(0, 16);
}
