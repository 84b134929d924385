import type { Btf } from '../btf/btf.js';
import type { Instructions } from '../isa/instructions.js';
import type { Program } from '../load/program.js';
import type { Profile } from '../targets/profile.js';
import type { Subprogram } from '../verify/env.js';
import type { Facts } from '../verify/facts.js';
import type { VerifierMap } from '../verify/map.js';

/** A program that the verifier accepted, and what the rewrites need of what it learnt. */
export interface RewriteInput {
  readonly program: Program;
  readonly profile: Profile;
  readonly btf: Btf | null;
  readonly insns: Instructions;
  readonly facts: readonly Facts[];
  /** Main program first; a last entry that starts at the end of the program is ignored. */
  readonly subprograms: readonly Subprogram[];
  readonly maps: readonly VerifierMap[];
  /** enum bpf_prog_type, an extension's being that of the program it extends. */
  readonly progType: number;
  readonly sleepable: boolean;
  /** Packet data are written directly: some program types then need a prologue. */
  readonly seenDirectWrite: boolean;
  /** bpf_throw is called. */
  readonly seenException: boolean;
  /** Index of the exception callback, 0 where the program has none. */
  readonly exceptionCallbackSubprog: number;
}
