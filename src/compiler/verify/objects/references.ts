/** Objects that the program must give back: acquired, released, and leaked where it does not (Linux 6.12: kept by frame). */
import { OBJECTS } from '../refusals/objects.js';
import { amend, refuse } from '../refusals/refuse.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';
import { changeRegs } from '../slots.js';
import type { Frame } from '../state.js';
import { voided } from '../memory/pointer-leak.js';

/** Notes a new reference of the current frame; answers its id. */
export function acquireReference(env: Env, insnIdx: number): number {
  const { frame } = env.state;
  const id = ++env.idGen;
  frame.references.push({ id, instruction: insnIdx, callbackRef: frame.inCallbackFn ? frame.frameno : 0 });
  return id;
}

/**
 * Takes a reference off a frame. -EINVAL where the frame has none of that id, or where a callback would release its
 * caller's. The last one moves into the gap: the order shows in reports of leaks.
 */
export function releaseReferenceState(frame: Frame, id: number): number {
  const { references } = frame;
  const at = references.findIndex((r) => r.id === id);
  if (at < 0) return -EINVAL;
  if (frame.inCallbackFn && references[at]!.callbackRef !== frame.frameno) return -EINVAL;
  const last = references.pop()!;
  if (at < references.length) references[at] = last;
  return 0;
}

/** Releases a reference of the current frame: every register that stands for it is void. */
export function releaseReference(env: Env, id: number): number {
  if (releaseReferenceState(env.state.frame, id) !== 0) return refuse(env, OBJECTS.referenceUnknown);
  changeRegs(env.state, (reg) => reg.refObjId === id, voided(env));
  return 0;
}

/** At an exit (or a throw: of all frames at once) nothing acquired here may be left. */
export function checkReferenceLeak(env: Env, exceptionExit: boolean): number {
  const { frame } = env.state;
  if (!exceptionExit && frame.frameno !== 0 && !frame.inCallbackFn) return 0;
  let leaks = 0;
  for (const reference of frame.references) {
    if (!exceptionExit && frame.inCallbackFn && reference.callbackRef !== frame.frameno) continue;
    if (leaks === 0) leaks = refuse(env, OBJECTS.referenceLeak, reference.id, reference.instruction);
    else amend(env, OBJECTS.referenceLeak, reference.id, reference.instruction);
  }
  return leaks;
}
