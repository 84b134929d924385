/** A rejection for machines: its class, place and sentence. */
import type { Failure } from '../outcome.js';
import type { Env } from './env.js';
import * as errno from './errno.js';
import { findLineInfo, sourcePlace } from './log/source.js';
import { regText } from './log/register.js';
import { containingSubprogIndex, subprogName } from './structure/subprograms.js';

/** Classes of rejections by the words of their sentence; the first that fits counts. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [
    /^unreachable insn|out of range from insn|^jump into|^back-edge|last insn is not|invalid destination/,
    'CONTROL_FLOW',
  ],
  [
    /infinite loop|too large\. Processed|too complex|is too deep|states to compare|^too many|iteration limit/,
    'TOO_COMPLEX',
  ],
  [/stack size|tail_calls are not allowed when/, 'STACK_DEPTH'],
  [/!read_ok|invalid (?:indirect )?read from stack (?:R\d+ )?(?:var_)?off [-(+]/, 'UNINITIALIZED'],
  [
    /-ed region|lock region|^nested|^unmatched|different lock|lock at off|lock is missing|in rbtree cb|preempt|RCU CS/,
    'LOCKING',
  ],
  [/Unreleased reference|reference leak|unacquired|unowned|overwrite referenced|refcounted|been acquired/, 'REFERENCE'],
  [/misaligned/, 'MISALIGNED'],
  [
    /unknown (?:opcode|insn)|reserved fields|^invalid .*insn|unrecognized .*insn|^R1\d is invalid/,
    'MALFORMED_INSTRUCTION',
  ],
  [
    /is read only$|div by zero|invalid (?:shift|may_goto|BPF_|atomic)|uses invalid|addr_space_cast/,
    'MALFORMED_INSTRUCTION',
  ],
  [/leaks addr|leaking pointer|stack pointer to the caller|stack frame of the caller/, 'POINTER_LEAK'],
  [/[Aa]ttach|^Subprog |args while|^Return type|not a global function|^Cannot (?!access)/, 'ATTACH_TARGET'],
  [/is not sleepable$|can (?:only )?be sleepable|Extension program|provide btf_id|^struct ops/, 'ATTACH_TARGET'],
  [/func[_ ]info|line[_ ]info|without BTF|ldimm64|btf_id|core_relo|exception callback/, 'BTF'],
  [
    /map_type|valid bpf_map|progs cannot use|map type|map value pointer|of maps|cgroup storage|[Aa]rena|map_uid/,
    'MAP_NOT_ALLOWED',
  ],
  [/has no valid bpf_|sockmap|can only use array|struct_ops map/, 'MAP_NOT_ALLOWED'],
  [/At .* the register|should have been in|modify return value|not a scalar value/, 'RETURN_VALUE'],
  [/math between|pointer offset|alu operation|tried to|signed bounds|of pointer$/, 'POINTER_ARITHMETIC'],
  [/pointer arithmetic|pointer operation|on pointer|pointer prohibited|comparison prohibited/, 'POINTER_ARITHMETIC'],
  [/type=.* expected=|expected|must be|arg ?#?\d|invalid args|trusted arg|Possibly NULL|valid kptr/, 'ARGUMENT_TYPE'],
  [
    /known constant|constant address|not a (?:scalar|const)|format string|zero-terminated|readonly map/,
    'ARGUMENT_TYPE',
  ],
  [
    /constant offset|found at offset|doesn't point to|zero offset|Expected an|zero-sized|Unsupported reg/,
    'ARGUMENT_TYPE',
  ],
  [
    /is greater than|may write into|pointer to const|isn't map pointer|callback function|conversion of owning/,
    'ARGUMENT_TYPE',
  ],
  [
    /unknown func|unknown#|not allowed|cannot call|cannot (?:be called|tail call)|cannot use|helper call|GPL/,
    'CALL_NOT_ALLOWED',
  ],
  [
    /only allowed|exception cb|static function|invalid func|supported (?:only )?for|is sleepable within/,
    'CALL_NOT_ALLOWED',
  ],
  [
    /access|invalid (?:read|write)|of register|out of(?: the)? (?:range|bounds)|outside of|allow writes/,
    'MEMORY_ACCESS',
  ],
  [
    /min value is negative|unbounded|cannot write into|only read|variable[- ](?:buffer )?offset|different pointers/,
    'MEMORY_ACCESS',
  ],
  [/dereference of modified|negative offset|spilled p|map forbidden|disallowed|invalid .*stack/, 'MEMORY_ACCESS'],
];

/** What stands behind the sentence that tells why: its source line, states of a loop, and notes. */
const AFTERWORDS = /^(?:; |cur state:|old state:|Note, )/;

/** The last line that tells why. */
function sentenceOf(log: string): string {
  for (let end = log.length; end > 0;) {
    const start = log.lastIndexOf('\n', end - 1) + 1;
    const line = log.slice(start, end).trimEnd();
    if (line !== '' && !AFTERWORDS.test(line)) return line;
    end = start - 1;
  }
  return '';
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
  return reg === undefined || frame === undefined ? undefined : `R${match![1]!}=${regText(reg, !env.capable, frame)}`;
}

export function describeFailure(env: Env, code: number): Failure {
  const message = env.missingFeature ?? sentenceOf(env.log.toString());
  const base = { stage: 'VERIFY', code: classOf(env, message, code), message, errno: code } as const;
  const instruction = env.walking ? env.insnIdx : env.place;
  if (instruction < 0) return base;
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
