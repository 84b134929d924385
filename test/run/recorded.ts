/**
 * Programs recorded from the kernel, compiled for the harness: the same instructions, at addresses of a user's process.
 * Calls count from a base of ours; what pointed into the kernel's maps points into memory of ours.
 */
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { addressOf } from '../../src/compiler/jit/address.js';
import type { ResolvedLink } from '../../src/compiler/jit/architecture.js';
import type { CompiledFunction, JitProgram } from '../../src/compiler/jit/program.js';
import type { Outcome } from '../../src/compiler/outcome.js';
import { linkedProgram, type CompiledRecording, type RecordedSymbols } from '../jit/corpus.js';

/** Where the harness's code lies: calls count from the base, 32 MiB in, and code begins 64 MiB in. */
export const REGION = 0x50_0000_0000;
export const REGION_BYTES = 0x800_0000;
export const CALL_BASE = REGION + 0x200_0000;
export const CODE = REGION + 0x400_0000;
/** Bytes between the ends of functions, for exception tables and the stubs' addresses. */
const GAP = 0x100;

export interface Placed {
  readonly address: number;
  readonly fn: CompiledFunction;
}

/** Addresses from `from`, `length` bytes, that become those from `to`. */
export interface Redirection {
  readonly from: bigint;
  readonly length: bigint;
  readonly to: number;
}

/** An architecture's JIT, for a processor. */
export type Compile = (program: JitProgram, link: ResolvedLink) => Outcome<readonly CompiledFunction[]>;

/** Compiles at addresses from `at`; the first redirection that covers a constant moves it. Throws where the JIT gives up. */
export function placeRecording(
  recording: CompiledRecording,
  at: number,
  redirections: readonly Redirection[],
  symbols: RecordedSymbols,
  compile: Compile,
): Placed[] {
  const { program } = linkedProgram(recording, symbols);
  const addresses: number[] = [];
  let next = at;
  for (const fn of recording.functions) {
    addresses.push(next);
    next = alignUp(next + fn.code.length / 2 + GAP);
  }
  const link = {
    functions: addresses.map((address) => addressOf(BigInt(address))),
    callBase: addressOf(BigInt(CALL_BASE)),
    arena: null,
    symbol: (name: string) => symbols.others.get(name) ?? null,
  };
  const compiled = compile(redirected(program, redirections), link);
  if (!compiled.ok) throw new Error(`${recording.prog}: ${compiled.failure.message}`);
  return compiled.value.map((fn, i) => ({ address: addresses[i]!, fn }));
}

function alignUp(address: number): number {
  return Math.ceil(address / 16) * 16;
}

/** The program with constants that point into what was recorded pointing where `redirections` say. */
export function redirected(program: JitProgram, redirections: readonly Redirection[]): JitProgram {
  const functions = program.functions.map((fn) => ({ ...fn, instructions: redirect(fn.instructions, redirections) }));
  return { ...program, functions };
}

function redirect(instructions: Instructions, redirections: readonly Redirection[]): Instructions {
  const out = instructions.clone();
  for (let i = 0; i < out.length; i++) {
    if (out.opcode(i) !== isa.LD_IMM64) continue;
    const value = (BigInt(out.imm(i + 1) >>> 0) << 32n) | BigInt(out.imm(i) >>> 0);
    const moved = redirections.find(({ from, length }) => value >= from && value - from < length);
    if (moved !== undefined) {
      const address = addressOf(BigInt(moved.to) + value - moved.from);
      out.setImm(i, address.lo);
      out.setImm(i + 1, address.hi);
    }
    i++;
  }
  return out;
}
