/** The arguments of a kernel function's call, one by one (check_kfunc_args of Linux 6.12; Documentation/bpf/kfuncs.rst). */
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { CALLS } from '../../refusals/calls.js';
import { amend, refuse } from '../../refusals/refuse.js';
import * as kf from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import { resolveSize } from '../../../btf/layout.js';
import { isConst, isNull } from '../../domain/scalar.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { markChainPrecision } from '../../prune/precision.js';
import type { ReadonlyReg } from '../../state.js';
import { checkFuncArgRegOff } from '../argument-offset.js';
import { checkConstString } from '../const-string.js';
import { kernelContextTypeId } from '../../kernel/context-type.js';
import { checkGraphRoot, checkListNode, checkRbtreeNode } from '../../objects/graph-arguments.js';
import { checkIteratorArgument } from '../../objects/iterator-arguments.js';
import type { KernelCallMeta } from './call-meta.js';
import { isMemSize, pointerKind } from './argument-kind.js';
import type { PointerKind } from './argument-kind.js';
import {
  checkAllocObject,
  checkKernelDynptr,
  checkMap,
  checkObject,
  checkRefcounted,
  checkWorkqueue,
} from './object-arguments.js';
import { MAX_ARGUMENTS } from '../../kernel/parameter.js';
import type { Parameter } from '../../kernel/parameter.js';
import { checkKernelMemSizeReg, checkMemReg } from '../memory-arguments.js';
import { isRcuReg, isTrustedReg, typeMaybeNull } from '../../register-types.js';

/** Sets the one constant argument; `regno` holds it. */
function setConstant(env: Env, meta: KernelCallMeta, regno: number): number {
  const reg = currentRegs(env)[regno]!;
  if (meta.constant !== null) {
    return refuse(env, KERNEL_CALLS.twoConstants);
  }
  if (!isConst(reg)) {
    return refuse(env, KERNEL_CALLS.kfuncArgumentNotConstant, regno);
  }
  meta.constant = { hi: reg.valueHi, lo: reg.valueLo };
  return 0;
}

/** A parameter that says how many bytes the result points to. */
function setResultSize(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  if (meta.resultSize !== 0) {
    return refuse(env, KERNEL_CALLS.twoResultSizes);
  }
  if (!isConst(reg)) {
    return refuse(env, KERNEL_CALLS.resultSizeNotConstant, regno);
  }
  meta.resultSize = reg.valueLo >>> 0;
  if (reg.valueHi !== 0) {
    return refuse(env, KERNEL_CALLS.resultSizeTooLarge, regno);
  }
  return markChainPrecision(env, regno);
}

function checkScalar(env: Env, meta: KernelCallMeta, parameter: Parameter, reg: ReadonlyReg, regno: number): number {
  if (reg.type !== t.SCALAR_VALUE) {
    return refuse(env, KERNEL_CALLS.argumentNotScalar, regno);
  }
  if (parameter.endsWith('__k')) {
    const err = setConstant(env, meta, regno);
    return err === 0 ? markChainPrecision(env, regno) : err;
  }
  if (parameter.name === 'rdonly_buf_size') meta.resultReadOnly = true;
  else if (parameter.name !== 'rdwr_buf_size') return 0;
  return setResultSize(env, meta, reg, regno);
}

function noteReference(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  if (reg.refObjId === 0) return 0;
  if (meta.isRelease && meta.refObjId !== 0) {
    return refuse(env, CALLS.twoReferences, regno, reg.refObjId, meta.refObjId);
  }
  meta.refObjId = reg.refObjId;
  if (meta.isRelease) meta.releaseRegno = regno;
  return 0;
}

/** Objects must be trusted, or protected by RCU, where the function says so. */
function checkTrust(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  const isRcu = meta.has(kf.KF_RCU);
  if ((!meta.trustedArgs && !isRcu) || isTrustedReg(reg)) return 0;
  if (!isRcu) {
    return refuse(env, KERNEL_CALLS.argumentNotTrusted, regno);
  }
  if (isRcuReg(reg)) return 0;
  return refuse(env, KERNEL_CALLS.argumentNotRcu, regno);
}

function checkContext(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, arg: number): number {
  if (reg.type !== t.PTR_TO_CTX) {
    return refuse(env, KERNEL_CALLS.kfuncContextArgument, arg, reg.type);
  }
  if (meta.special !== 'bpf_cast_to_kern_ctx') return 0;
  const id = kernelContextTypeId(env);
  if (id < 0) return id;
  meta.resultBtfId = id;
  return 0;
}

function checkMemory(env: Env, parameter: Parameter, regno: number): number {
  const { btf, pointee, index } = parameter;
  const size = resolveSize(btf, pointee);
  if (size === null) {
    return refuse(env, KERNEL_CALLS.kfuncMemorySize, index, btf, pointee);
  }
  return checkMemReg(env, regno, size.size);
}

/** A pointer with its size in the next argument. */
function checkMemoryAndSize(env: Env, meta: KernelCallMeta, parameter: Parameter, regno: number): number {
  const { index } = parameter;
  const regs = currentRegs(env);
  const size = meta.fn.parameters[index + 1]!;
  if (!isNull(regs[regno]!) || !parameter.endsWith('__opt')) {
    const err = checkKernelMemSizeReg(env, regno + 1);
    if (err < 0) {
      amend(env, KERNEL_CALLS.kfuncMemoryPair, index);
      return err;
    }
  }
  return isMemSize(size, regs[regno + 1]!, '__szk') ? setConstant(env, meta, regno + 1) : 0;
}

function checkByKind(
  env: Env,
  meta: KernelCallMeta,
  kind: PointerKind,
  parameter: Parameter,
  reg: ReadonlyReg,
  insnIdx: number,
): number {
  const arg = parameter.index;
  const regno = arg + 1;
  switch (kind) {
    case 'ctx':
      return checkContext(env, meta, reg, arg);
    case 'alloc-object':
      return checkAllocObject(env, meta, reg, arg);
    case 'dynptr':
      return checkKernelDynptr(env, meta, parameter, reg, insnIdx);
    case 'iter':
      return checkIteratorArgument(env, meta, parameter, insnIdx);
    case 'list-head':
    case 'rb-root':
      return checkGraphRoot(env, meta, kind, reg, regno);
    case 'list-node':
      return checkListNode(env, meta, reg, regno);
    case 'rb-node':
      return checkRbtreeNode(env, meta, reg, regno);
    case 'map':
    case 'object':
      return checkObject(env, meta, parameter, reg, kind === 'map');
    case 'mem':
      return checkMemory(env, parameter, regno);
    case 'mem-size':
      return checkMemoryAndSize(env, meta, parameter, regno);
    case 'callback':
      if (reg.type !== t.PTR_TO_FUNC) {
        return refuse(env, KERNEL_CALLS.kfuncCallbackArgument, arg);
      }
      meta.subprog = reg.subprog;
      return 0;
    case 'refcounted':
      return checkRefcounted(env, meta, reg, arg);
    case 'const-str':
      if (reg.type === t.PTR_TO_MAP_VALUE) return checkConstString(env, regno);
      return refuse(env, KERNEL_CALLS.kfuncStringArgument, arg);
    case 'workqueue':
      return checkWorkqueue(env, meta, reg, arg);
    case 'null':
      return 0;
  }
}

/** A pointer argument; answers its kind, or a negative errno. */
function checkPointer(env: Env, meta: KernelCallMeta, parameter: Parameter, insnIdx: number): PointerKind | number {
  const regno = parameter.index + 1;
  const reg = currentRegs(env)[regno]!;
  const mustBeValid = meta.trustedArgs || meta.has(kf.KF_RCU);
  if (mustBeValid && (isNull(reg) || typeMaybeNull(reg.type)) && !parameter.endsWith('__nullable')) {
    return refuse(env, KERNEL_CALLS.kfuncArgumentNullable, parameter.index);
  }
  let err = noteReference(env, meta, reg, regno);
  if (err !== 0) return err;
  const kind = pointerKind(env, meta, parameter);
  if (typeof kind === 'number' || kind === 'null') return kind;
  if (kind === 'map') err = checkMap(env, meta, reg, regno);
  if (err === 0 && (kind === 'map' || kind === 'alloc-object' || kind === 'object')) {
    err = checkTrust(env, meta, reg, regno);
  }
  const argType = meta.isRelease && reg.refObjId !== 0 ? t.OBJ_RELEASE : t.ARG_DONTCARE;
  err ||= checkFuncArgRegOff(env, reg, regno, argType);
  err ||= checkByKind(env, meta, kind, parameter, reg, insnIdx);
  return err === 0 ? kind : err;
}

/** Checks all arguments of the call at `insnIdx`, filling `meta`. */
export function checkKernelFunctionArguments(env: Env, meta: KernelCallMeta, insnIdx: number): number {
  const { btf, protoId, name, parameters } = meta.fn;
  const count = btf.vlen(protoId);
  if (count > MAX_ARGUMENTS) {
    return refuse(env, KERNEL_CALLS.kfuncTooManyArguments, name, count);
  }
  for (let i = 0; i < count; i++) {
    const parameter = parameters[i]!;
    const reg = currentRegs(env)[i + 1]!;
    if (parameter.endsWith('__ign')) continue;
    if (parameter.isScalar) {
      const err = checkScalar(env, meta, parameter, reg, i + 1);
      if (err !== 0) return err;
      continue;
    }
    if (!parameter.isPointer) {
      return refuse(env, KERNEL_CALLS.kfuncArgumentUnknown, i, btf, parameter.typeId);
    }
    const kind = checkPointer(env, meta, parameter, insnIdx);
    if (typeof kind === 'number') return kind;
    if (kind === 'mem-size') i++; // the size was checked with its memory
  }
  if (!meta.isRelease || meta.releaseRegno !== 0) return 0;
  return refuse(env, KERNEL_CALLS.kfuncReleasesNothing, name);
}
