/** What is known of a call's target before any state is: helpers, kernel functions, and how callbacks are run. */
import type { Btf } from '../../btf/btf.js';
import { KIND_FUNC, KIND_FUNC_PROTO } from '../../btf/kinds.js';
import * as op from '../../isa/opcodes.js';
import type { HelperProto } from '../../targets/profile.js';
import type { Env } from '../env.js';
import { E2BIG, EINVAL, EPROTO } from '../errno.js';
import { MAX_KERNEL_FUNCTIONS } from '../limits.js';
import * as helper from '../../targets/helper-ids.js';
import { kernelTypes } from './kernel-types.js';
import { isListFunction, isRbtreeFunction } from './rbtree-callback.js';

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

const CHANGES_PACKET: ReadonlySet<number> = new Set([
  helper.CLONE_REDIRECT,
  helper.L3_CSUM_REPLACE,
  helper.L4_CSUM_REPLACE,
  helper.LWT_PUSH_ENCAP,
  helper.LWT_SEG6_ACTION,
  helper.LWT_SEG6_ADJUST_SRH,
  helper.LWT_SEG6_STORE_BYTES,
  helper.MSG_POP_DATA,
  helper.MSG_PULL_DATA,
  helper.MSG_PUSH_DATA,
  helper.SKB_ADJUST_ROOM,
  helper.SKB_CHANGE_HEAD,
  helper.SKB_CHANGE_PROTO,
  helper.SKB_CHANGE_TAIL,
  helper.SKB_PULL_DATA,
  helper.SKB_STORE_BYTES,
  helper.SKB_VLAN_POP,
  helper.SKB_VLAN_PUSH,
  helper.STORE_HDR_OPT,
  helper.XDP_ADJUST_HEAD,
  helper.XDP_ADJUST_META,
  helper.XDP_ADJUST_TAIL,
  helper.TAIL_CALL, // whatever the program that is called may call
]);

/** Helpers that may move packet data (bpf_helper_changes_pkt_data, net/core/filter.c, Linux 6.12). */
export function helperChangesPktData(id: number): boolean {
  return CHANGES_PACKET.has(id);
}

/** BTF and prototype of the function that a call names; null where there is none. */
function resolveFunction(env: Env, id: number): { btf: Btf; protoId: number } | null {
  const { btf } = env.profile;
  if (id <= 0 || !btf.has(id) || btf.kind(id) !== KIND_FUNC) return null;
  const protoId = btf.sizeOrType(id);
  return btf.kind(protoId) === KIND_FUNC_PROTO ? { btf, protoId } : null;
}

/** The kernel function that instruction `i` calls, or null where this program may not call it. */
export function fetchKernelFunction(env: Env, i: number): KernelFunction | null {
  const id = env.insns.imm(i);
  if (env.insns.off(i) !== 0) return null;
  const found = resolveFunction(env, id);
  if (found === null) return null;
  const { profile, progType, expectedAttachType, program } = env;
  const flags = profile.kernelFunctionFlags(progType, id, expectedAttachType, program.attachBtfId);
  return flags < 0 ? null : { id, name: found.btf.typeName(id), flags, ...found };
}

/** Notes that instruction `i` calls a kernel function, and checks that there is one (add_kfunc_call of Linux 6.12). */
export function addKernelFunctionCall(env: Env, i: number): number {
  const id = env.insns.imm(i);
  const off = env.insns.off(i);
  if (!env.gplCompatible) {
    env.log.write('cannot call kernel function from non-GPL compatible program\n');
    return -EINVAL;
  }
  env.callsKernelFunction = true;
  if (id === 0 && off === 0) return 0; // refused later, if it is not dead code
  if (off !== 0) return refuseModule(env, off);
  if (env.kernelFunctions.has(id)) return 0;
  if (env.kernelFunctions.size === MAX_KERNEL_FUNCTIONS) {
    env.log.write('too many different kernel function calls\n');
    return -E2BIG;
  }
  const err = checkFunctionExists(env, id);
  if (err === 0) env.kernelFunctions.add(id);
  return err;
}

/** Functions of modules come with a BTF of their own, which a program here never has. */
function refuseModule(env: Env, off: number): number {
  if (off < 0) {
    env.log.write('negative offset disallowed for kernel module function call\n');
    env.log.write('failed to find BTF for kernel function\n');
    return -EINVAL;
  }
  env.log.write('kfunc offset > 0 without fd_array is invalid\n');
  env.log.write('failed to find BTF for kernel function\n');
  return -EPROTO;
}

function checkFunctionExists(env: Env, id: number): number {
  const { btf, symbols } = env.profile;
  if (id < 0 || !btf.has(id) || btf.kind(id) !== KIND_FUNC) {
    env.log.write(`kernel btf_id ${id >>> 0} is not a function\n`);
    return -EINVAL;
  }
  if (btf.kind(btf.sizeOrType(id)) !== KIND_FUNC_PROTO) {
    env.log.write(`kernel function btf_id ${id} does not have a valid func_proto\n`);
    return -EINVAL;
  }
  const name = btf.typeName(id);
  if (symbols.address(name) === null) {
    env.log.write(`cannot find address for kernel function ${name}\n`);
    return -EINVAL;
  }
  if (env.profile.btfIdSet('xdp_metadata_kfunc_ids').has(id)) {
    env.log.write('metadata kfuncs require device-bound program\n');
    return -EINVAL;
  }
  return 0;
}
