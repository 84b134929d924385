/** A rejection for machines: what the refusal says of itself, and where it happened. */
import type { Failure } from '../outcome.js';
import type { Env } from './env.js';
import { regText } from './log/register.js';
import { findLineInfo, sourcePlace } from './log/source.js';
import { Refused } from './refusals/refusal.js';
import { WALK } from './refusals/walk.js';
import { containingSubprogIndex, subprogName } from './structure/subprograms.js';

/** The register that the refusal is about, or the one that it goes back to. */
function registerState(env: Env, refused: Refused): string | undefined {
  if (refused.kind.register !== true) return refused.before === null ? undefined : registerState(env, refused.before);
  const regno = refused.operands[0] as number;
  const { frame } = env.state;
  const reg = frame?.regs[regno];
  return reg === undefined ? undefined : `R${regno}=${regText(reg, !env.capable, frame)}`;
}

/** The instruction that the refusal goes back to: where a reference was acquired that is not released. -1 for none. */
function causeOf(refused: Refused): number {
  const earlier = refused.before === null ? -1 : causeOf(refused.before);
  if (earlier >= 0 || refused.kind.cause === undefined) return earlier;
  return refused.operands[refused.kind.cause] as number;
}

export function describeFailure(env: Env, code: number): Failure {
  const refused = env.refused ?? new Refused(WALK.unexplained, [], null);
  const base = {
    stage: 'VERIFY',
    code: refused.kind.class,
    message: refused.message(env.wording),
    errno: code,
  } as const;
  const instruction = env.walking ? env.insnIdx : env.place;
  if (instruction < 0) return base;
  const index = containingSubprogIndex(env, instruction);
  const cause = causeOf(refused);
  const line = findLineInfo(env, cause < 0 ? instruction : cause);
  const register = registerState(env, refused);
  return {
    ...base,
    instruction,
    ...(index < 0 ? {} : { subprogram: subprogName(env, index) }),
    ...(line < 0 ? {} : { source: sourcePlace(env, env.lineInfo![line]!) }),
    ...(register === undefined ? {} : { register }),
  };
}
