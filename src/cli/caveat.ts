/** What people must be told of a kernel whose answers have not been held against it. */
import type { AnswerJson } from './answer.js';

const VERIFIED = 'verified';

/** `NAME: not verified: …`, or null where there is nothing to say. */
export function caveat({ target }: Pick<AnswerJson, 'target'>): string | null {
  const { name = '', verified = VERIFIED } = target ?? {};
  return verified === VERIFIED ? null : `${name}: ${verified}`;
}
