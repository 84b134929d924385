import * as isa from '../../../src/compiler/isa/opcodes.js';
import { BPF_PROG_TYPE_SCHED_CLS } from '../../../src/compiler/targets/uapi.js';
import type { Agent } from '../machine/agent.js';
import { assemble, load, RETURN_ZERO, type Instruction } from './load.js';

const RETURN: Instruction = [isa.JMP | isa.EXIT, 0, 0, 0, 0];
const numberIn0 = (value: number): Instruction => [isa.ALU64 | isa.MOV, 0, 0, 0, value];
/** struct __sk_buff: programs may read the first, and write the second. */
const LENGTH = 0;
const MARK = 8;

/** Stores zero into the stack, that many bytes below its top. */
const useStack = (bytes: number): Instruction => [isa.ST | isa.MEM | isa.DW, 10, 0, -bytes, 0];

/** By word of `Behaviour` (src/compiler/targets/behaviour.ts), a program that a kernel takes, to its machine code, if it has that and else not. */
export const FEATURE_PROGRAMS: Readonly<Record<string, readonly Instruction[]>> = {
  signed_division: [numberIn0(4), [isa.ALU64 | isa.DIV, 0, 0, 1, 2], RETURN],
  sign_extending_moves: [[isa.ALU64 | isa.MOV, 1, 0, 0, 4], [isa.ALU64 | isa.MOV | isa.X, 0, 1, 8, 0], RETURN],
  context_constant_stores: [[isa.ST | isa.MEM | isa.W, 1, 0, MARK, 0], ...RETURN_ZERO],
  long_jumps: [
    [isa.LDX | isa.MEM | isa.W, 0, 1, LENGTH, 0], // what it jumps over must be reached, or would be removed
    [isa.JMP | isa.JEQ, 0, 0, 1, 0],
    [isa.JMP32 | isa.JA, 0, 0, 0, 1],
    numberIn0(1),
    RETURN,
  ],
  // Two frames that fill the 512 bytes exactly, and more if both are rounded to 32.
  frames_of_16_bytes: [
    useStack(272),
    [isa.JMP | isa.CALL, 0, isa.PSEUDO_CALL, 0, 1],
    RETURN,
    useStack(240),
    ...RETURN_ZERO,
  ],
};

/** By word, a program and what the log of level 2 says of it where the kernel has that and else not. */
export const FEATURE_LOGS: Readonly<
  Record<string, { readonly program: readonly Instruction[]; readonly log: RegExp }>
> = {
  // What is added to a pointer must be precise: here a number that an atomic operation fetched from the stack, and that
  // such a kernel looks for in the register alone.
  untraced_atomics: {
    program: [
      useStack(8),
      [isa.ALU64 | isa.MOV, 1, 0, 0, 0],
      [isa.STX | isa.ATOMIC | isa.DW, 10, 1, -8, isa.ADD | isa.FETCH],
      [isa.ALU64 | isa.MOV | isa.X, 2, 10, 0, 0],
      [isa.ALU64 | isa.ADD | isa.X, 2, 1, 0, 0],
      ...RETURN_ZERO,
    ],
    log: /^mark_precise: frame0: regs=r1 stack= before 1:/m,
  },
};
const LOG_EVERYTHING = 2;

/** What the live kernel takes and the oldest does not, where none of its tables tells: features' names. */
export async function askFeatures(agent: Agent): Promise<string[]> {
  const kind = { type: BPF_PROG_TYPE_SCHED_CLS, attachType: 0, attachBtfId: 0, sleepable: false };
  const answers = await Promise.all(
    Object.entries(FEATURE_PROGRAMS).map(async ([feature, program]) => {
      const { errno } = await load(agent, { ...kind, instructions: assemble(program) });
      return errno === 0 ? [feature] : [];
    }),
  );
  const logs = await Promise.all(
    Object.entries(FEATURE_LOGS).map(async ([feature, { program, log }]) => {
      const answer = await load(agent, { ...kind, instructions: assemble(program), logLevel: LOG_EVERYTHING });
      return log.test(answer.log) ? [feature] : [];
    }),
  );
  return [...answers, ...logs].flat();
}
