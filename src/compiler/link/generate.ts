/** The end of the way through: machine code for a program, at its addresses or with relocations. */
import { compileProgram } from '../jit/arm64/jit.js';
import { cpuFeatures, kernelOffsets, type CpuFeatures } from '../jit/arm64/target.js';
import type { CompiledFunction, JitProgram } from '../jit/program.js';
import type { MapSpec } from '../load/program.js';
import type { Outcome } from '../outcome.js';
import type { Profile } from '../targets/profile.js';
import { resolve, type LinkAddresses } from './resolve.js';

export interface GenerateOptions {
  /** What is not set is as the profile's kernel is built. */
  readonly cpu: Partial<CpuFeatures>;
  /** Null: position-independent code with relocations (docs/relocations.md). */
  readonly link: LinkAddresses | null;
  readonly profile: Profile;
  /** The program's maps, in the order its symbols count them. */
  readonly maps: readonly MapSpec[];
}

/** One function's code each, main program first. Fails as the JIT (stage JIT) or `resolve` (stage LINK) does. */
export function generateCode(program: JitProgram, options: GenerateOptions): Outcome<readonly CompiledFunction[]> {
  const { profile, link, maps } = options;
  const target = { cpu: cpuFeatures(profile, options.cpu), offsets: kernelOffsets(profile.btf) };
  if (link === null) return compileProgram(program, { ...target, link: null });
  const resolved = resolve(program, maps, link, profile);
  if (!resolved.ok) return resolved;
  return compileProgram(resolved.value.program, { ...target, link: resolved.value.link });
}
