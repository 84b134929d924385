/** Lists and trees of the program's objects: their roots under a lock, the nodes that go in and out. */
import { OBJECTS } from '../refusals/objects.js';
import { KERNEL_CALLS } from '../refusals/kernel-calls.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as field from '../../btf/record.js';
import type { BtfField } from '../../btf/record.js';
import * as t from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';
import { structIdsMatch } from '../kernel/btf-walk.js';
import { constantOffset } from './dynptr-slots.js';
import type { KernelCallMeta } from '../calls/kernel/call-meta.js';
import { inRbtreeCallback, isListFunction, isRbtreeFunction } from './rbtree-callback.js';
import { findField, regRecord } from '../kernel/special-fields.js';
import { isAllocated, isNonOwningRef } from '../register-types.js';

const NAMES: ReadonlyMap<number, string> = new Map([
  [field.FIELD_LIST_HEAD, 'bpf_list_head'],
  [field.FIELD_LIST_NODE, 'bpf_list_node'],
  [field.FIELD_RB_ROOT, 'bpf_rb_root'],
  [field.FIELD_RB_NODE, 'bpf_rb_node'],
]);

const OBJECT = t.PTR_TO_BTF_ID | t.MEM_ALLOC;

/** The lock that is held must lie beside the root: in the same map value or object. */
function isLocked({ state }: Env, reg: ReadonlyReg): boolean {
  const holder = reg.type === t.PTR_TO_MAP_VALUE ? reg.map : reg.btf;
  return state.activeLockPtr !== null && state.activeLockPtr === holder && state.activeLockId === reg.id;
}

/** The kernel functions of lists take list heads, those of trees tree roots. */
function takesRoot(env: Env, meta: KernelCallMeta, type: number): boolean {
  const { id } = meta.fn;
  return type === field.FIELD_LIST_HEAD ? isListFunction(env, id) : isRbtreeFunction(env, id);
}

export function checkGraphRoot(
  env: Env,
  meta: KernelCallMeta,
  kind: 'list-head' | 'rb-root',
  reg: ReadonlyReg,
  regno: number,
): number {
  if (reg.type !== t.PTR_TO_MAP_VALUE && reg.type !== OBJECT) {
    return refuse(env, OBJECTS.rootArgument, regno);
  }
  if (reg.type === OBJECT && reg.refObjId === 0) return refuse(env, KERNEL_CALLS.allocatedWithoutReference);
  const type = kind === 'list-head' ? field.FIELD_LIST_HEAD : field.FIELD_RB_ROOT;
  const name = NAMES.get(type)!;
  if (!takesRoot(env, meta, type)) {
    return refuse(env, OBJECTS.rootFunctionUnknown, name);
  }
  if (!isConst(reg)) {
    return refuse(env, OBJECTS.fieldVariableOffset, regno, name);
  }
  const record = regRecord(env, reg);
  const off = constantOffset(reg);
  const found = findField(record, off, type);
  if (found === null) return refuse(env, OBJECTS.noFieldThere, name, off);
  if (!isLocked(env, reg)) {
    if (env.state.activeLockPtr === null) return refuse(env, OBJECTS.lockNotHeld, record!.spinLockOffset, name);
    const errno = refuse(env, OBJECTS.otherLockHeld);
    amend(env, OBJECTS.lockNotHeld, record!.spinLockOffset, name);
    return errno;
  }
  if ((kind === 'list-head' ? meta.listHead : meta.rbtreeRoot) !== null) {
    return refuse(env, OBJECTS.rootTwice, name);
  }
  if (kind === 'list-head') meta.listHead = found;
  else meta.rbtreeRoot = found;
  return 0;
}

function takesNode(meta: KernelCallMeta, nodeType: number): boolean {
  const { special } = meta;
  return nodeType === field.FIELD_LIST_NODE
    ? special === 'bpf_list_push_front_impl' || special === 'bpf_list_push_back_impl'
    : special === 'bpf_rbtree_remove' || special === 'bpf_rbtree_add_impl';
}

/** The node must be the one that the root's `contains` tag names. */
function checkNode(
  env: Env,
  meta: KernelCallMeta,
  root: BtfField,
  nodeType: number,
  reg: ReadonlyReg,
  regno: number,
): number {
  const name = NAMES.get(nodeType)!;
  if (!takesNode(meta, nodeType)) {
    return refuse(env, OBJECTS.nodeFunctionUnknown, name);
  }
  if (!isConst(reg)) {
    return refuse(env, OBJECTS.fieldVariableOffset, regno, name);
  }
  const off = constantOffset(reg);
  if (findField(regRecord(env, reg), off, nodeType) === null) {
    return refuse(env, OBJECTS.noFieldThere, name, off);
  }
  const rootBtf = root.btf!;
  if (!structIdsMatch(env, reg.btf!, reg.btfId, 0, rootBtf, root.btfId, true, !isAllocated(reg.type))) {
    return refuse(
      env,
      OBJECTS.nodeOfOtherStruct,
      NAMES.get(root.type)!,
      name,
      root.nodeOffset,
      rootBtf,
      root.btfId,
      off,
      reg.btf!,
      reg.btfId,
    );
  }
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  if (off === root.nodeOffset) return 0;
  return refuse(env, OBJECTS.nodeOffset, off, name, root.nodeOffset, rootBtf, root.btfId);
}

function checkOwned(env: Env, reg: ReadonlyReg, regno: number): number {
  if (reg.type !== OBJECT) return refuse(env, OBJECTS.nodeArgument, regno);
  return reg.refObjId === 0 ? refuse(env, KERNEL_CALLS.allocatedWithoutReference) : 0;
}

export function checkListNode(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  return checkOwned(env, reg, regno) || checkNode(env, meta, meta.listHead!, field.FIELD_LIST_NODE, reg, regno);
}

export function checkRbtreeNode(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  if (meta.special === 'bpf_rbtree_remove') {
    if (!isNonOwningRef(reg.type) || reg.refObjId !== 0) {
      return refuse(env, OBJECTS.removesOwned);
    }
    if (inRbtreeCallback(env)) return refuse(env, OBJECTS.removesInCallback);
  } else {
    const err = checkOwned(env, reg, regno);
    if (err !== 0) return err;
  }
  return checkNode(env, meta, meta.rbtreeRoot!, field.FIELD_RB_NODE, reg, regno);
}
