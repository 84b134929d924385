/** The arguments of a helper's call, one by one (check_func_arg of Linux 6.12). */
import { CALLS } from '../../refusals/calls.js';
import { refuse } from '../../refusals/refuse.js';
import type { HelperProto } from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import * as uapi from '../../../targets/uapi.js';
import { isConst, isNull } from '../../domain/scalar.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { markChainPrecision } from '../../prune/precision.js';
import type { ReadonlyReg } from '../../state.js';
import { checkPointerAlignment } from '../../memory/alignment.js';
import { checkFuncArgRegOff } from '../argument-offset.js';
import { checkRegType } from '../argument-types.js';
import type { CallMeta } from '../call-meta.js';
import { checkConstString } from '../const-string.js';
import { checkDynptrArgument } from '../../objects/dynptr-arguments.js';
import { dynptrState } from '../../objects/dynptr-slots.js';
import * as helper from '../../../targets/helper-ids.js';
import { checkKptrArgument } from '../../objects/kptr-type.js';
import { checkSpinLock, checkTimer } from '../../objects/locks.js';
import { checkMemSizeReg } from '../memory-arguments.js';
import { mayAccessPacketData } from '../../memory/packet-access.js';
import { checkLeak } from '../../memory/pointer-leak.js';
import { checkHelperMemAccess } from '../memory-range.js';
import { inRbtreeCallback } from '../../objects/rbtree-callback.js';
import { checkRegArg } from '../../registers.js';
import { isPacketType } from '../../register-types.js';

/** Argument `arg` (0 to 4) of a call, whose register holds it. */
export function checkHelperArgument(env: Env, arg: number, meta: CallMeta, fn: HelperProto, insnIdx: number): number {
  const declared = fn.argTypes[arg]!;
  if (declared === t.ARG_DONTCARE) return 0;
  const regno = arg + 1;
  let err = checkRegArg(env, regno, 'src');
  if (err !== 0) return err;
  if (declared === t.ARG_ANYTHING) return checkLeak(env, regno, 'helper function');
  const reg = currentRegs(env)[regno]!;
  if (isPacketType(t.baseType(reg.type)) && !mayAccessPacketData(env, meta, false)) {
    return refuse(env, CALLS.helperPacketAccess);
  }
  const argType = t.baseType(declared) === t.ARG_PTR_TO_MAP_VALUE ? mapValueType(env, meta, declared) : declared;
  if (argType < 0) return argType;
  if (isNull(reg) && t.mayBeNull(argType)) {
    err = markChainPrecision(env, regno);
  } else {
    err = checkRegType(env, regno, argType, fn.argBtfIds[arg]!, meta) || checkFuncArgRegOff(env, reg, regno, argType);
  }
  if (err === 0) err = noteReferences(env, reg, regno, argType, meta);
  return err === 0 ? checkByKind(env, { arg, argType, fn, insnIdx }, reg, meta) : err;
}

/** What a map's value argument is for the map at hand; negative: an errno. */
function mapValueType(env: Env, meta: CallMeta, argType: number): number {
  if (meta.map === null) {
    return refuse(env, CALLS.mapTypeWithoutMap);
  }
  switch (meta.map.spec.type) {
    case uapi.BPF_MAP_TYPE_SOCKMAP:
    case uapi.BPF_MAP_TYPE_SOCKHASH:
      if (argType === t.ARG_PTR_TO_MAP_VALUE) return t.ARG_PTR_TO_BTF_ID_SOCK_COMMON;
      return refuse(env, CALLS.socketMapArgument);
    case uapi.BPF_MAP_TYPE_BLOOM_FILTER:
      return meta.helperId === helper.MAP_PEEK_ELEM ? t.ARG_PTR_TO_MAP_VALUE : argType;
    default:
      return argType;
  }
}

function checkRelease(env: Env, reg: ReadonlyReg, regno: number, argType: number, meta: CallMeta): number {
  if (t.baseType(argType) === t.ARG_PTR_TO_DYNPTR) {
    if (reg.type !== t.PTR_TO_STACK) {
      return refuse(env, CALLS.dynptrNotOwned);
    }
    const state = dynptrState(env, reg);
    if (typeof state === 'number' || state.refObjId === 0) {
      return refuse(env, CALLS.releasesUnacquired, regno);
    }
  } else if (reg.refObjId === 0 && !isNull(reg)) {
    return refuse(env, CALLS.releasesWithoutReference, regno);
  }
  if (meta.releaseRegno !== 0) {
    return refuse(env, CALLS.twoReleases);
  }
  meta.releaseRegno = regno;
  return 0;
}

function noteReferences(env: Env, reg: ReadonlyReg, regno: number, argType: number, meta: CallMeta): number {
  if ((argType & t.OBJ_RELEASE) !== 0) {
    const err = checkRelease(env, reg, regno, argType, meta);
    if (err !== 0) return err;
  }
  if (reg.refObjId === 0 || t.baseType(argType) === t.ARG_KPTR_XCHG_DEST) return 0;
  if (meta.refObjId !== 0) {
    return refuse(env, CALLS.twoReferences, regno, reg.refObjId, meta.refObjId);
  }
  meta.refObjId = reg.refObjId;
  return 0;
}

interface Argument {
  readonly arg: number;
  readonly argType: number;
  readonly fn: HelperProto;
  readonly insnIdx: number;
}

function checkByKind(env: Env, argument: Argument, reg: ReadonlyReg, meta: CallMeta): number {
  const { arg, argType, fn, insnIdx } = argument;
  const regno = arg + 1;
  switch (t.baseType(argType)) {
    case t.ARG_CONST_MAP_PTR:
      return checkMapPointer(env, reg, meta);
    case t.ARG_PTR_TO_MAP_KEY:
      if (meta.map !== null) return checkHelperMemAccess(env, regno, meta.map.spec.keySize, false, false, null);
      return refuse(env, CALLS.keyWithoutMap);
    case t.ARG_PTR_TO_MAP_VALUE:
      return checkMapValue(env, reg, regno, argType, meta);
    case t.ARG_PTR_TO_PERCPU_BTF_ID:
      return checkPercpuPointer(env, reg, regno, meta);
    case t.ARG_PTR_TO_SPIN_LOCK:
      if (inRbtreeCallback(env)) {
        return refuse(env, CALLS.lockInTreeCallback);
      }
      return checkSpinLock(env, regno, meta.helperId === helper.SPIN_LOCK);
    case t.ARG_PTR_TO_TIMER:
      return checkTimer(env, regno, meta);
    case t.ARG_PTR_TO_FUNC:
      meta.subprog = reg.subprog;
      return 0;
    case t.ARG_PTR_TO_MEM:
      return checkMemory(env, argument, reg, meta);
    case t.ARG_CONST_SIZE:
      return checkMemSizeReg(env, regno, (fn.argTypes[arg - 1]! & t.MEM_WRITE) !== 0, false, meta);
    case t.ARG_CONST_SIZE_OR_ZERO:
      return checkMemSizeReg(env, regno, (fn.argTypes[arg - 1]! & t.MEM_WRITE) !== 0, true, meta);
    case t.ARG_PTR_TO_DYNPTR:
      return checkDynptrArgument(env, regno, insnIdx, argType, 0);
    case t.ARG_CONST_ALLOC_SIZE_OR_ZERO:
      if (!isConst(reg)) {
        return refuse(env, CALLS.argumentNotConstant, regno);
      }
      meta.memSize = reg.valueLo >>> 0;
      return markChainPrecision(env, regno);
    case t.ARG_PTR_TO_CONST_STR:
      return checkConstString(env, regno);
    case t.ARG_KPTR_XCHG_DEST:
      return checkKptrArgument(env, regno, meta);
    default:
      return 0;
  }
}

/** Behind a timer the map must be the timer's: inner maps are told apart by the lookup they came from. */
function checkMapPointer(env: Env, reg: ReadonlyReg, meta: CallMeta): number {
  if (meta.map !== null && (meta.map !== reg.map || meta.mapUid !== reg.mapUid)) {
    return refuse(env, CALLS.timerOfOtherMap, meta.mapUid, reg.mapUid);
  }
  meta.map = reg.map;
  meta.mapUid = reg.mapUid;
  return 0;
}

function checkMapValue(env: Env, reg: ReadonlyReg, regno: number, argType: number, meta: CallMeta): number {
  if (t.mayBeNull(argType) && isNull(reg)) return 0;
  if (meta.map === null) {
    return refuse(env, CALLS.valueWithoutMap);
  }
  meta.rawMode = (argType & t.MEM_UNINIT) !== 0;
  return checkHelperMemAccess(env, regno, meta.map.spec.valueSize, (argType & t.MEM_WRITE) !== 0, false, meta);
}

function checkPercpuPointer(env: Env, reg: ReadonlyReg, regno: number, meta: CallMeta): number {
  if (reg.btfId === 0) {
    return refuse(env, CALLS.percpuArgument, regno);
  }
  meta.retBtf = reg.btf;
  meta.retBtfId = reg.btfId;
  return 0;
}

/** Memory of a fixed size; other memory is checked with the size argument behind it. */
function checkMemory(env: Env, { arg, argType, fn }: Argument, reg: ReadonlyReg, meta: CallMeta): number {
  meta.rawMode = (argType & t.MEM_UNINIT) !== 0;
  if ((argType & t.MEM_FIXED_SIZE) === 0) return 0;
  const size = fn.argSizes[arg]!;
  const err = checkHelperMemAccess(env, arg + 1, size, (argType & t.MEM_WRITE) !== 0, false, meta);
  if (err !== 0 || (argType & t.MEM_ALIGNED) === 0) return err;
  return checkPointerAlignment(env, reg, 0, size, true);
}
