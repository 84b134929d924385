/**
 * A program that throws but has no callback for it gets one (since Linux 6.7): a hidden function that returns what was
 * thrown.
 */
import * as isa from '../isa/opcodes.js';
import { type Draft } from './draft.js';
import { appendHidden } from './splice.js';
import { Sequence } from './sequence.js';

export function addExceptionCallback(draft: Draft): void {
  appendHidden(draft, new Sequence().mov64(isa.R0, isa.R1).exit(), true);
}
