import * as isa from '../../../src/compiler/isa/opcodes.js';
import { Instructions } from '../../../src/compiler/isa/instructions.js';
import { THEN_CLOSE, type Agent, type CompiledProgram } from '../machine/agent.js';
import { attribute, words } from './words.js';

const BPF_PROG_LOAD = 5;
/** Bytes of union bpf_attr that BPF_PROG_LOAD is told of: up to attach_prog_fd, which kernels since 5.5 know. */
const ATTR_BYTES = 120;
const LOG_BYTES = 1 << 16;
/** struct bpf_func_info. */
const FUNCTION_INFO_BYTES = 8;

export interface Question {
  readonly type: number;
  readonly attachType: number;
  readonly attachBtfId: number;
  readonly sleepable: boolean;
  /** In canonical form, as all that this tool keeps. */
  readonly instructions: Uint8Array;
  /** The verifier's log, where more than errors is of interest. */
  readonly logLevel?: number;
  readonly license?: string;
  /** Types of its functions, for programs with callbacks. */
  readonly functions?: FunctionTypes;
}

/** A BTF's descriptor in the machine, and the function type at each instruction that begins one: by turns. */
export interface FunctionTypes {
  readonly btf: number;
  readonly starts: readonly number[];
}

export interface Answer {
  /** 0, or a negative errno. */
  readonly errno: number;
  readonly log: string;
  /** The translated program, where it was asked for and is accepted. */
  readonly translated: Uint8Array | null;
  /** Its machine code, likewise. */
  readonly compiled: CompiledProgram | null;
}

const BPF_F_SLEEPABLE = 1 << 4;

/** Puts a program to the live kernel. */
export async function load(agent: Agent, question: Question, then = THEN_CLOSE): Promise<Answer> {
  const { order } = agent;
  const { functions } = question;
  const functionInfo = words(order, functions?.starts ?? []);
  const attr = attribute(order, ATTR_BYTES, [
    [0, question.type],
    [4, question.instructions.length / 8],
    [24, question.logLevel ?? 1],
    [28, LOG_BYTES],
    [44, question.sleepable ? BPF_F_SLEEPABLE : 0],
    [68, question.attachType],
    [72, functions?.btf ?? 0],
    [76, functions === undefined ? 0 : FUNCTION_INFO_BYTES],
    [88, functionInfo.length / FUNCTION_INFO_BYTES],
    [108, question.attachBtfId],
  ]);
  const license = Buffer.from(`${question.license ?? 'GPL'}\0`);
  const buffers = [
    { offset: 8, in: Instructions.from(question.instructions).toWire(order) },
    { offset: 16, in: license },
    { offset: 32, text: LOG_BYTES },
    ...(functions === undefined ? [] : [{ offset: 80, in: functionInfo }]),
  ];
  const answer = await agent.bpf(BPF_PROG_LOAD, attr, buffers, then);
  return {
    errno: Math.min(answer.result, 0),
    log: Buffer.from(answer.buffers[0] ?? []).toString('latin1'),
    compiled: answer.compiled,
    translated: answer.translated === null ? null : Instructions.from(answer.translated, order).bytes,
  };
}

/** An instruction: opcode, dst, src, offset, immediate. */
export type Instruction = readonly [number, number, number, number, number];

/** Instructions in canonical form. */
export function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([opcode, dst, src, offset, imm], i) => {
    bytes[8 * i] = opcode;
    bytes[8 * i + 1] = dst | (src << 4);
    bytes.writeInt16LE(offset, 8 * i + 2);
    bytes.writeInt32LE(imm | 0, 8 * i + 4);
  });
  return bytes;
}

export const RETURN_ZERO = [
  [isa.ALU64 | isa.MOV, isa.R0, 0, 0, 0],
  [isa.JMP | isa.EXIT, 0, 0, 0, 0],
] as const;
export const call = (helper: number) => [isa.JMP | isa.CALL, 0, 0, 0, helper] as const;
