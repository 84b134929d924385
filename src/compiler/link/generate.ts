/** The end of the way through: machine code for a program, at its addresses or with relocations. */
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import type { CpuFacts } from '../jit/architecture.js';
import { architectureOf } from '../jit/architectures.js';
import type { CompiledFunction, JitProgram } from '../jit/program.js';
import type { MapSpec } from '../load/program.js';
import { ok, type Outcome } from '../outcome.js';
import type { Profile } from '../targets/profile.js';
import { resolve, type LinkAddresses } from './resolve.js';

export interface GenerateOptions {
  /** What is not set is as the profile's kernel has it. */
  readonly cpu: CpuFacts;
  /** Null: position-independent code with relocations (docs/relocations.md). */
  readonly link: LinkAddresses | null;
  readonly profile: Profile;
  /** The program's maps, in the order its symbols count them. */
  readonly maps: readonly MapSpec[];
}

/**
 * One function's code each, main program first. Fails as the JIT (stage JIT) or `resolve` (stage LINK) does. A program
 * that the kernel leaves to its interpreter has one function without code.
 */
export function generateCode(program: JitProgram, options: GenerateOptions): Outcome<readonly CompiledFunction[]> {
  const { profile, cpu, link, maps } = options;
  if (profile.behaviour.interpretsPrograms) return ok(interpreted(program));
  const architecture = architectureOf(profile.architecture);
  if (link === null) {
    return interpretedUnless(architecture.compile(program, { profile, cpu, link: null }), program, profile);
  }
  const resolved = resolve(program, maps, link, profile);
  if (!resolved.ok) return resolved;
  const linked = architecture.compile(resolved.value.program, { profile, cpu, link: resolved.value.link });
  return interpretedUnless(linked, program, profile);
}

/**
 * Where branches go too far for its JIT, a kernel with an interpreter runs a program in that: unless it has several functions (those are
 * refused with the JIT's errno) or calls kernel functions, which the interpreter cannot.
 */
function interpretedUnless(
  compiled: Outcome<readonly CompiledFunction[]>,
  program: JitProgram,
  profile: Profile,
): Outcome<readonly CompiledFunction[]> {
  const [main] = program.functions;
  if (compiled.ok || compiled.failure.code !== 'BRANCH_TOO_FAR') return compiled;
  if (main === undefined || program.functions.length > 1) return compiled;
  if (profile.config.get('CONFIG_BPF_JIT_ALWAYS_ON') === 'y' || callsKernelFunction(main.instructions)) return compiled;
  return ok(interpreted(program));
}

/** The main program without code. */
function interpreted({ functions }: JitProgram): CompiledFunction[] {
  return functions.slice(0, 1).map(({ name, instructions }) => {
    const offsets = new Uint32Array(instructions.length + 1);
    const code = new Uint8Array(0);
    return { name, code, exceptionTable: [], exceptionTableOffset: 0, relocations: [], offsets };
  });
}

function callsKernelFunction(insns: Instructions): boolean {
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) === (isa.JMP | isa.CALL) && insns.src(i) === isa.PSEUDO_KFUNC_CALL) return true;
    if (insns.opcode(i) === isa.LD_IMM64) i++;
  }
  return false;
}
