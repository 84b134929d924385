/** Objects handed to kernel functions: the kernel's, the program's own, maps, dynptrs, work queues. */
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { CALLS } from '../../refusals/calls.js';
import { refuse, refuseAs } from '../../refusals/refuse.js';
import type { Btf } from '../../../btf/btf.js';
import * as t from '../../../targets/types.js';
import type { Env } from '../../env.js';
import { regTypeName } from '../../log/register.js';
import type { ReadonlyReg } from '../../state.js';
import { structIdsMatch } from '../../kernel/btf-walk.js';
import { isProjectionOf } from '../../kernel/context-type.js';
import { checkDynptrArgument } from '../../objects/dynptr-arguments.js';
import { DYNPTR_INVALID, dynptrState, dynptrTypeFlag, isRefcounted } from '../../objects/dynptr-slots.js';
import type { KernelCallMeta } from './call-meta.js';
import type { Parameter } from '../../kernel/parameter.js';
import { structBehind } from '../../kernel/types.js';
import { checkFieldOffset } from '../../objects/locks.js';
import { regRecord } from '../../kernel/special-fields.js';
import { hasUnsafeModifiers, isAllocated, isAllocatedObject, isNonOwningRef, isRcuReg } from '../../register-types.js';

const TRUSTED_FLAGS = t.MEM_ALLOC | t.PTR_TRUSTED | t.NON_OWN_REF;
/** Types that differ in this suffix alone must not be mixed (btf_type_ids_nocast_alias). */
const NO_CAST_SUFFIX = '___init';

function isNoCastAlias(a: string, b: string): boolean {
  return a === b + NO_CAST_SUFFIX || b === a + NO_CAST_SUFFIX;
}

/** A map argument (`__map`): behind a work queue it must be the queue's own. */
export function checkMap(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  // A kernel pointer passes for a map here: that it points to a struct bpf_map is checked with all other objects.
  if (reg.map === null && t.baseType(reg.type) === t.PTR_TO_BTF_ID) return 0;
  if (reg.map === null) {
    return refuse(env, KERNEL_CALLS.kfuncMapArgument, regno);
  }
  const holdsQueue = (reg.map?.record?.workqueueOffset ?? -1) >= 0;
  if (meta.map !== null && holdsQueue && (meta.map !== reg.map || meta.mapUid !== reg.mapUid)) {
    return refuse(env, KERNEL_CALLS.workqueueOfOtherMap, meta.mapUid, reg.mapUid);
  }
  meta.map = reg.map;
  meta.mapUid = reg.mapUid;
  return 0;
}

/** A kernel object: of the type that the prototype wants, or for maps of the kernel's struct bpf_map. */
export function checkObject(
  env: Env,
  meta: KernelCallMeta,
  parameter: Parameter,
  reg: ReadonlyReg,
  isMap: boolean,
): number {
  const base = t.baseType(reg.type);
  const usable = base === t.PTR_TO_BTF_ID && (!hasUnsafeModifiers(reg.type) || isRcuReg(reg));
  if (!usable && structBehind(env, base) === 0) {
    const expected = regTypeName(base | (t.typeFlags(reg.type) & TRUSTED_FLAGS));
    return refuse(env, KERNEL_CALLS.kfuncObjectArgument, parameter.index, reg.type, expected);
  }
  const wanted = isMap ? structBehind(env, t.CONST_PTR_TO_MAP) : parameter.pointee;
  return checkObjectType(env, meta, parameter, reg, wanted);
}

function checkObjectType(
  env: Env,
  meta: KernelCallMeta,
  parameter: Parameter,
  reg: ReadonlyReg,
  wanted: number,
): number {
  const { btf } = parameter;
  const isObject = t.baseType(reg.type) === t.PTR_TO_BTF_ID;
  const regBtf: Btf = isObject ? reg.btf! : env.profile.btf;
  const regId = isObject ? reg.btfId : structBehind(env, t.baseType(reg.type));
  const wantedName = btf.typeName(wanted);
  const isAlias = isNoCastAlias(regBtf.typeName(regId), wantedName);
  const strict = (meta.isRelease && reg.refObjId !== 0) || isAlias;
  const id = regBtf.skipModifiers(regId);
  const matches = structIdsMatch(env, regBtf, id, reg.off, btf, wanted, strict, !isAllocated(reg.type));
  const name = regBtf.typeName(id);
  if (matches || isProjectionOf(wantedName, name)) return 0;
  const { index } = parameter;
  return refuse(env, KERNEL_CALLS.kfuncObjectType, index + 1, meta.fn.name, index, btf, wanted, regBtf, id);
}

/** An object of the program's that it gives back. */
export function checkAllocObject(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, arg: number): number {
  const object = t.PTR_TO_BTF_ID | t.MEM_ALLOC;
  if (reg.type === object) {
    if (meta.special !== 'bpf_obj_drop_impl') return refuse(env, KERNEL_CALLS.dropsAllocated, arg);
  } else if (reg.type === (object | t.MEM_PERCPU)) {
    if (meta.special !== 'bpf_percpu_obj_drop_impl') return refuse(env, KERNEL_CALLS.dropsPercpu, arg);
  } else {
    return refuse(env, KERNEL_CALLS.kfuncAllocatedArgument, arg);
  }
  if (reg.refObjId === 0) return refuse(env, KERNEL_CALLS.allocatedWithoutReference);
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  return 0;
}

/** An object with a reference count. */
export function checkRefcounted(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, arg: number): number {
  if (!isAllocatedObject(reg.type)) {
    return refuse(env, KERNEL_CALLS.refcountNotOwned, arg);
  }
  if (!isNonOwningRef(reg.type) && reg.refObjId !== 0) meta.argIsOwning = true;
  const record = regRecord(env, reg);
  if (record === null) {
    return refuse(env, KERNEL_CALLS.refcountRecord);
  }
  if (record.refcountOffset < 0) {
    return refuse(env, KERNEL_CALLS.refcountMissing, arg);
  }
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  return 0;
}

export function checkWorkqueue(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, arg: number): number {
  if (reg.type !== t.PTR_TO_MAP_VALUE) {
    return refuse(env, KERNEL_CALLS.workqueueArgument, arg);
  }
  const err = checkFieldOffset(env, reg, reg.map!.record?.workqueueOffset ?? -1, 'bpf_wq');
  if (err !== 0) return err;
  meta.map = reg.map;
  meta.mapUid = reg.mapUid;
  return 0;
}

/** Flags of a dynptr argument: what the register is, and what the function makes of it. */
function dynptrArgType(env: Env, meta: KernelCallMeta, parameter: Parameter, reg: ReadonlyReg): number {
  let type = t.ARG_PTR_TO_DYNPTR;
  if (reg.type === t.CONST_PTR_TO_DYNPTR) type |= t.MEM_RDONLY;
  if (parameter.endsWith('__uninit')) type |= t.MEM_UNINIT;
  if (meta.special === 'bpf_dynptr_from_skb') return type | t.DYNPTR_TYPE_SKB;
  if (meta.special === 'bpf_dynptr_from_xdp') return type | t.DYNPTR_TYPE_XDP;
  if (meta.special !== 'bpf_dynptr_clone' || (type & t.MEM_UNINIT) === 0) return type;
  if (meta.dynptrType === DYNPTR_INVALID) {
    return refuse(env, KERNEL_CALLS.cloneWithoutType);
  }
  if (isRefcounted(meta.dynptrType) && meta.dynptrRefObjId === 0) {
    return refuse(env, KERNEL_CALLS.cloneWithoutReference);
  }
  return type | dynptrTypeFlag(meta.dynptrType);
}

export function checkKernelDynptr(
  env: Env,
  meta: KernelCallMeta,
  parameter: Parameter,
  reg: ReadonlyReg,
  insnIdx: number,
): number {
  const type = dynptrArgType(env, meta, parameter, reg);
  if (type < 0) return type;
  const isClone = meta.special === 'bpf_dynptr_clone' && (type & t.MEM_UNINIT) !== 0;
  const err = checkDynptrArgument(env, parameter.index + 1, insnIdx, type, isClone ? meta.dynptrRefObjId : 0);
  if (err !== 0 || (type & t.MEM_UNINIT) !== 0) return err;
  const state = dynptrState(env, reg);
  if (typeof state === 'number') {
    return refuseAs(env, -state, CALLS.dynptrWithoutId);
  }
  meta.dynptrId = state.id;
  meta.dynptrType = state.dynptrType;
  meta.dynptrRefObjId = state.refObjId;
  return 0;
}
