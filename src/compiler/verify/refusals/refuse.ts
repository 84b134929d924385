/** How checks refuse: `return refuse(env, STACK.spillSize)`. */
import type { Env } from '../env.js';
import { WALK } from './walk.js';
import { Refused } from './refusal.js';
import type { FixedRefusal, Operands, Refusal } from './refusal.js';

function note(env: Env, kind: Refusal<never>, operands: Operands, before: Refused | null): void {
  const refused = new Refused(kind as Refusal, operands, before);
  env.refused = refused;
  if (env.log.level !== 0 && kind.silent !== true) {
    env.log.write(refused.sentence(env.wording) + (kind.unterminated === true ? '' : '\n'));
  }
}

/** Refuses the program; answers the negative errno. */
export function refuse<A extends Operands>(env: Env, kind: FixedRefusal<A>, ...operands: [...A]): number {
  note(env, kind, operands, null);
  return -kind.errno;
}

/** Refuses the program with that errno, where the refusal alone does not tell it. Answers it, negative. */
export function refuseAs<A extends Operands>(env: Env, errno: number, kind: Refusal<A>, ...operands: [...A]): number {
  note(env, kind, operands, null);
  return -errno;
}

/** Says another thing of the refusal at hand: what it means for the instruction, or in which call it has happened. */
export function amend<A extends Operands>(env: Env, kind: Refusal<A>, ...operands: [...A]): void {
  note(env, kind, operands, env.refused);
}

/** The check was an attempt, and the program goes on without: nothing is refused. */
export function forget(env: Env): void {
  env.refused = null;
}

/** Refuses a program that needs what this verifier cannot judge yet: never "no", never a pass. */
export function unsupported(env: Env, feature: string): number {
  return refuse(env, WALK.unsupported, feature);
}
