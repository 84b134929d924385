/** Lists and trees of the program's objects: their roots under a lock, the nodes that go in and out. */
import * as field from '../../btf/record.js';
import type { BtfField } from '../../btf/record.js';
import * as t from '../../targets/types.js';
import { isConst } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { EFAULT, EINVAL } from '../errno.js';
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

function refuse(env: Env, text: string): number {
  env.log.write(`${text}\n`);
  return -EINVAL;
}

/** The lock that is held must lie beside the root: in the same map value or object. */
function isLocked(env: Env, reg: ReadonlyReg): boolean {
  const { activeLockPtr, activeLockId } = env.state;
  if (activeLockPtr === null) return false;
  const holder = reg.type === t.PTR_TO_MAP_VALUE ? reg.map : reg.btf;
  if (activeLockPtr === holder && activeLockId === reg.id) return true;
  env.log.write('held lock and object are not in the same allocation\n');
  return false;
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
    return refuse(env, `arg#${regno - 1} expected pointer to map value or allocated object`);
  }
  if (reg.type === OBJECT && reg.refObjId === 0) return refuse(env, 'allocated object must be referenced');
  const type = kind === 'list-head' ? field.FIELD_LIST_HEAD : field.FIELD_RB_ROOT;
  const name = NAMES.get(type)!;
  if (!takesRoot(env, meta, type)) {
    env.log.write(`verifier internal error: ${name} head arg for unknown kfunc\n`);
    return -EFAULT;
  }
  if (!isConst(reg)) {
    return refuse(env, `R${regno} doesn't have constant offset. ${name} has to be at the constant offset`);
  }
  const record = regRecord(env, reg);
  const off = constantOffset(reg);
  const found = findField(record, off, type);
  if (found === null) return refuse(env, `${name} not found at offset=${off >>> 0}`);
  if (!isLocked(env, reg)) {
    return refuse(env, `bpf_spin_lock at off=${record!.spinLockOffset} must be held for ${name}`);
  }
  if ((kind === 'list-head' ? meta.listHead : meta.rbtreeRoot) !== null) {
    env.log.write(`verifier internal error: repeating ${name} arg\n`);
    return -EFAULT;
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
    env.log.write(`verifier internal error: ${name} node arg for unknown kfunc\n`);
    return -EFAULT;
  }
  if (!isConst(reg)) {
    return refuse(env, `R${regno} doesn't have constant offset. ${name} has to be at the constant offset`);
  }
  const off = constantOffset(reg);
  if (findField(regRecord(env, reg), off, nodeType) === null) {
    return refuse(env, `${name} not found at offset=${off >>> 0}`);
  }
  const rootBtf = root.btf!;
  const contained = rootBtf.typeName(root.btfId);
  if (!structIdsMatch(env, reg.btf!, reg.btfId, 0, rootBtf, root.btfId, true, !isAllocated(reg.type))) {
    const what = `operation on ${NAMES.get(root.type)!} expects arg#1 ${name} at offset=${root.nodeOffset}`;
    const found = `but arg is at offset=${off} in struct ${reg.btf!.typeName(reg.btfId)}`;
    return refuse(env, `${what} in struct ${contained}, ${found}`);
  }
  meta.argBtf = reg.btf;
  meta.argBtfId = reg.btfId;
  if (off === root.nodeOffset) return 0;
  const expected = `expected ${name} at offset=${root.nodeOffset} in struct ${contained}`;
  return refuse(env, `arg#1 offset=${off}, but ${expected}`);
}

function checkOwned(env: Env, reg: ReadonlyReg, regno: number): number {
  if (reg.type !== OBJECT) return refuse(env, `arg#${regno - 1} expected pointer to allocated object`);
  return reg.refObjId === 0 ? refuse(env, 'allocated object must be referenced') : 0;
}

export function checkListNode(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  return checkOwned(env, reg, regno) || checkNode(env, meta, meta.listHead!, field.FIELD_LIST_NODE, reg, regno);
}

export function checkRbtreeNode(env: Env, meta: KernelCallMeta, reg: ReadonlyReg, regno: number): number {
  if (meta.special === 'bpf_rbtree_remove') {
    if (!isNonOwningRef(reg.type) || reg.refObjId !== 0) {
      return refuse(env, 'rbtree_remove node input must be non-owning ref');
    }
    if (inRbtreeCallback(env)) return refuse(env, 'rbtree_remove not allowed in rbtree cb');
  } else {
    const err = checkOwned(env, reg, regno);
    if (err !== 0) return err;
  }
  return checkNode(env, meta, meta.rbtreeRoot!, field.FIELD_RB_NODE, reg, regno);
}
