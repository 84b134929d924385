/** Offsets that a pointer may have when it is handed to a helper or kernel function. */
import { CALLS } from '../refusals/calls.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';
import { checkPtrOffReg } from '../memory/pointer-offset.js';

/** Memory: any offset, its bounds are checked where it is used. */
const ANY_OFFSET: ReadonlySet<number> = new Set([
  t.PTR_TO_STACK,
  t.PTR_TO_PACKET,
  t.PTR_TO_PACKET_META,
  t.PTR_TO_MAP_KEY,
  t.PTR_TO_MAP_VALUE,
  t.PTR_TO_MEM,
  t.PTR_TO_MEM | t.MEM_RDONLY,
  t.PTR_TO_MEM | t.MEM_RINGBUF,
  t.PTR_TO_BUF,
  t.PTR_TO_BUF | t.MEM_RDONLY,
  t.PTR_TO_ARENA,
  t.SCALAR_VALUE,
]);
/** Kernel objects and the program's own: a fixed offset leads to a member. */
const FIXED_OFFSET: ReadonlySet<number> = new Set(
  [0, t.MEM_ALLOC, t.PTR_TRUSTED, t.MEM_RCU, t.MEM_ALLOC | t.NON_OWN_REF, t.MEM_ALLOC | t.NON_OWN_REF | t.MEM_RCU].map(
    (flags) => t.PTR_TO_BTF_ID | flags,
  ),
);

export function checkFuncArgRegOff(env: Env, reg: ReadonlyReg, regno: number, argType: number): number {
  if ((argType & t.OBJ_RELEASE) !== 0) {
    // The slot of a dynptr may lie anywhere on the stack.
    if (t.baseType(argType) === t.ARG_PTR_TO_DYNPTR && reg.type === t.PTR_TO_STACK) return 0;
    if (reg.off !== 0) {
      return refuse(env, CALLS.releasedAtOffset, regno);
    }
    return checkPtrOffReg(env, reg, regno, false);
  }
  if (ANY_OFFSET.has(reg.type)) return 0;
  return checkPtrOffReg(env, reg, regno, FIXED_OFFSET.has(reg.type));
}
