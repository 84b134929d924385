/** What is known of a call's target before any state is: helpers, kernel functions, and how callbacks are run. */
import { KERNEL_CALLS } from '../refusals/kernel-calls.js';
import { amend, refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import { KIND_FUNC, KIND_FUNC_PROTO } from '../../btf/kinds.js';
import * as op from '../../isa/opcodes.js';
import { moduleFunctionFlags, type KernelModule } from '../../targets/modules.js';
import type { HelperProto } from '../../targets/profile.js';
import type { Env } from '../env.js';
import { MAX_KERNEL_FUNCTIONS } from '../limits.js';
import * as helper from '../../targets/helper-ids.js';
import { parametersOf } from './parameter.js';
import type { Parameter } from './parameter.js';
import { kernelTypes } from './types.js';
import { isListFunction, isRbtreeFunction } from '../objects/rbtree-callback.js';

const CALL = op.JMP | op.CALL;

/** A kernel function as this program may call it. */
export interface KernelFunction {
  readonly id: number;
  readonly name: string;
  readonly btf: Btf;
  /** Its FUNC_PROTO. */
  readonly protoId: number;
  /** KF_… */
  readonly flags: number;
  /** The first of them, as many as go in registers. */
  readonly parameters: readonly Parameter[];
}

/** Whether helpers with that number run the callback before they return. */
export function isSyncCallbackHelper(id: number): boolean {
  return (
    id === helper.FOR_EACH_MAP_ELEM || id === helper.FIND_VMA || id === helper.LOOP || id === helper.USER_RINGBUF_DRAIN
  );
}

function callsHelper(env: Env, i: number): boolean {
  return env.insns.opcode(i) === CALL && env.insns.src(i) === 0;
}

function callsKernelFunction(env: Env, i: number): boolean {
  return env.insns.opcode(i) === CALL && env.insns.src(i) === op.PSEUDO_KFUNC_CALL;
}

export function isSyncCallbackCallingInsn(env: Env, i: number): boolean {
  if (callsHelper(env, i)) return isSyncCallbackHelper(env.insns.imm(i));
  return callsKernelFunction(env, i) && kernelTypes(env).special(env.insns.imm(i)) === 'bpf_rbtree_add_impl';
}

export function isAsyncCallbackCallingInsn(env: Env, i: number): boolean {
  if (callsHelper(env, i)) return env.insns.imm(i) === helper.TIMER_SET_CALLBACK;
  return callsKernelFunction(env, i) && kernelTypes(env).special(env.insns.imm(i)) === 'bpf_wq_set_callback_impl';
}

export function isThrowCall(env: Env, i: number): boolean {
  return (
    callsKernelFunction(env, i) && env.insns.off(i) === 0 && kernelTypes(env).special(env.insns.imm(i)) === 'bpf_throw'
  );
}

/** Lists, trees and reference counts: their functions may be called with a lock held. */
export function isGraphApi(env: Env, functionId: number): boolean {
  return (
    isListFunction(env, functionId) ||
    isRbtreeFunction(env, functionId) ||
    kernelTypes(env).special(functionId) === 'bpf_refcount_acquire_impl'
  );
}

/** The prototype of a helper for this program, or null where it may not call it. */
export function helperProto(env: Env, id: number): HelperProto | null {
  const { profile, progType, expectedAttachType, attachBtfId, sleepable } = env;
  return profile.helper(progType, expectedAttachType, attachBtfId, id, sleepable, env.program.capabilities);
}

/** The module whose functions calls with an offset mean, or null. */
function moduleOf(env: Env, off: number): KernelModule | null {
  return off > 0 ? (env.program.functionBtfs?.[off - 1] ?? null) : null;
}

/** The BTF of the functions that calls with an offset mean: the kernel's, a module's, or null. */
export function functionBtf(env: Env, off: number): Btf | null {
  return off === 0 ? env.profile.btf : (moduleOf(env, off)?.btf ?? null);
}

/** Whether nobody can say what the flags of a module's function are, since its BTF alone was given. */
export function lacksFlags(env: Env, i: number): boolean {
  const module = moduleOf(env, env.insns.off(i));
  return module !== null && module.functions === null;
}

/** BTF and prototype of the function that a call names; null where there is none. */
function resolveFunction(env: Env, id: number, off: number): { btf: Btf; protoId: number } | null {
  const btf = functionBtf(env, off);
  if (btf === null || id <= 0 || !btf.has(id) || btf.kind(id) !== KIND_FUNC) return null;
  const protoId = btf.sizeOrType(id);
  return btf.kind(protoId) === KIND_FUNC_PROTO ? { btf, protoId } : null;
}

/** The kernel function that instruction `i` calls, or null where this program may not call it. */
export function fetchKernelFunction(env: Env, i: number): KernelFunction | null {
  const known = env.kernelCalls.get(i);
  if (known !== undefined) return known;
  const fn = findKernelFunction(env, i);
  env.kernelCalls.set(i, fn);
  return fn;
}

function findKernelFunction(env: Env, i: number): KernelFunction | null {
  const id = env.insns.imm(i);
  const off = env.insns.off(i);
  const found = resolveFunction(env, id, off);
  if (found === null) return null;
  const flags = functionFlags(env, id, moduleOf(env, off));
  if (flags < 0) return null;
  const { btf, protoId } = found;
  return { id, name: btf.typeName(id), btf, protoId, flags, parameters: parametersOf(btf, protoId) };
}

function functionFlags(env: Env, id: number, module: KernelModule | null): number {
  const { profile, progType, expectedAttachType, program } = env;
  if (module === null) return profile.kernelFunctionFlags(progType, id, expectedAttachType, program.attachBtfId);
  return module.functions === null ? -1 : moduleFunctionFlags(module.functions, progType, id);
}

/** Notes that instruction `i` calls a kernel function, and checks that there is one (add_kfunc_call of Linux 6.12). */
export function addKernelFunctionCall(env: Env, i: number): number {
  const id = env.insns.imm(i);
  const off = env.insns.off(i);
  if (env.profile.behaviour.interpretsPrograms) {
    return refuse(env, KERNEL_CALLS.kfuncInterpreted);
  }
  if (!env.gplCompatible) {
    return refuse(env, KERNEL_CALLS.kfuncNeedsGpl);
  }
  if (id === 0 && off === 0) return 0; // refused later, if it is not dead code
  const btf = functionBtf(env, off);
  if (btf === null) return refuseModule(env, off);
  const key = `${id} ${off}`;
  if (env.kernelFunctions.has(key)) return 0;
  if (env.kernelFunctions.size === MAX_KERNEL_FUNCTIONS) {
    return refuse(env, KERNEL_CALLS.tooManyKfuncs);
  }
  const err = checkFunctionExists(env, btf, id);
  if (err === 0) env.kernelFunctions.add(key);
  return err;
}

/** A call of a module's function that names no module. */
function refuseModule(env: Env, off: number): number {
  if (off < 0) {
    const errno = refuse(env, KERNEL_CALLS.kfuncModuleNegative);
    amend(env, KERNEL_CALLS.kfuncModuleUnknown);
    return errno;
  }
  const hasModules = (env.program.functionBtfs?.length ?? 0) > 0;
  const errno = refuse(env, hasModules ? KERNEL_CALLS.kfuncModuleFile : KERNEL_CALLS.kfuncModuleWithoutTable);
  amend(env, KERNEL_CALLS.kfuncModuleUnknown);
  return errno;
}

function checkFunctionExists(env: Env, btf: Btf, id: number): number {
  const { symbols } = env.profile;
  if (id < 0 || !btf.has(id) || btf.kind(id) !== KIND_FUNC) {
    return refuse(env, KERNEL_CALLS.kfuncNotFunction, id);
  }
  if (btf.kind(btf.sizeOrType(id)) !== KIND_FUNC_PROTO) {
    return refuse(env, KERNEL_CALLS.kfuncPrototype, id);
  }
  const name = btf.typeName(id);
  // Names in the BTF of a module that is loaded are taken to be in its symbol table, too.
  if (id < env.profile.btf.typeCount && symbols.address(name) === null) {
    return refuse(env, KERNEL_CALLS.kfuncWithoutAddress, btf, id);
  }
  if (env.profile.btfIdSet('xdp_metadata_kfunc_ids').has(id)) {
    return refuse(env, KERNEL_CALLS.kfuncMetadata);
  }
  return 0;
}
