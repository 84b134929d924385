/** Reads from the stack: fills, which bring a spilled register back, and plain bytes. */
import { STACK } from '../refusals/stack.js';
import { refuse } from '../refusals/refuse.js';
import { SCALAR_VALUE } from '../../targets/types.js';
import { clearScalarId, isConst, isNull, markConstZero, markUnknown, valueWidth } from '../domain/scalar.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { markStackSlotScratched } from '../log/scratch.js';
import { writeSourceLine } from '../log/source.js';
import { insnStackAccessFlags, pushJumpHistory } from '../prune/history.js';
import { markSlotRead } from '../prune/liveness.js';
import { isSpilledReg } from '../slots.js';
import { STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO } from '../state.js';
import type { Frame, ReadonlySlot, Reg } from '../state.js';
import { leaksPointer } from './pointer-leak.js';
import { checkFastcallContract, greatestOffset, leastOffset, pointedFrame } from './stack-bounds.js';
import { checkStackRange } from './stack-range.js';

/** Reads `size` bytes at the pointer plus `off` into a register, or none (`dstRegno` -1). Bounds are checked. */
export function checkStackRead(env: Env, regno: number, off: number, size: number, dstRegno: number): number {
  const reg = currentRegs(env)[regno]!;
  const frame = pointedFrame(env, reg);
  if (dstRegno >= 0) env.state.frame.live.writeReg(dstRegno);
  if (isConst(reg)) return readFixed(env, frame, off + reg.valueLo, size, dstRegno);
  if (dstRegno < 0) {
    return refuse(env, STACK.stackVariableHelper, reg, off, size);
  }
  const err = checkStackRange(env, regno, off, size, false, 'read', null);
  if (err !== 0) return err;
  const min = leastOffset(reg, off);
  readBytes(env, frame, min, greatestOffset(reg, off) + size, ownReg(env, dstRegno));
  checkFastcallContract(env, frame, env.insnIdx, min);
  return 0;
}

function readFixed(env: Env, frame: Frame, off: number, size: number, dstRegno: number): number {
  const spi = (-off - 1) >> 3;
  const slot = frame.stack[spi]!;
  markStackSlotScratched(env, spi);
  checkFastcallContract(env, env.state.frame, env.insnIdx, off);
  const { spilled } = slot;
  let filled = false;
  if (isSpilledReg(slot)) {
    const spillSize = spilledBytes(slot);
    if (size === 8 && spillSize === 8) {
      if (dstRegno >= 0) env.state.frame.setReg(dstRegno, spilled);
      else if (leaksPointer(env, spilled)) {
        return refuse(env, STACK.stackPointerLeak, off);
      }
      filled = true;
    } else {
      if (spilled.type !== SCALAR_VALUE) {
        writeSourceLine(env, env.insnIdx, '; ');
        return refuse(env, STACK.fillSize);
      }
      markSlotRead(env, frame, spi);
      if (dstRegno < 0) return 0;
      const result = fillPart(env, slot, off, size, spillSize, ownReg(env, dstRegno));
      if (result < 0) return result;
      filled = result === 1;
    }
    markSlotRead(env, frame, spi);
  } else {
    const err = checkPlainBytes(env, slot, off, size);
    if (err !== 0) return err;
    markSlotRead(env, frame, spi);
    if (dstRegno >= 0) readBytes(env, frame, off, off + size, ownReg(env, dstRegno));
  }
  return filled ? pushJumpHistory(env, insnStackAccessFlags(frame.frameno, spi)) : 0;
}

/** Data may be read; what was never written, with CAP_PERFMON alone. Dynptrs and iterators may not. */
function checkPlainBytes(env: Env, slot: ReadonlySlot, off: number, size: number): number {
  for (let i = 0; i < size; i++) {
    const kind = slot.kind((-off - 1 - i) & 7);
    if (kind === STACK_MISC || kind === STACK_ZERO || (kind === STACK_INVALID && env.allowUninitStack)) continue;
    if (kind === STACK_SPILL && isSpilledReg(slot)) continue; // a part of a scalar
    return refuse(env, STACK.stackBytesUninitialised, off, i, size);
  }
  return 0;
}

/** Bytes of the slot's upper end that a spill covers. */
function spilledBytes(slot: ReadonlySlot): number {
  let size = 1;
  while (size < 8 && slot.kind(7 - size) === STACK_SPILL) size++;
  return size;
}

/** A spill of another size, or another part of it, than is read: 1 where a register comes back, 0 where bytes do; or an errno. */
function fillPart(env: Env, slot: ReadonlySlot, off: number, size: number, spillSize: number, dst: Reg): number {
  let filled = 0;
  // The value's low bytes come back as a register: where they lie in the slot is the byte order's business.
  if (size <= spillSize && (off - env.profile.byteOrder.lowPart(size, spillSize)) % 8 === 0) {
    const { subregDef } = dst;
    dst.copyFrom(slot.spilled);
    dst.subregDef = subregDef;
    if (valueWidth(slot.spilled) > size * 8) clearScalarId(dst); // the caller cuts it to size
    filled = 1;
  } else {
    const err = checkPlainBytes(env, slot, off, size);
    if (err !== 0) return err;
    const kinds = readKinds(slot, off, size);
    if (kinds === STACK_SPILL && isNull(slot.spilled)) {
      markConstZero(dst);
      filled = 1;
    } else if (kinds === STACK_ZERO) markConstZero(dst);
    else markUnknown(dst);
  }
  return filled;
}

/** What all bytes read are, STACK_MISC where they are not the same. */
function readKinds(slot: ReadonlySlot, off: number, size: number): number {
  const first = slot.kind((-off - 1) & 7);
  for (let i = 1; i < size; i++) if (slot.kind((-off - 1 - i) & 7) !== first) return STACK_MISC;
  return first === STACK_INVALID ? STACK_MISC : first;
}

/** Bytes that are all zero make a zero; everything else an unknown scalar. */
function readBytes(env: Env, frame: Frame, min: number, max: number, dst: Reg): void {
  let at = min;
  for (; at < max; at++) {
    const spi = (-at - 1) >> 3;
    markStackSlotScratched(env, spi);
    if (frame.stack[spi]!.kind((-at - 1) & 7) !== STACK_ZERO) break;
  }
  if (at === max) markConstZero(dst);
  else markUnknown(dst);
}
