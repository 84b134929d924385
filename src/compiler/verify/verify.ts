/** The verifier: judges a program as the target's kernel would, and keeps what it learnt for the rewrites. */
import type { Btf } from '../btf/btf.js';
import { MAX_INSNS } from '../isa/opcodes.js';
import type { Instructions } from '../isa/instructions.js';
import type { Program } from '../load/program.js';
import * as load from '../load/program-attributes.js';
import type { Failure } from '../outcome.js';
import { ALL_CAPABILITIES } from '../targets/capabilities.js';
import type { Profile } from '../targets/profile.js';
import { checkAttachTarget } from './attach/attach.js';
import { Env } from './env.js';
import type { Subprogram } from './env.js';
import { ENOSPC, EOPNOTSUPP } from './errno.js';
import { describeFailure } from './failure.js';
import type { Facts } from './facts.js';
import { checkAllFunctions } from './function.js';
import { LOG_LEVEL, LOG_LEVEL1, LOG_STATS, VerifierLog } from './log/log.js';
import { markStateClean } from './log/scratch.js';
import type { VerifierMap } from './map.js';
import { refuse } from './refusals/refuse.js';
import { WALK } from './refusals/walk.js';
import { createMaps, structRecordsOf } from './maps.js';
import { checkCfg } from './structure/cfg.js';
import { markFastcallPatterns, shrinkFastcallStacks } from './structure/fastcall.js';
import { checkFuncInfo, checkFuncInfoEarly } from './structure/func-info.js';
import { checkLineInfo } from './structure/line-info.js';
import { isGplCompatible } from './structure/license.js';
import { resolveImmediates } from './structure/resolve-immediates.js';
import { checkMaxStackDepth } from './structure/stack-depth.js';
import { addSubprograms, checkSubprograms } from './structure/subprograms.js';

export interface VerifyOptions {
  /** bpf(2)'s log level bits: 1, 2, 4; 0 for no log. */
  readonly logLevel: number;
}

/** What the last lines of the log say. */
export interface Stats {
  readonly processedInstructions: number;
  readonly maxStatesPerInstruction: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly markRead: number;
  /** Bytes of stack of each subprogram. */
  readonly stackDepths: readonly number[];
}

/** An accepted program, and what the rewrites must know of it. */
export interface VerifiedProgram {
  readonly program: Program;
  readonly profile: Profile;
  readonly btf: Btf | null;
  readonly insns: Instructions;
  readonly facts: readonly Facts[];
  readonly subprograms: readonly Subprogram[];
  readonly maps: readonly VerifierMap[];
  /** enum bpf_prog_type, an extension's being that of the program it extends. */
  readonly progType: number;
  readonly expectedAttachType: number;
  readonly sleepable: boolean;
  /** As loaded with CAP_BPF; and whether arrays and pointers need no masks against speculation. */
  readonly capable: boolean;
  readonly bypassSpecV1: boolean;
  readonly seenDirectWrite: boolean;
  /** Bits of ContextAccess.notes. */
  readonly contextNotes: number;
  readonly seenException: boolean;
  /** Index of the exception callback, 0 where the program has none. */
  readonly exceptionCallbackSubprog: number;
  /** Index of the arena among the maps, -1 where there is none. */
  readonly arenaMap: number;
}

/** The verdict. `errno` is 0, or as bpf(2) answers. */
export type VerifyResult = Accepted | Rejected;

export interface Accepted {
  readonly errno: 0;
  readonly failure: null;
  /** Without the statistics at its end: they wait for the rewrites, whose use of the stack they include. */
  readonly log: string;
  readonly stats: Stats;
  readonly verified: VerifiedProgram;
}

export interface Rejected {
  readonly errno: number;
  readonly failure: Failure;
  readonly log: string;
  /** Null where the program was refused before it was looked at. */
  readonly stats: Stats | null;
  readonly verified: null;
}

function createEnv(program: Program, profile: Profile, log: VerifierLog): Env {
  // BTF counts only where it is used: the kernel does not even open it otherwise.
  const hasInfo = program.funcInfo.length > 0 || program.lineInfo.length > 0;
  const btf = hasInfo ? program.btf : null;
  const env = new Env(program, profile, program.instructions.clone(), createMaps(program, profile), btf, log);
  env.structRecords = structRecordsOf(btf, profile);
  const { flags } = program;
  env.strictAlignment = (flags & load.BPF_F_STRICT_ALIGNMENT) !== 0 && (flags & load.BPF_F_ANY_ALIGNMENT) === 0;
  env.testStateFreq = env.capable && (flags & load.BPF_F_TEST_STATE_FREQ) !== 0;
  env.testRegInvariants = (flags & load.BPF_F_TEST_REG_INVARIANTS) !== 0;
  env.sleepable = (flags & load.BPF_F_SLEEPABLE) !== 0;
  env.gplCompatible = isGplCompatible(program.license);
  env.progType = program.type;
  env.expectedAttachType = load.effectiveAttachType(program.type, program.expectedAttachType);
  markStateClean(env);
  return env;
}

/** What is checked before the walk. */
const STRUCTURE: readonly ((env: Env) => number)[] = [
  checkFuncInfoEarly,
  addSubprograms,
  checkSubprograms,
  checkFuncInfo,
  checkLineInfo,
  resolveImmediates,
  checkCfg,
  checkAttachTarget,
];

/** Everything in the kernel's order (bpf_check, Linux 6.12), up to where it begins to rewrite. */
function check(env: Env): number {
  for (const step of STRUCTURE) {
    env.place = -1;
    const err = step(env);
    if (err !== 0) return err;
  }
  markFastcallPatterns(env);
  env.walking = true;
  const err = checkAllFunctions(env);
  if (err !== 0) return err;
  env.walking = false;
  shrinkFastcallStacks(env);
  return checkMaxStackDepth(env);
}

function statsOf(env: Env): Stats {
  return {
    processedInstructions: env.insnProcessed,
    maxStatesPerInstruction: env.maxStatesPerInsn,
    totalStates: env.totalStates,
    peakStates: env.peakStates,
    markRead: env.longestMarkReadWalk,
    stackDepths: env.subprograms.map((s) => s.stackDepth),
  };
}

/** The log's last lines; the kernel's `verification time` is left out, since answers depend on the request alone. */
export function statisticsText(level: number, stats: Stats): string {
  if (level === 0) return '';
  const depths = (level & LOG_STATS) === 0 ? '' : `stack depth ${stats.stackDepths.join('+')}\n`;
  return (
    `${depths}processed ${stats.processedInstructions} insns (limit ${MAX_INSNS}) ` +
    `max_states_per_insn ${stats.maxStatesPerInstruction} total_states ${stats.totalStates} ` +
    `peak_states ${stats.peakStates} mark_read ${stats.markRead}\n`
  );
}

/** One run over the program; its log is in the environment. */
function run(program: Program, profile: Profile, log: VerifierLog): { env: Env; errno: number } {
  const env = createEnv(program, profile, log);
  const verdict = check(env);
  if (verdict === 0 && log.overflowed) return { env, errno: refuse(env, WALK.logTooLong) };
  return { env, errno: log.overflowed ? -ENOSPC : verdict };
}

/** Never judged as root's: what a process with less may do was not recorded of this kernel. */
function unknownCapabilities(profile: Profile): Rejected {
  const message = `not supported yet: loading with fewer capabilities for ${profile.name}`;
  const failure: Failure = { stage: 'VERIFY', code: 'UNSUPPORTED', message, errno: -EOPNOTSUPP };
  return { errno: -EOPNOTSUPP, failure, log: `bpf-jitd: ${message}\n`, stats: null, verified: null };
}

/**
 * Judges a program. Nothing of it is changed: `verified` holds a copy of the instructions. Where a rejection would be
 * told at length, and an acceptance in a line, the program is first judged without a word.
 */
export function verify(program: Program, profile: Profile, options: VerifyOptions): VerifyResult {
  const refused = load.checkProgramAttributes(program, profile);
  if (refused !== 0) {
    const failure: Failure = { stage: 'VERIFY', code: 'REFUSED', message: 'BPF_PROG_LOAD refuses it', errno: refused };
    return { errno: refused, failure, log: '', stats: null, verified: null };
  }
  const { logLevel } = options;
  if (program.capabilities !== ALL_CAPABILITIES && !profile.knowsCapabilities) return unknownCapabilities(profile);
  const quiet = (logLevel & LOG_LEVEL) === LOG_LEVEL1;
  let { env, errno } = run(program, profile, new VerifierLog(logLevel, quiet));
  if (errno !== 0 && quiet) ({ env, errno } = run(program, profile, new VerifierLog(logLevel, false, env.log.trail)));
  const stats = statsOf(env);
  const text = env.log.toString();
  if (errno === 0) return { errno, failure: null, log: text, stats, verified: env };
  const failure = describeFailure(env, errno);
  return { errno, failure, log: text + statisticsText(logLevel, stats), stats, verified: null };
}
