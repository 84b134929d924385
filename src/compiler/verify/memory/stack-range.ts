/** Stretches of the stack that a helper, or a load at a variable offset, may touch. */
import { STACK } from '../refusals/stack.js';
import { refuse } from '../refusals/refuse.js';
import { isConst, markUnknown } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { markSlotRead } from '../prune/liveness.js';
import { isSpilledReg } from '../slots.js';
import { STACK_DYNPTR, STACK_INVALID, STACK_MISC, STACK_ZERO } from '../state.js';
import type { Frame } from '../state.js';
import type { CallMeta } from '../calls/call-meta.js';
import { leaksPointer } from './pointer-leak.js';
import { checkStackBounds, greatestOffset, leastOffset, pointedFrame } from './stack-bounds.js';

/**
 * Checks `size` bytes at the pointer plus `off`. A helper may change what it is handed, so zeros and spills in reach are
 * data afterwards. With `meta.rawMode` it only writes: the range is noted in `meta` and marked by the call later.
 */
export function checkStackRange(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
  use: 'read' | 'helper',
  meta: CallMeta | null,
): number {
  if (size === 0 && !zeroSizeAllowed) {
    return refuse(env, STACK.zeroSizedRead);
  }
  const err = checkStackBounds(env, regno, off, size, use);
  if (err !== 0) return err;
  const reg = currentRegs(env)[regno]!;
  const frame = pointedFrame(env, reg);
  const constant = isConst(reg);
  const min = constant ? reg.valueLo + off : leastOffset(reg, off);
  const end = (constant ? min : greatestOffset(reg, off)) + size;
  if (!constant && !env.bypassSpecV1) {
    return refuse(env, STACK.stackVariableUnprivileged, regno, use, reg);
  }
  // Where exactly a variable offset writes is not known: the bytes must be initialised.
  if (meta?.rawMode === true && constant) return noteRawRange(env, frame, regno, min, end, size, meta);
  for (let at = min; at < end; at++) {
    const spi = (-at - 1) >> 3;
    if (!touchByte(env, frame, spi, (-at - 1) & 7, use === 'helper')) {
      return refuse(env, STACK.stackUninitialised, regno, use === 'helper', isConst(reg), min, reg, at - min, size);
    }
    markSlotRead(env, frame, spi);
  }
  return 0;
}

/** The helper writes without reading; dynptrs in reach might be its own arguments. */
function noteRawRange(
  env: Env,
  frame: Frame,
  regno: number,
  min: number,
  end: number,
  size: number,
  meta: CallMeta,
): number {
  for (let at = min; at < end; at++) {
    const slot = frame.stack[(-at - 1) >> 3];
    if (slot?.kind((-at - 1) & 7) !== STACK_DYNPTR) continue;
    return refuse(env, STACK.overDynptr, at);
  }
  meta.accessSize = size;
  meta.regno = regno;
  return 0;
}

/** Whether the byte may be read; `clobber`: it may also be changed. */
function touchByte(env: Env, frame: Frame, spi: number, byte: number, clobber: boolean): boolean {
  const slot = frame.stack[spi]!;
  const kind = slot.kind(byte);
  if (kind === STACK_MISC) return true;
  if (kind === STACK_ZERO || (kind === STACK_INVALID && env.allowUninitStack)) {
    if (clobber) frame.ownSlot(spi).setKind(byte, STACK_MISC);
    return true;
  }
  if (!isSpilledReg(slot) || leaksPointer(env, slot.spilled)) return false;
  if (clobber) {
    const own = frame.ownSlot(spi);
    markUnknown(own.renewSpilled());
    for (let i = 0; i < 8; i++) if (own.kind(i) !== STACK_INVALID) own.setKind(i, STACK_MISC);
  }
  return true;
}
