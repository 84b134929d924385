import type { Profile } from '../../targets/profile.js';
import type { Draft } from '../draft.js';
import type { VerifiedProgram } from '../../verify/verify.js';
import type { Rejection } from '../rejection.js';
import type { Sequence } from '../sequence.js';

/** What the fix-ups of one pass share. */
export interface FixupContext {
  readonly draft: Draft;
  readonly input: VerifiedProgram;
  readonly profile: Profile;
  /** Bytes of stack of the function that the instruction lies in. */
  stackDepth: number;
  /** The function holds a may_goto, and needs a slot for its counter. */
  usesMayGoto: boolean;
  /** Tail calls to known slots so far: the JIT's numbers for them count from 1. */
  knownTailCalls: number;
}

/**
 * One kind of rewrite, asked for the instruction at `i`: what takes its place; 'done' where it is its business and the
 * instruction stays (perhaps edited in place); null where the next kind is to be asked.
 */
export type Fixup = (context: FixupContext, i: number) => Sequence | Rejection | 'done' | null;
