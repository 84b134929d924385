/** One verification of a function from its first instruction: the program itself, or a global one (do_check_common). */
import { OWN_CALLS } from './refusals/own-calls.js';
import { forget, refuse } from './refusals/refuse.js';
import * as t from '../targets/types.js';
import { BPF_PROG_TYPE_EXT } from '../targets/uapi.js';
import { markDynptrReg } from './objects/dynptr-slots.js';
import { markKnownZero, markUnknown } from './domain/scalar.js';
import { explore } from './driver.js';
import type { Env } from './env.js';
import { State } from './env.js';
import { allocFrame, initFrame, releaseState } from './frames.js';
import type { Frame, Reg } from './state.js';
import { prepareFunctionArguments } from './structure/global-arguments.js';
import type { FunctionArgument } from './structure/global-arguments.js';
import { subprogIsGlobal, subprogName } from './structure/subprograms.js';

/** enum bpf_dynptr_type. */
const DYNPTR_LOCAL = 1;

/** What the function is entered with, according to its BTF prototype. 0 or -EFAULT. */
function setArgument(env: Env, reg: Reg, argument: FunctionArgument): number {
  const type = argument.type;
  const base = type & t.BASE_MASK;
  if (type === t.ARG_PTR_TO_CTX) {
    reg.type = t.PTR_TO_CTX;
    markKnownZero(reg);
  } else if (type === t.ARG_ANYTHING || base === t.ARG_PTR_TO_ARENA) {
    reg.type = t.SCALAR_VALUE;
    markUnknown(reg);
  } else if (type === (t.ARG_PTR_TO_DYNPTR | t.MEM_RDONLY)) {
    markDynptrReg(reg, DYNPTR_LOCAL, true, ++env.idGen);
  } else if (base === t.ARG_PTR_TO_MEM) {
    reg.type = t.PTR_TO_MEM | (type & t.PTR_MAYBE_NULL);
    markKnownZero(reg);
    reg.memSize = argument.memSize;
    reg.id = ++env.idGen;
  } else if (base === t.ARG_PTR_TO_BTF_ID) {
    reg.type = t.PTR_TO_BTF_ID | (type & (t.PTR_MAYBE_NULL | t.PTR_UNTRUSTED | t.PTR_TRUSTED));
    markKnownZero(reg);
    reg.btf = env.profile.btf;
    reg.btfId = argument.btfId;
    reg.id = ++env.idGen;
  } else return refuse(env, OWN_CALLS.argumentNotSet);
  return 0;
}

function enterGlobal(env: Env, index: number, frame: Frame): number {
  const subprogram = env.subprograms[index]!;
  env.log.note(() => `Validating ${subprogName(env, index)}() func#${index}...\n`);
  let err = prepareFunctionArguments(env, index);
  if (err !== 0) return err;
  if (subprogram.isExceptionCallback) {
    frame.inExceptionCallbackFn = true;
    if (subprogram.args.length !== 1 || subprogram.args[0]!.type !== t.ARG_ANYTHING) {
      return refuse(env, OWN_CALLS.exceptionCallbackPrototype);
    }
  }
  for (let i = 0; i < subprogram.args.length && err === 0; i++) {
    err = setArgument(env, frame.ownReg(i + 1), subprogram.args[i]!);
  }
  return err;
}

/** The program itself: entered with its context. Its prototype is only looked at for whether it can be trusted. */
function enterMain(env: Env, frame: Frame): void {
  if (env.hasFuncInfo) {
    const main = env.subprograms[0]!;
    const err = prepareFunctionArguments(env, 0);
    if (err !== 0 || main.args.length !== 1 || main.args[0]!.type !== t.ARG_PTR_TO_CTX) main.unreliable = true;
    forget(env);
  }
  const context = frame.ownReg(1);
  context.type = t.PTR_TO_CTX;
  markKnownZero(context);
}

/** Verifies one function on all of its paths. 0 or an errno; the log of what went well is dropped below level 2. */
function checkFunction(env: Env, index: number): number {
  env.prevLineInfo = -1;
  const state = new State();
  state.branches = 1;
  const frame = allocFrame(env);
  initFrame(env, frame, -1, 0, index);
  state.frames.push(frame);
  state.firstInsnIdx = env.subprograms[index]!.start;
  state.lastInsnIdx = -1;
  env.state = state;
  env.insnIdx = state.firstInsnIdx;
  let err = 0;
  if (index !== 0 || env.program.type === BPF_PROG_TYPE_EXT) err = enterGlobal(env, index, frame);
  else enterMain(env, frame);
  if (err === 0) err = explore(env);
  if (err !== 0) return err;
  releaseState(env, env.state);
  env.explored.fill(null);
  if (!env.log.detailed) env.log.reset(0);
  return 0;
}

/** Verifies global functions that verified code calls, until no more turn up. */
function checkGlobalFunctions(env: Env): number {
  if (!env.hasFuncInfo) return 0;
  if (env.exceptionCallbackSubprog !== 0) env.subprograms[env.exceptionCallbackSubprog]!.called = true;
  for (let found = true; found;) {
    found = false;
    for (let i = 1; i < env.subprograms.length; i++) {
      const subprogram = env.subprograms[i]!;
      if (!subprogIsGlobal(env, i) || !subprogram.called || subprogram.verified) continue;
      const err = checkFunction(env, i);
      if (err !== 0) return err;
      if (env.log.announces) {
        env.log.write(`Func#${i} ('${subprogName(env, i)}') is safe for any args that match its prototype\n`);
      }
      subprogram.verified = true;
      found = true;
    }
  }
  return 0;
}

/** Verifies the program, then the global functions it calls. */
export function checkAllFunctions(env: Env): number {
  const err = checkFunction(env, 0);
  return err === 0 ? checkGlobalFunctions(env) : err;
}
