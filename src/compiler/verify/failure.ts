/** A rejection for machines: its class, place and sentence. */
import type { Failure } from '../outcome.js';
import type { Env } from './env.js';
import * as errno from './errno.js';
import { findLineInfo, sourcePlace } from './log/source.js';
import { regText } from './log/register.js';
import { containingSubprogIndex, subprogName } from './structure/subprograms.js';

/** Classes of rejections by the words of their sentence; the first that fits counts. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^unreachable insn|^jump out of range|^back-edge|last insn is not an exit|invalid destination/, 'CONTROL_FLOW'],
  [/infinite loop|too large\. Processed|too complex|is too deep|states to compare/, 'TOO_COMPLEX'],
  [/stack size|tail_calls are not allowed when/, 'STACK_DEPTH'],
  [/!read_ok|invalid (?:indirect )?read from|uninitialized/, 'UNINITIALIZED'],
  [/Unreleased reference|reference leak|missing$/, 'RESOURCE_LEAK'],
  [/misaligned/, 'MISALIGNED'],
  [
    /invalid access to|invalid .*access|invalid mem access|out of(?: the)? (?:range|bounds)|outside of/,
    'MEMORY_ACCESS',
  ],
  [/pointer arithmetic|pointer operation|prohibited/, 'POINTER_ARITHMETIC'],
  [/type=.* expected=|expected pointer|must be|arg#\d/, 'ARGUMENT_TYPE'],
  [/unknown func|not allowed|cannot call|helper call|GPL/, 'CALL_NOT_ALLOWED'],
  [/should have been in/, 'RETURN_VALUE'],
  [/unknown opcode|reserved fields|invalid .*insn/, 'MALFORMED_INSTRUCTION'],
];

function lastLine(log: string): string {
  const end = log.endsWith('\n') ? log.length - 1 : log.length;
  return log.slice(log.lastIndexOf('\n', end - 1) + 1, end);
}

function classOf(env: Env, message: string, code: number): string {
  if (env.missingFeature !== null) return 'UNSUPPORTED';
  for (const [words, name] of CLASSES) if (words.test(message)) return name;
  return code === -errno.E2BIG ? 'TOO_COMPLEX' : 'REJECTED';
}

/** `R3` of "R3 invalid mem access 'scalar'": the state of the register that the sentence begins with. */
function registerState(env: Env, message: string): string | undefined {
  const match = /^R(\d{1,2})\b/.exec(message);
  const frame = match === null ? undefined : env.state.frames[env.state.currentFrame];
  const reg = frame?.regs[Number(match![1])];
  return reg === undefined || frame === undefined ? undefined : `R${match![1]!}=${regText(reg, frame, !env.capable)}`;
}

export function describeFailure(env: Env, code: number): Failure {
  const message = env.missingFeature ?? lastLine(env.log.toString());
  const base = { stage: 'VERIFY', code: classOf(env, message, code), message, errno: code } as const;
  // Before the first instruction is walked there is no place to name.
  if (env.insnProcessed === 0) return base;
  const instruction = env.insnIdx;
  const index = containingSubprogIndex(env, instruction);
  const line = findLineInfo(env, instruction);
  const register = registerState(env, message);
  return {
    ...base,
    instruction,
    ...(index < 0 ? {} : { subprogram: subprogName(env, index) }),
    ...(line < 0 ? {} : { source: sourcePlace(env, env.lineInfo![line]!) }),
    ...(register === undefined ? {} : { register }),
  };
}
