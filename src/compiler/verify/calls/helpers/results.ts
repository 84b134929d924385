/** What a helper returns: type, pointee, ranges (the second half of check_helper_call, Linux 6.12). */
import { CALLS } from '../../refusals/calls.js';
import { refuse } from '../../refusals/refuse.js';
import { FIELD_KPTR_PERCPU, FIELD_SPIN_LOCK } from '../../../btf/record.js';
import { isStructOrUnion, resolveSize } from '../../../btf/layout.js';
import type { HelperProto } from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import * as uapi from '../../../targets/uapi.js';
import { checkBounds, markKnownZero, markUnknown, syncBounds } from '../../domain/scalar.js';
import { ownReg } from '../../env.js';
import type { Env } from '../../env.js';
import type { VerifierMap } from '../../map.js';
import type { Reg } from '../../state.js';
import type { CallMeta } from '../call-meta.js';
import * as helper from '../../../targets/helper-ids.js';
import { acquireReference } from '../../objects/references.js';
import { hasField } from '../../kernel/special-fields.js';

const MAX_ERRNO = 4095;

/** Helpers that return their argument as another type: the reference stays the same. */
const CASTS: ReadonlySet<number> = new Set([
  helper.TCP_SOCK,
  helper.SK_FULLSOCK,
  helper.SKC_TO_TCP_SOCK,
  helper.SKC_TO_TCP6_SOCK,
  helper.SKC_TO_UDP6_SOCK,
  helper.SKC_TO_MPTCP_SOCK,
  helper.SKC_TO_TCP_TIMEWAIT_SOCK,
  helper.SKC_TO_TCP_REQUEST_SOCK,
]);
const ACQUIRES: ReadonlySet<number> = new Set([
  helper.SK_LOOKUP_TCP,
  helper.SK_LOOKUP_UDP,
  helper.SKC_LOOKUP_TCP,
  helper.RINGBUF_RESERVE,
  helper.KPTR_XCHG,
]);

function acquires(id: number, map: VerifierMap | null): boolean {
  if (ACQUIRES.has(id)) return true;
  const type = map?.spec.type;
  return id === helper.MAP_LOOKUP_ELEM && (type === uapi.BPF_MAP_TYPE_SOCKMAP || type === uapi.BPF_MAP_TYPE_SOCKHASH);
}

function setObject(env: Env, r0: Reg, flags: number, fn: HelperProto, meta: CallMeta): number {
  markKnownZero(r0);
  r0.type = t.PTR_TO_BTF_ID | flags;
  r0.btf = env.profile.btf;
  r0.btfId = fn.retBtfId;
  if (fn.id === helper.KPTR_XCHG) {
    const field = meta.kptrField!;
    r0.btf = field.btf;
    r0.btfId = field.btfId;
    if (!field.btf!.isKernel) {
      r0.type |= t.MEM_ALLOC;
      if (field.type === FIELD_KPTR_PERCPU) r0.type |= t.MEM_PERCPU;
    }
  }
  if (r0.btfId !== 0) return 0;
  return refuse(env, CALLS.helperObjectType, t.baseType(fn.retType), env.profile, fn.id);
}

/** A per-CPU variable of the kernel, or of an object that the program allocated (`isAllocatedPercpu`). */
function setMemOrObject(env: Env, r0: Reg, flags: number, meta: CallMeta, isAllocatedPercpu: boolean): number {
  markKnownZero(r0);
  const btf = meta.retBtf!;
  const typeId = btf.skipModifiers(meta.retBtfId);
  if (isStructOrUnion(btf, typeId)) {
    r0.type = isAllocatedPercpu ? t.PTR_TO_BTF_ID | t.MEM_ALLOC | t.MEM_RCU : t.PTR_TO_BTF_ID | (flags & ~t.MEM_RDONLY);
    r0.btf = btf;
    r0.btfId = meta.retBtfId;
    return 0;
  }
  const size = resolveSize(btf, typeId);
  if (size === null) {
    return refuse(env, CALLS.helperResultSize, btf, typeId);
  }
  r0.type = t.PTR_TO_MEM | flags;
  r0.memSize = size.size;
  return 0;
}

function setPointer(r0: Reg, type: number): number {
  markKnownZero(r0);
  r0.type = type;
  return 0;
}

function setMapValue(env: Env, r0: Reg, retType: number, meta: CallMeta): number {
  markKnownZero(r0);
  if (meta.map === null) {
    return refuse(env, CALLS.helperWithoutMap);
  }
  r0.map = meta.map;
  r0.mapUid = meta.mapUid;
  r0.type = t.PTR_TO_MAP_VALUE | t.typeFlags(retType);
  if (!t.mayBeNull(retType) && hasField(meta.map.record, FIELD_SPIN_LOCK)) r0.id = ++env.idGen;
  return 0;
}

function setByType(env: Env, r0: Reg, fn: HelperProto, meta: CallMeta, isAllocatedPercpu: boolean): number {
  const flags = t.typeFlags(fn.retType);
  switch (t.baseType(fn.retType)) {
    case t.RET_INTEGER:
      markUnknown(r0);
      return 0;
    case t.RET_VOID:
      r0.type = t.NOT_INIT;
      return 0;
    case t.RET_PTR_TO_MAP_VALUE:
      return setMapValue(env, r0, fn.retType, meta);
    case t.RET_PTR_TO_SOCKET:
      return setPointer(r0, t.PTR_TO_SOCKET | flags);
    case t.RET_PTR_TO_SOCK_COMMON:
      return setPointer(r0, t.PTR_TO_SOCK_COMMON | flags);
    case t.RET_PTR_TO_TCP_SOCK:
      return setPointer(r0, t.PTR_TO_TCP_SOCK | flags);
    case t.RET_PTR_TO_MEM:
      setPointer(r0, t.PTR_TO_MEM | flags);
      r0.memSize = meta.memSize;
      return 0;
    case t.RET_PTR_TO_MEM_OR_BTF_ID:
      return setMemOrObject(env, r0, flags, meta, isAllocatedPercpu);
    case t.RET_PTR_TO_BTF_ID:
      return setObject(env, r0, flags, fn, meta);
    default:
      return refuse(env, CALLS.helperResultUnknown, t.baseType(fn.retType), env.profile, fn.id);
  }
}

function setReference(env: Env, r0: Reg, fn: HelperProto, meta: CallMeta, insnIdx: number): number {
  const isDynptrData = fn.id === helper.DYNPTR_DATA;
  const isCast = CASTS.has(fn.id);
  const isAcquire = acquires(fn.id, meta.map);
  if (Number(isCast) + Number(isAcquire) + Number(isDynptrData) > 1) {
    return refuse(env, CALLS.helperTwoReferences, env.profile, fn.id);
  }
  if (isDynptrData) r0.dynptrId = meta.dynptrId;
  if (isCast || isDynptrData) {
    r0.refObjId = meta.refObjId;
  } else if (isAcquire) {
    r0.id = acquireReference(env, insnIdx);
    r0.refObjId = r0.id;
  }
  return 0;
}

/** Results with known limits: lengths of what was copied or -errno, CPU numbers (do_refine_retval_range). */
function refine(env: Env, r0: Reg, fn: HelperProto, meta: CallMeta): number {
  if (fn.retType !== t.RET_INTEGER) return 0;
  switch (fn.id) {
    case helper.GET_STACK:
    case helper.GET_TASK_STACK:
    case helper.PROBE_READ_STR:
    case helper.PROBE_READ_KERNEL_STR:
    case helper.PROBE_READ_USER_STR:
      r0.smaxHi = meta.maxSizeHi;
      r0.smaxLo = meta.maxSizeLo;
      r0.s32max = meta.maxSizeLo;
      r0.sminHi = -1;
      r0.sminLo = -MAX_ERRNO;
      r0.s32min = -MAX_ERRNO;
      syncBounds(r0);
      break;
    case helper.GET_SMP_PROCESSOR_ID: {
      const last = env.profile.possibleCpus - 1;
      r0.umaxHi = r0.smaxHi = r0.uminHi = r0.uminLo = r0.sminHi = r0.sminLo = 0;
      r0.umaxLo = r0.u32max = r0.smaxLo = r0.s32max = last;
      r0.u32min = r0.s32min = 0;
      syncBounds(r0);
      break;
    }
  }
  return checkBounds(env, r0, 'retval');
}

/** Sets R0, which has been marked as written, after a helper's call. */
export function setHelperResult(
  env: Env,
  fn: HelperProto,
  meta: CallMeta,
  insnIdx: number,
  isAllocatedPercpu: boolean,
): number {
  const r0 = ownReg(env, 0);
  r0.subregDef = 0;
  const err = setByType(env, r0, fn, meta, isAllocatedPercpu);
  if (err !== 0) return err;
  if (t.mayBeNull(r0.type)) r0.id = ++env.idGen;
  return setReference(env, r0, fn, meta, insnIdx) || refine(env, r0, fn, meta);
}
