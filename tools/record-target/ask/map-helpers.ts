/**
 * Which helpers take which map types: for each helper with a map argument, and for each map type, a program that passes
 * such a map and otherwise good arguments. The kernel's own words tell its answer from other complaints.
 */
import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { Btf } from '../../../src/compiler/btf/btf.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import type { HelperProto } from '../../../src/compiler/targets/profile.js';
import * as t from '../../../src/compiler/targets/types.js';
import type { Agent } from '../machine/agent.js';
import { CALLBACK, MAIN } from './btf.js';
import { isTaken, type LiveKind } from './helpers.js';
import { assemble, call, load, RETURN_ZERO, type Instruction } from './load.js';
import type { LiveMap } from './maps.js';

const REFUSED = /cannot pass map_type|cannot update sockmap in this context/;
/** Complaints that come after the helper and its map have been found to match. */
const AFTER = /Unreleased reference|reference leak|At program exit/;
/** Kinds of programs in which a helper is tried before what is still open stays so. */
const MOST_KINDS = 12;
const MOST_FUNCTIONS = 24;

const { R1, R6, R10, LD_IMM64, PSEUDO_FUNC, PSEUDO_MAP_FD } = isa;
const LDX_DW = isa.LDX | isa.MEM | isa.DW;
const ST_DW = isa.ST | isa.MEM | isa.DW;
const ADD64_K = isa.ALU64 | isa.ADD;
const MOV64_K = isa.ALU64 | isa.MOV;
const MOV64_X = isa.ALU64 | isa.MOV | isa.X;
const STACK_BYTES = 64;

/** What the questions stand on. */
export interface MapQuestions {
  readonly agent: Agent;
  readonly btf: Btf;
  /** As loadQuestionBtf gives it. */
  readonly questionBtf: number;
  readonly maps: readonly LiveMap[];
  readonly live: readonly LiveKind[];
  readonly types: ReadonlyMap<string, number>;
  readonly attachTypes: ReadonlyMap<string, number>;
  /** A helper's prototype for a kind of program, or null. */
  helper(kind: LiveKind, id: number): HelperProto | null;
}

export interface MapHelperAnswer {
  readonly helper: number;
  readonly takes: readonly number[];
  /** What kept all kinds of programs from getting as far as to the question, and with which map types. */
  readonly open: ReadonlyMap<string, readonly number[]>;
}

export async function askMapHelpers(questions: MapQuestions, helperCount: number): Promise<MapHelperAnswer[]> {
  const answers: MapHelperAnswer[] = [];
  for (let id = 0; id < helperCount; id++) {
    const kindsOfHelper = questions.live.filter((kind) => takesMap(questions.helper(kind, id)));
    const [first] = kindsOfHelper;
    if (first === undefined) continue;
    const places = await functionsFor(questions, kindsOfHelper, id);
    answers.push(await askHelper(questions, [...kindsOfHelper, ...places], id));
  }
  return answers;
}

function takesMap(proto: HelperProto | null): boolean {
  return proto?.argTypes.some((type) => t.baseType(type) === t.ARG_CONST_MAP_PTR) ?? false;
}

async function askHelper(questions: MapQuestions, from: readonly LiveKind[], helper: number): Promise<MapHelperAnswer> {
  const takes = new Set<number>();
  const refuses = new Set<number>();
  const isOpen = ({ type }: LiveMap) => !takes.has(type) && !refuses.has(type);
  const complaints = new Map<number, string>();
  let tried = 0;
  for (const kind of from) {
    const open = questions.maps.filter(isOpen);
    const proto = questions.helper(kind, helper);
    if (open.length === 0 || tried === MOST_KINDS) break;
    if (proto === null || program(questions, kind, proto, open[0]!) === null) continue;
    tried++;
    const logs = await Promise.all(open.map((map) => pose(questions, kind, proto, map)));
    open.forEach(({ type }, i) => {
      const words = logs[i] === null ? '' : lastWords(logs[i]!);
      // Without a complaint the verifier had none: maps that hold programs remember the first kind that used them.
      if (words === '' || AFTER.test(words)) takes.add(type);
      else if (REFUSED.test(logs[i]!)) refuses.add(type);
      else complaints.set(type, words);
    });
  }
  const open = new Map<string, number[]>();
  for (const { type } of questions.maps.filter(isOpen)) {
    const complaint = complaints.get(type) ?? 'no arguments to give';
    open.set(complaint, [...(open.get(complaint) ?? []), type]);
  }
  return { helper, takes: [...takes].sort((a, b) => a - b), open };
}

/** The kernel's complaint, or null where it has none. */
async function pose(questions: MapQuestions, kind: LiveKind, proto: HelperProto, map: LiveMap): Promise<string | null> {
  const instructions = program(questions, kind, proto, map)!;
  const starts = [0, MAIN, instructions.length - RETURN_ZERO.length, CALLBACK];
  const functions = usesCallback(proto) ? { functions: { btf: questions.questionBtf, starts } } : {};
  const { errno, log } = await load(questions.agent, { ...kind, ...functions, instructions: assemble(instructions) });
  return errno === 0 ? null : log;
}

/** The verifier's last sentence, statistics aside; '' where it went through to the end and had nothing to say. */
function lastWords(log: string): string {
  const lines = log.split('\n').filter((line) => line !== '');
  const sentences = lines.filter((line) => !/^(processed|verification time|stack depth) /.test(line));
  return sentences.at(-1) ?? (lines.length > 0 ? '' : 'no word');
}

function usesCallback(proto: HelperProto): boolean {
  return proto.argTypes.some((type) => t.baseType(type) === t.ARG_PTR_TO_FUNC);
}

/** A program that calls the helper with good arguments, and a callback behind it; null where it has none to give. */
function program({ btf }: MapQuestions, kind: LiveKind, proto: HelperProto, map: LiveMap): Instruction[] | null {
  const instructions: Instruction[] = [[MOV64_X, R6, R1, 0, 0]];
  for (let at = 8; at <= STACK_BYTES; at += 8) instructions.push([ST_DW, R10, 0, -at, 0]);
  for (const [i, type] of proto.argTypes.entries()) {
    const register = R1 + i;
    const base = t.baseType(type);
    const pointee = base === t.ARG_PTR_TO_BTF_ID_SOCK_COMMON ? sockCommon(btf) : proto.argBtfIds[i]!;
    switch (base) {
      case t.ARG_DONTCARE:
        break;
      case t.ARG_CONST_MAP_PTR:
        instructions.push([LD_IMM64, register, PSEUDO_MAP_FD, 0, map.descriptor], [0, 0, 0, 0, 0]);
        break;
      case t.ARG_PTR_TO_FUNC:
        // To the callback behind the call and the two instructions that end the main program.
        instructions.push([LD_IMM64, register, PSEUDO_FUNC, 0, 0], [0, 0, 0, 0, 0]);
        break;
      case t.ARG_CONST_SIZE:
      case t.ARG_CONST_SIZE_OR_ZERO:
      case t.ARG_CONST_ALLOC_SIZE_OR_ZERO:
        instructions.push([MOV64_K, register, 0, 0, 8]);
        break;
      case t.ARG_ANYTHING:
      case t.ARG_SCALAR:
        instructions.push([MOV64_K, register, 0, 0, 0]);
        break;
      case t.ARG_PTR_TO_CTX:
        instructions.push([MOV64_X, register, R6, 0, 0]);
        break;
      case t.ARG_PTR_TO_MAP_KEY:
      case t.ARG_PTR_TO_MAP_VALUE:
      case t.ARG_PTR_TO_MEM:
        instructions.push([MOV64_X, register, R10, 0, 0], [ADD64_K, register, 0, 0, -STACK_BYTES]);
        break;
      case t.ARG_PTR_TO_DYNPTR:
        if ((type & t.MEM_UNINIT) === 0) return null;
        instructions.push([MOV64_X, register, R10, 0, 0], [ADD64_K, register, 0, 0, -STACK_BYTES]);
        break;
      default: {
        if (t.mayBeNull(type)) {
          instructions.push([MOV64_K, register, 0, 0, 0]);
          break;
        }
        const parameter = pointee === 0 ? -1 : parameterTo(btf, kind.attachBtfId, pointee);
        if (parameter < 0) return null;
        instructions.push([LDX_DW, register, R6, 8 * parameter, 0]);
      }
    }
  }
  instructions.push(call(proto.id), ...RETURN_ZERO);
  if (usesCallback(proto)) {
    const callback = instructions.length;
    instructions.forEach(([opcode, dst, src], at) => {
      if (opcode === LD_IMM64 && src === PSEUDO_FUNC) instructions[at] = [opcode, dst, src, 0, callback - at - 1];
    });
    instructions.push(...RETURN_ZERO);
  }
  return instructions;
}

function sockCommon(btf: Btf): number {
  return btf.find('sock', kinds.KIND_STRUCT);
}

/** Which parameter of a function points to that structure; -1 where none does. */
function parameterTo(btf: Btf, functionId: number, structure: number): number {
  if (functionId === 0 || btf.kind(functionId) !== kinds.KIND_FUNC) return -1;
  const proto = btf.sizeOrType(functionId);
  for (let i = 0; i < btf.vlen(proto); i++) {
    const pointer = btf.skipModifiers(btf.paramType(proto, i));
    if (btf.kind(pointer) !== kinds.KIND_PTR) continue;
    if (btf.skipModifiers(btf.sizeOrType(pointer)) === structure) return i;
  }
  return -1;
}

/** Programs on functions, or LSM hooks, that are handed what the helper's pointer arguments want. */
async function functionsFor(questions: MapQuestions, from: readonly LiveKind[], id: number): Promise<LiveKind[]> {
  const { agent, btf, types, attachTypes } = questions;
  const wanted = new Set(
    from.flatMap((kind) => {
      const proto = questions.helper(kind, id)!;
      return proto.argTypes.flatMap((type, i) => {
        const base = t.baseType(type);
        if (base === t.ARG_PTR_TO_BTF_ID_SOCK_COMMON) return [sockCommon(btf)];
        return base === t.ARG_PTR_TO_BTF_ID && proto.argBtfIds[i] !== 0 ? [proto.argBtfIds[i]!] : [];
      });
    }),
  );
  const found: LiveKind[] = [];
  for (const structure of wanted) {
    for (const isHook of [false, true]) {
      const functions: number[] = [];
      for (let f = 1; f < btf.typeCount && functions.length < MOST_FUNCTIONS; f++) {
        if (btf.kind(f) !== kinds.KIND_FUNC || btf.typeName(f).startsWith('bpf_lsm_') !== isHook) continue;
        if (parameterTo(btf, f, structure) >= 0) functions.push(f);
      }
      const type = types.get(isHook ? 'BPF_PROG_TYPE_LSM' : 'BPF_PROG_TYPE_TRACING')!;
      const attachType = attachTypes.get(isHook ? 'BPF_LSM_MAC' : 'BPF_TRACE_FENTRY')!;
      const candidates = functions.map((attachBtfId) => ({ type, attachType, attachBtfId, sleepable: false }));
      const taken = await Promise.all(candidates.map((kind) => isTaken(agent, kind)));
      found.push(...candidates.filter((_, i) => taken[i]));
    }
  }
  return found;
}

/** Map types that a sleepable program may use. */
export async function askSleepableMaps({ agent, maps, live }: MapQuestions): Promise<number[]> {
  const kind = live.find(({ sleepable }) => sleepable);
  if (kind === undefined) return [];
  const logs = await Promise.all(
    maps.map(async ({ descriptor }) => {
      const use = [[LD_IMM64, R1, PSEUDO_MAP_FD, 0, descriptor] as const, [0, 0, 0, 0, 0] as const];
      return (await load(agent, { ...kind, instructions: assemble([...use, ...RETURN_ZERO]) })).log;
    }),
  );
  return maps.filter((_, i) => !/^Sleepable programs can only use/m.test(logs[i]!)).map(({ type }) => type);
}
