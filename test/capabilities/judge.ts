/** Generated programs, and what we say of them when a process of few capabilities loads them. */
import { createHash } from 'node:crypto';
import { compile } from '../../src/compiler/compile.js';
import { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON } from '../../src/compiler/targets/capabilities.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { fuzzProgram, type FuzzProgram } from '../fuzz/program.js';
import { assemble } from '../verify/assembler.js';
import { ourAnswer, ourRequest, type shownAnswer } from './cases.js';
import { fuzzLesserProgram } from './generator.js';
import type { Question } from './kernel.js';

/** `lesser` writes what such processes load; `program` writes for root, and is mostly refused. */
export const GENERATORS: Readonly<Record<string, (seed: number) => FuzzProgram>> = {
  lesser: fuzzLesserProgram,
  program: fuzzProgram,
};

const CAPABILITIES = [0, CAP_BPF, CAP_PERFMON, CAP_BPF | CAP_NET_ADMIN, 0, CAP_BPF | CAP_PERFMON];
/** Longer walks are left out: the kernel under emulation would print for minutes. */
const MAX_PROCESSED = 400;

/** The program of a seed, as a process loads it whose capabilities go by the seed, too. */
export function fuzzQuestion(generator: (seed: number) => FuzzProgram, seed: number): Question {
  const { type, attachType, flags, maps, code } = generator(seed);
  const capabilities = CAPABILITIES[seed % CAPABILITIES.length]!;
  return { capabilities, type, attachType, flags, license: 'GPL', maps, instructions: assemble(code) };
}

export function isShort(question: Question, profile: Profile): boolean {
  const request = { ...ourRequest(question, { functions: [], maps: [] }), logLevel: 0, link: null };
  return (compile(request, profile).programs[0]!.stats?.processedInstructions ?? 0) <= MAX_PROCESSED;
}

export const fuzzAnswer = ourAnswer;

/** Log and translated instructions in a few letters; code depends on where the running kernel has its maps. */
export function answerDigest({ log, translated }: Pick<ReturnType<typeof shownAnswer>, 'log' | 'translated'>): string {
  const text = JSON.stringify([log, translated]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
