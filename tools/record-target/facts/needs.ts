import * as cap from '../../../src/compiler/targets/capabilities.js';
import type { ProgramEmulator } from '../emulate/program.js';

/** Sets of the capabilities in `mask`, larger ones first; CAP_SYS_ADMIN comes with all that it stands for. */
export function capabilitySets(mask: number): number[] {
  const sets = new Set<number>();
  for (let set = 0; set <= cap.ALL_CAPABILITIES; set++) {
    if ((set & ~mask) === 0) sets.add(cap.effectiveCapabilities(set));
  }
  return [...sets].sort((a, b) => size(b) - size(a) || b - a);
}

function size(set: number): number {
  return set.toString(2).replaceAll('0', '').length;
}

/**
 * What a process needs for the answer that root gets; `ask` puts the question again. Throws where the answer is anything
 * but root's or none.
 */
export async function neededFor(
  emulator: ProgramEmulator,
  asked: number,
  rootAnswer: number,
  ask: () => Promise<number>,
): Promise<number> {
  const enough: number[] = [];
  const sets = capabilitySets(asked);
  for (const set of sets) {
    const answer = await emulator.withCapabilities(set, ask);
    if (answer === rootAnswer) enough.push(set);
    else if (answer >= 0) throw new Error(`capabilities ${set} are answered otherwise than root`);
  }
  const needed = enough.reduce((common, set) => common & set, cap.ALL_CAPABILITIES);
  const isRule = sets.every((set) => cap.isCapable(set, needed) === enough.includes(set));
  if (!isRule) throw new Error(`one of several capabilities is enough: ${enough.join()}`);
  return needed;
}
