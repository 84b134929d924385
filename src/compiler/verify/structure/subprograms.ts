/** Where the program's functions start, and that no jump leaves one (Linux 6.12, add_subprog_and_kfunc, check_subprogs). */
import { STRUCTURE } from '../refusals/structure.js';
import { refuse } from '../refusals/refuse.js';
import { KIND_DECL_TAG, KIND_FUNC, LINKAGE_GLOBAL } from '../../btf/kinds.js';
import * as op from '../../isa/opcodes.js';
import { addKernelFunctionCall } from '../kernel/functions.js';
import type { Env } from '../env.js';
import { Subprogram } from '../env.js';
import { EEXIST, ENOENT } from '../errno.js';
import { MAX_SUBPROGRAMS } from '../limits.js';

const EXCEPTION_CALLBACK_TAG = 'exception_callback:';
const CALL = op.JMP | op.CALL;
/** BPF_FUNC_tail_call. */
const TAIL_CALL_HELPER = 12;

export function isPseudoCall(env: Env, i: number): boolean {
  return env.insns.opcode(i) === CALL && env.insns.src(i) === op.PSEUDO_CALL;
}

export function isPseudoFunc(env: Env, i: number): boolean {
  return env.insns.opcode(i) === op.LD_IMM64 && env.insns.src(i) === op.PSEUDO_FUNC;
}

export function isKernelFunctionCall(env: Env, i: number): boolean {
  return env.insns.opcode(i) === CALL && env.insns.src(i) === op.PSEUDO_KFUNC_CALL;
}

function namesFunction(env: Env, i: number): boolean {
  return isPseudoFunc(env, i) || isPseudoCall(env, i) || isKernelFunctionCall(env, i);
}

export function isHelperCall(env: Env, i: number): boolean {
  return env.insns.opcode(i) === CALL && env.insns.src(i) === 0;
}

/** Index of the subprogram that an instruction belongs to, -1 where there is none. */
export function containingSubprogIndex(env: Env, insn: number): number {
  const list = env.subprograms;
  if (insn < 0 || insn >= env.insns.length || list.length === 0) return -1;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = low + ((high - low + 1) >> 1);
    if (list[middle]!.start <= insn) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function findContainingSubprog(env: Env, insn: number): Subprogram | null {
  return env.subprograms[containingSubprogIndex(env, insn)] ?? null;
}

/** Index of the subprogram that starts at an instruction, or -ENOENT. */
export function findSubprog(env: Env, insn: number): number {
  const index = containingSubprogIndex(env, insn);
  return index < 0 || env.subprograms[index]!.start !== insn ? -ENOENT : index;
}

/** First instruction behind a subprogram. */
export function subprogEnd(env: Env, index: number): number {
  return env.subprograms[index + 1]?.start ?? env.insns.length;
}

/** The function's name in the program's BTF, '' where there is no function information. */
export function subprogName(env: Env, index: number): string {
  const { typeId } = env.subprograms[index]!;
  return env.btf === null || typeId === 0 ? '' : env.btf.typeName(typeId);
}

/** Global functions are verified on their own, and their callers trust their prototype. */
export function subprogIsGlobal(env: Env, index: number): boolean {
  return env.subprograms[index]!.linkage === LINKAGE_GLOBAL;
}

/** 0 or more: there is one at `insn`. Otherwise an errno. */
function addSubprog(env: Env, insn: number): number {
  if (insn < 0 || insn >= env.insns.length) {
    return refuse(env, STRUCTURE.callOutside);
  }
  if (findSubprog(env, insn) >= 0) return 0;
  if (env.subprograms.length >= MAX_SUBPROGRAMS) {
    return refuse(env, STRUCTURE.tooManyFunctions);
  }
  const added = new Subprogram();
  added.start = insn;
  env.subprograms.splice(containingSubprogIndex(env, insn) + 1, 0, added);
  return 0;
}

/** Value of the main function's exception callback tag; '' where there is none, an errno where there are two. */
function exceptionCallbackTag(env: Env, mainId: number): string | number {
  const btf = env.btf!;
  let found = '';
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kind(id) !== KIND_DECL_TAG || btf.sizeOrType(id) !== mainId || btf.declTagComponent(id) !== -1) continue;
    const tag = btf.typeName(id);
    if (!tag.startsWith(EXCEPTION_CALLBACK_TAG)) continue;
    if (found !== '') return -EEXIST;
    found = tag.slice(EXCEPTION_CALLBACK_TAG.length);
  }
  return found;
}

/** Instruction of the function that the main one is tagged with as its exception callback; 0 for none, or an errno. */
function exceptionCallbackInsn(env: Env): number {
  const { funcInfo } = env.program;
  if (funcInfo.length === 0 || env.btf === null) return 0;
  const name = exceptionCallbackTag(env, funcInfo[0]!.typeId);
  if (typeof name === 'number') {
    return refuse(env, STRUCTURE.exceptionCallbackTwice);
  }
  if (name === '') return 0;
  const id = env.btf.find(name, KIND_FUNC);
  if (id === 0) {
    return refuse(env, STRUCTURE.exceptionCallbackMissing, name);
  }
  if (env.btf.linkage(id) !== LINKAGE_GLOBAL) {
    return refuse(env, STRUCTURE.exceptionCallbackStatic, name);
  }
  const info = funcInfo.findLast((f) => f.typeId === id);
  if (info === undefined) {
    return refuse(env, STRUCTURE.exceptionCallbackInfo);
  }
  if (info.instruction === 0) {
    return refuse(env, STRUCTURE.exceptionCallbackMain);
  }
  return info.instruction;
}

function addExceptionCallback(env: Env): number {
  const insn = exceptionCallbackInsn(env);
  if (insn <= 0) return insn;
  const err = addSubprog(env, insn);
  if (err !== 0) return err;
  const index = findSubprog(env, insn);
  const subprogram = env.subprograms[index]!;
  env.exceptionCallbackSubprog = index;
  subprogram.isCallback = true;
  subprogram.isAsyncCallback = true;
  subprogram.isExceptionCallback = true;
  return 0;
}

/** Finds all functions by the calls and references to them, and all kernel functions. */
export function addSubprograms(env: Env): number {
  let err = addSubprog(env, 0);
  for (let i = 0; i < env.insns.length && err === 0; i++) {
    env.place = i;
    if (!env.capable && namesFunction(env, i)) {
      return refuse(env, STRUCTURE.functionsPrivilege);
    }
    if (isPseudoFunc(env, i) || isPseudoCall(env, i)) err = addSubprog(env, i + env.insns.imm(i) + 1);
    else if (isKernelFunctionCall(env, i)) err = addKernelFunctionCall(env, i);
  }
  if (err !== 0) return err;
  env.place = -1;
  err = addExceptionCallback(env);
  if (err !== 0) return err;
  if (env.log.detailed) env.subprograms.forEach((s, i) => env.log.write(`func#${i} @${s.start}\n`));
  return 0;
}

function noteFeatures(env: Env, i: number, subprogram: Subprogram): void {
  const opcode = env.insns.opcode(i);
  if (isHelperCall(env, i) && env.insns.imm(i) === TAIL_CALL_HELPER) {
    subprogram.hasTailCall = true;
    subprogram.tailCallReachable = true;
  }
  const mode = opcode & op.MODE_MASK;
  if ((opcode & op.CLASS_MASK) === op.LD && (mode === op.ABS || mode === op.IND)) subprogram.hasLdAbs = true;
}

/** Target of a jump instruction, -1 where the instruction is none. */
function jumpTarget(env: Env, i: number): number | null {
  const opcode = env.insns.opcode(i);
  const insnClass = opcode & op.CLASS_MASK;
  if (insnClass !== op.JMP && insnClass !== op.JMP32) return null;
  const kind = opcode & op.OP_MASK;
  if (kind === op.EXIT || kind === op.CALL) return null;
  return i + 1 + (opcode === (op.JMP32 | op.JA) ? env.insns.imm(i) : env.insns.off(i));
}

/** Jumps stay within their function, and no function runs into the next. */
export function checkSubprograms(env: Env): number {
  let current = 0;
  let end = subprogEnd(env, 0);
  for (let i = 0; i < env.insns.length; i++) {
    env.place = i;
    const subprogram = env.subprograms[current]!;
    const opcode = env.insns.opcode(i);
    noteFeatures(env, i, subprogram);
    const target = jumpTarget(env, i);
    if (target !== null && (target < subprogram.start || target >= end)) {
      return refuse(env, STRUCTURE.jumpOutOfRange, i, target);
    }
    if (i !== end - 1) continue;
    if (opcode !== (op.JMP | op.EXIT) && opcode !== (op.JMP32 | op.JA) && opcode !== (op.JMP | op.JA)) {
      return refuse(env, STRUCTURE.fallsThrough);
    }
    current++;
    end = subprogEnd(env, current);
  }
  return 0;
}
