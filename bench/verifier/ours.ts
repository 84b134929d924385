import { loadObject } from '../../src/compiler/load/object.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { verify } from '../../src/compiler/verify/verify.js';
import type { Measured, VerificationTime } from './measured.js';

/** Verifies a program of an object several times, here and without a log: the best of them. */
export function verifyHere(
  object: Uint8Array,
  name: string,
  profile: Profile,
  times: number,
): Measured<VerificationTime> {
  const loaded = loadObject(object, profile, { programs: [name], legacyMaps: false }).programs[0];
  if (loaded === undefined) return { ok: false, reason: 'the object cannot be read' };
  if (!loaded.program.ok) return { ok: false, reason: loaded.program.failure.message };
  let best = Infinity;
  let instructions = 0;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    const result = verify(loaded.program.value, profile, { logLevel: 0 });
    best = Math.min(best, performance.now() - start);
    if (result.stats === null || result.errno !== 0) return { ok: false, reason: `rejected with ${result.errno}` };
    instructions = result.stats.processedInstructions;
  }
  return { ok: true, value: { milliseconds: best, instructions } };
}
