/** What a callback is entered with, by the helper or kernel function that calls it (set_callee_state callbacks of Linux 6.12). */
import { OWN_CALLS } from '../../refusals/own-calls.js';
import { refuse } from '../../refusals/refuse.js';
import { FIELD_RB_ROOT } from '../../../btf/record.js';
import type { BtfField } from '../../../btf/record.js';
import * as t from '../../../targets/types.js';
import { NOT_INIT_REG, markKnownZero } from '../../domain/scalar.js';
import type { Env } from '../../env.js';
import type { Frame, ReadonlyReg, Reg } from '../../state.js';
import { DYNPTR_LOCAL, markDynptrReg } from '../../objects/dynptr-slots.js';
import { kernelTypes } from '../../kernel/types.js';
import { setNonOwning } from '../../objects/non-owning.js';
import { findField, regRecord } from '../../kernel/special-fields.js';

/** Sets up `callee`, called from `caller` at instruction `insnIdx`; 0 or a negative errno. */
export type SetCalleeState = (env: Env, caller: Frame, callee: Frame, insnIdx: number) => number;

/** A register of one frame becomes one of another's, its past included: reads of it are reads of that. */
export function inheritReg(to: Frame, register: number, from: Frame, source: number): void {
  to.takeReg(register, from, source);
  to.live.inherit(register, from.live, source);
}

/** A synchronous callback: it may answer 0 or 1, and comes back to the call. */
function enterSync(callee: Frame, firstUnused: number): void {
  for (let i = firstUnused; i <= 5; i++) callee.setReg(i, NOT_INIT_REG);
  callee.inCallbackFn = true;
  callee.callbackRet = [0, 1];
}

/** A call of a subprogram: R1 to R5 are handed over, liveness and all. */
export function setSubprogramState(_env: Env, caller: Frame, callee: Frame): number {
  for (let i = 1; i <= 5; i++) inheritReg(callee, i, caller, i);
  return 0;
}

function setMapPointer(reg: Reg, type: number, map: ReadonlyReg): void {
  const { map: of, mapUid } = map;
  reg.type = type;
  markKnownZero(reg);
  reg.map = of;
  reg.mapUid = mapUid;
}

/** long callback(struct bpf_map *map, const void *key, void *value, void *ctx) */
export function setMapElemCallback(env: Env, caller: Frame, callee: Frame, insnIdx: number): number {
  const { map } = env.facts[insnIdx]!;
  const ops = map === null ? null : env.profile.mapOps(map.spec.type);
  if ((ops?.forEachCallback ?? null) === null) {
    return refuse(env, OWN_CALLS.callbackNotForMap);
  }
  const from = caller.regs[1]!;
  inheritReg(callee, 1, caller, 1);
  setMapPointer(callee.ownReg(2), t.PTR_TO_MAP_KEY, from);
  setMapPointer(callee.ownReg(3), t.PTR_TO_MAP_VALUE, from);
  inheritReg(callee, 4, caller, 3);
  enterSync(callee, 5);
  return 0;
}

/** long callback(u32 index, void *ctx) */
export function setLoopCallback(_env: Env, caller: Frame, callee: Frame): number {
  callee.ownReg(1).type = t.SCALAR_VALUE;
  inheritReg(callee, 2, caller, 3);
  enterSync(callee, 3);
  return 0;
}

/** int callback(struct bpf_map *map, void *key, struct … *value): of timers and work queues. */
export function setTimerCallback(_env: Env, caller: Frame, callee: Frame): number {
  const from = caller.regs[1]!;
  setMapPointer(callee.ownReg(1), t.CONST_PTR_TO_MAP, from);
  setMapPointer(callee.ownReg(2), t.PTR_TO_MAP_KEY, from);
  setMapPointer(callee.ownReg(3), t.PTR_TO_MAP_VALUE, from);
  callee.setReg(4, NOT_INIT_REG);
  callee.setReg(5, NOT_INIT_REG);
  callee.inAsyncCallbackFn = true;
  callee.callbackRet = [0, 1];
  return 0;
}

/** long callback(struct task_struct *task, struct vm_area_struct *vma, void *ctx) */
export function setFindVmaCallback(env: Env, caller: Frame, callee: Frame): number {
  inheritReg(callee, 1, caller, 1);
  const vma = callee.ownReg(2);
  markKnownZero(vma);
  vma.type = t.PTR_TO_BTF_ID;
  vma.btf = env.profile.btf;
  vma.btfId = kernelTypes(env).struct('vm_area_struct');
  inheritReg(callee, 3, caller, 4);
  enterSync(callee, 4);
  return 0;
}

/** long callback(const struct bpf_dynptr *dynptr, void *ctx) */
export function setUserRingbufCallback(env: Env, caller: Frame, callee: Frame): number {
  callee.setReg(0, NOT_INIT_REG);
  markDynptrReg(callee.ownReg(1), DYNPTR_LOCAL, true, ++env.idGen);
  inheritReg(callee, 2, caller, 3);
  enterSync(callee, 3);
  return 0;
}

/** Makes a register point to the node of an object in a list or tree (mark_reg_graph_node). */
export function markGraphNode(reg: Reg, root: BtfField): void {
  markKnownZero(reg);
  reg.type = t.PTR_TO_BTF_ID | t.MEM_ALLOC;
  reg.btf = root.btf;
  reg.btfId = root.btfId;
  reg.off = root.nodeOffset;
}

/** bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b) */
export function setRbtreeAddCallback(env: Env, caller: Frame, callee: Frame): number {
  const root = caller.regs[1]!;
  const field = findField(regRecord(env, root), root.off, FIELD_RB_ROOT);
  if (field === null || field.btfId === 0) return refuse(env, OWN_CALLS.callbackWithoutRoot);
  for (const node of [callee.ownReg(1), callee.ownReg(2)]) {
    markGraphNode(node, field);
    setNonOwning(env, node);
  }
  enterSync(callee, 3);
  return 0;
}
