/** What a kernel function returns (the second half of check_kfunc_call, Linux 6.12). */
import { KERNEL_CALLS } from '../../refusals/kernel-calls.js';
import { refuse } from '../../refusals/refuse.js';
import { KIND_PTR, KIND_STRUCT, KIND_VOID } from '../../../btf/kinds.js';
import { isStructOrUnion, resolveSize } from '../../../btf/layout.js';
import * as kf from '../../../targets/profile.js';
import * as t from '../../../targets/types.js';
import { markKnownZero, markUnknown } from '../../domain/scalar.js';
import { ownReg } from '../../env.js';
import type { Env } from '../../env.js';
import type { ReadonlyReg, Reg } from '../../state.js';
import { markGraphNode } from '../subprograms/callee-state.js';
import { dynptrTypeFlag } from '../../objects/dynptr-slots.js';
import { iteratorIn } from '../../objects/iterator-arguments.js';
import { isScalarStruct } from './argument-kind.js';
import { isScalarType } from '../../kernel/parameter.js';
import type { KernelCallMeta } from './call-meta.js';
import { setNonOwning } from '../../objects/non-owning.js';
import { mayAccessPacketData } from '../../memory/packet-access.js';
import { acquireReference } from '../../objects/references.js';
import { regMayPointToSpinLock, structRecord } from '../../kernel/special-fields.js';

/** Largest object of bpf_percpu_obj_new (BPF_GLOBAL_PERCPU_MA_MAX_SIZE). */
const MAX_PERCPU_SIZE = 512;

/** R0 is written; of results narrower than 64 bits only the low half. */
function markResultSize(env: Env, bytes: number): void {
  env.state.frame.live.writeReg(0);
  ownReg(env, 0).subregDef = bytes === 8 ? 0 : env.insnIdx + 1;
}

/** A new object of a type of the program's, whose id is a constant argument. */
function setNewObject(env: Env, meta: KernelCallMeta, r0: Reg, insnIdx: number): number {
  const isPercpu = meta.special === 'bpf_percpu_obj_new_impl';
  const constant = meta.constant!;
  if (constant.hi !== 0) return refuse(env, KERNEL_CALLS.newTypeRange);
  const { btf } = env;
  if (btf === null) return refuse(env, KERNEL_CALLS.newWithoutBtf);
  const id = constant.lo >>> 0;
  if (!btf.has(id) || btf.kind(id) !== KIND_STRUCT) {
    return refuse(env, KERNEL_CALLS.newNotStruct);
  }
  const size = btf.sizeOrType(id);
  if (isPercpu && size > MAX_PERCPU_SIZE) {
    return refuse(env, KERNEL_CALLS.newPercpuSize, size, MAX_PERCPU_SIZE);
  }
  const record = structRecord(env, btf, id);
  if (isPercpu && !isScalarStruct(env, btf, id)) {
    return refuse(env, KERNEL_CALLS.newPercpuScalars);
  }
  if (isPercpu && record !== null) {
    return refuse(env, KERNEL_CALLS.newPercpuFields);
  }
  markKnownZero(r0);
  r0.type = t.PTR_TO_BTF_ID | t.MEM_ALLOC | (isPercpu ? t.MEM_PERCPU : 0);
  r0.btf = btf;
  r0.btfId = id;
  const facts = env.facts[insnIdx]!;
  facts.objNewSize = size;
  facts.record = record;
  facts.recordTypeId = record === null ? 0 : id;
  return 0;
}

/** The type that an argument names, for the rewrites. */
export function noteArgumentRecord(env: Env, meta: KernelCallMeta, insnIdx: number): void {
  const facts = env.facts[insnIdx]!;
  facts.record = structRecord(env, meta.argBtf, meta.argBtfId);
  facts.recordTypeId = facts.record === null ? 0 : meta.argBtfId;
}

function setObject(r0: Reg, type: number, btf: ReadonlyReg['btf'], btfId: number): number {
  markKnownZero(r0);
  r0.type = t.PTR_TO_BTF_ID | type;
  r0.btf = btf;
  r0.btfId = btfId;
  return 0;
}

function setReadOnlyCast(env: Env, meta: KernelCallMeta, r0: Reg): number {
  const { btf } = meta.fn;
  const id = meta.constant!.lo >>> 0; // the kernel, too, looks at the low half alone
  if (!btf.has(id) || !isStructOrUnion(btf, id)) {
    return refuse(env, KERNEL_CALLS.castNotStruct);
  }
  return setObject(r0, t.PTR_UNTRUSTED, btf, id);
}

function setSlice(env: Env, meta: KernelCallMeta, r0: Reg): number {
  markKnownZero(r0);
  if (meta.constant === null) {
    return refuse(env, KERNEL_CALLS.sliceSize);
  }
  r0.memSize = meta.constant.lo >>> 0;
  r0.type = t.PTR_TO_MEM | dynptrTypeFlag(meta.dynptrType);
  if (meta.special === 'bpf_dynptr_slice') r0.type |= t.MEM_RDONLY;
  else if (!mayAccessPacketData(env, null, true)) {
    return refuse(env, KERNEL_CALLS.sliceReadOnly);
  }
  if (meta.dynptrId === 0) {
    return refuse(env, KERNEL_CALLS.sliceDynptr);
  }
  r0.dynptrId = meta.dynptrId;
  return 0;
}

/** Results of functions with rules of their own; null for other functions. */
function setSpecial(env: Env, meta: KernelCallMeta, r0: Reg, insnIdx: number): number | null {
  switch (meta.special) {
    case 'bpf_obj_new_impl':
    case 'bpf_percpu_obj_new_impl':
      return setNewObject(env, meta, r0, insnIdx);
    case 'bpf_refcount_acquire_impl':
      noteArgumentRecord(env, meta, insnIdx);
      return setObject(r0, t.MEM_ALLOC, meta.argBtf, meta.argBtfId);
    case 'bpf_list_pop_front':
    case 'bpf_list_pop_back':
      markGraphNode(r0, meta.listHead!);
      return 0;
    case 'bpf_rbtree_remove':
    case 'bpf_rbtree_first':
      markGraphNode(r0, meta.rbtreeRoot!);
      return 0;
    case 'bpf_cast_to_kern_ctx':
      return setObject(r0, t.PTR_TRUSTED, meta.fn.btf, meta.resultBtfId);
    case 'bpf_rdonly_cast':
      return setReadOnlyCast(env, meta, r0);
    case 'bpf_dynptr_slice':
    case 'bpf_dynptr_slice_rdwr':
      return setSlice(env, meta, r0);
    default:
      return null;
  }
}

/** A pointer to something that is no struct: memory of a known size. */
function setMemory(env: Env, meta: KernelCallMeta, r0: Reg, pointee: number): number {
  const { btf, name } = meta.fn;
  let size = meta.resultSize;
  let readOnly = meta.resultReadOnly;
  if (size === 0) {
    size = resolveSize(btf, pointee)?.size ?? 0;
    readOnly = true;
  }
  if (size === 0) {
    return refuse(env, KERNEL_CALLS.kfuncResultType, name, btf, pointee);
  }
  markKnownZero(r0);
  r0.type = t.PTR_TO_MEM | (readOnly ? t.MEM_RDONLY : 0);
  r0.memSize = size;
  if (meta.refObjId !== 0) r0.refObjId = meta.refObjId; // memory of a referenced object goes with it
  return 0;
}

function setPointee(env: Env, meta: KernelCallMeta, r0: Reg, pointerId: number, insnIdx: number): number {
  const special = setSpecial(env, meta, r0, insnIdx);
  if (special !== null) return special;
  const { btf } = meta.fn;
  const pointee = btf.skipModifiers(btf.sizeOrType(pointerId));
  if (btf.kind(pointee) === KIND_VOID) {
    markUnknown(r0);
    return 0;
  }
  if (btf.kind(pointee) !== KIND_STRUCT) return setMemory(env, meta, r0, pointee);
  let flags = 0;
  if (meta.has(kf.KF_ITER_NEXT)) {
    flags = (iteratorIn(env.state, meta).type & t.MEM_RCU) !== 0 ? t.MEM_RCU : t.PTR_TRUSTED;
  }
  return setObject(r0, flags, btf, pointee);
}

function setPointer(env: Env, meta: KernelCallMeta, r0: Reg, typeId: number, insnIdx: number): number {
  const err = setPointee(env, meta, r0, typeId, insnIdx);
  if (err !== 0) return err;
  if (meta.mayReturnNull) {
    r0.type |= t.PTR_MAYBE_NULL;
    r0.id = ++env.idGen;
  }
  markResultSize(env, 8);
  if (meta.has(kf.KF_ACQUIRE)) {
    const id = acquireReference(env, insnIdx);
    if (meta.mayReturnNull) r0.id = id;
    r0.refObjId = id;
  } else if (meta.special === 'bpf_rbtree_first') {
    setNonOwning(env, r0);
  }
  if (r0.id === 0 && regMayPointToSpinLock(env, r0)) r0.id = ++env.idGen;
  return 0;
}

/** Functions that acquire return an object. */
function checkAcquire(env: Env, meta: KernelCallMeta, typeId: number): number {
  if (!meta.has(kf.KF_ACQUIRE)) return 0;
  const { btf } = meta.fn;
  const isPointer = btf.kind(typeId) === KIND_PTR;
  if (isPointer && isStructOrUnion(btf, btf.skipModifiers(btf.sizeOrType(typeId)))) return 0;
  switch (meta.special) {
    case 'bpf_obj_new_impl':
    case 'bpf_percpu_obj_new_impl':
    case 'bpf_refcount_acquire_impl':
      return 0;
    default:
      return refuse(env, KERNEL_CALLS.kfuncAcquiresNothing);
  }
}

/** Sets R0, which holds nothing, after a kernel function's call. */
export function setKernelFunctionResult(env: Env, meta: KernelCallMeta, insnIdx: number): number {
  const { btf, protoId } = meta.fn;
  const typeId = btf.skipModifiers(btf.sizeOrType(protoId));
  const err = checkAcquire(env, meta, typeId);
  if (err !== 0) return err;
  const r0 = ownReg(env, 0);
  if (isScalarType(btf, typeId)) {
    markUnknown(r0);
    markResultSize(env, btf.sizeOrType(typeId));
  } else if (btf.kind(typeId) === KIND_PTR) {
    return setPointer(env, meta, r0, typeId, insnIdx);
  } else if (meta.special === 'bpf_obj_drop_impl' || meta.special === 'bpf_percpu_obj_drop_impl') {
    noteArgumentRecord(env, meta, insnIdx);
  }
  return 0;
}
