/** Writes to the stack: spills, whose registers are kept, and plain bytes. */
import { STACK } from '../refusals/stack.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { assignScalarId, isConst, isNull, needsScalarId, valueWidth } from '../domain/scalar.js';
import { currentRegs, immediateOperand, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { markStackSlotScratched } from '../log/scratch.js';
import { writeSourceLine } from '../log/source.js';
import { insnStackAccessFlags, pushJumpHistory } from '../prune/history.js';
import { markChainPrecision } from '../prune/precision.js';
import { isSpilledReg, isSpilledScalarReg, isStackSlotSpecial } from '../slots.js';
import { STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO } from '../state.js';
import type { Frame, ReadonlyReg, ReadonlySlot, StackSlot } from '../state.js';
import { destroyIfDynptrStackSlot } from '../objects/dynptr-slots.js';
import { leaksPointer } from './pointer-leak.js';
import { checkFastcallContract, greatestOffset, leastOffset, pointedFrame } from './stack-bounds.js';

/** Writes `size` bytes at the pointer plus `off`; `valueRegno` -1 for a value in no register. Bounds are checked. */
export function checkStackWrite(
  env: Env,
  regno: number,
  off: number,
  size: number,
  valueRegno: number,
  insn: number,
): number {
  const reg = currentRegs(env)[regno]!;
  const frame = pointedFrame(env, reg);
  const value = valueRegno >= 0 ? currentRegs(env)[valueRegno]! : null;
  if (isConst(reg)) return writeFixed(env, frame, off + reg.valueLo, size, value, valueRegno, insn);
  return writeVariable(env, frame, reg, off, size, value, valueRegno, insn);
}

/** Registers that are kept whole when they are spilled. */
function isSpillable(type: number): boolean {
  switch (t.baseType(type)) {
    case t.NOT_INIT:
    case t.SCALAR_VALUE:
    case t.PTR_TO_TP_BUFFER:
    case t.CONST_PTR_TO_DYNPTR:
      return false;
    default:
      return true;
  }
}

function storesImmediate(env: Env, insn: number): boolean {
  return (env.insns.opcode(insn) & (op.CLASS_MASK | op.MODE_MASK)) === (op.ST | op.MEM);
}

function writesZero(env: Env, value: ReadonlyReg | null, insn: number): boolean {
  return value !== null ? isNull(value) : storesImmediate(env, insn) && env.insns.imm(insn) === 0;
}

function writeFixed(
  env: Env,
  frame: Frame,
  off: number,
  size: number,
  value: ReadonlyReg | null,
  valueRegno: number,
  insn: number,
): number {
  const spi = (-off - 1) >> 3;
  const before = frame.stack[spi]!;
  if (size !== 8 && isSpilledReg(before) && leaksPointer(env, before.spilled)) {
    return refuse(env, STACK.corruptsPointer);
  }
  if (!env.bypassSpecV4 && needsBarrier(before, off, size, value)) env.facts[insn]!.needsBarrier = true;
  const err = destroyIfDynptrStackSlot(env, frame, spi);
  if (err !== 0) return err;
  checkFastcallContract(env, frame, insn, off);
  markStackSlotScratched(env, spi);
  const whole = off % 8 === 0;
  if (value !== null && whole && value.type === t.SCALAR_VALUE && env.capable) {
    // The spilled copy stays tied to the register only if it is all of it.
    const fits = valueWidth(value) <= 8 * size;
    if (fits && needsScalarId(value)) assignScalarId(env, ownReg(env, valueRegno));
    const slot = spill(frame, spi, env.state.frame.shareReg(valueRegno), size);
    if (!fits && slot.spilled.id !== 0) slot.renewSpilled().id = 0;
  } else if (value === null && whole && storesImmediate(env, insn) && env.capable) {
    const imm = env.insns.imm(insn);
    spill(frame, spi, immediateOperand(env, imm).clone(), size);
  } else if (value !== null && isSpillable(value.type)) {
    if (size !== 8) {
      writeSourceLine(env, insn, '; ');
      return refuse(env, STACK.spillSize);
    }
    if (frame !== env.state.frame && value.type === t.PTR_TO_STACK) {
      return refuse(env, STACK.spillsStackPointer);
    }
    spill(frame, spi, env.state.frame.shareReg(valueRegno), size);
  } else return writeBytes(env, frame, spi, off, size, value, valueRegno, insn);
  return pushJumpHistory(env, insnStackAccessFlags(frame.frameno, spi));
}

/** A load that overtakes the store must not find what was there: a pointer, or what nobody wrote. */
function needsBarrier(slot: ReadonlySlot, off: number, size: number, value: ReadonlyReg | null): boolean {
  if (value !== null && isSpillable(value.type)) return true;
  for (let i = 0; i < size; i++) {
    const kind = slot.kind((-off - 1 - i) & 7);
    if (kind !== STACK_MISC && kind !== STACK_ZERO) return true;
  }
  return false;
}

/** Keeps the register in the slot's upper `size` bytes; what lies below is data, if it was anything. */
function spill(frame: Frame, spi: number, value: ReadonlyReg, size: number): StackSlot {
  const slot = frame.ownSlot(spi);
  slot.spilled = value;
  if (size === 8) frame.live.writeSlot(spi);
  for (let i = 0; i < 8 - size; i++) {
    const kind = slot.kind(i);
    if (kind !== STACK_ZERO && kind !== STACK_INVALID) slot.setKind(i, STACK_MISC);
  }
  for (let i = 8 - size; i < 8; i++) slot.setKind(i, STACK_SPILL);
  return slot;
}

/** What was spilled, or was the kernel's, is gone; its bytes are data. */
function scrubSlot(slot: StackSlot): void {
  if (slot.spilled.type !== t.NOT_INIT) slot.renewSpilled().type = t.NOT_INIT;
  if (!isStackSlotSpecial(slot)) return;
  for (let i = 0; i < 8; i++) if (slot.kind(i) !== STACK_INVALID) slot.setKind(i, STACK_MISC);
}

function writeBytes(
  env: Env,
  frame: Frame,
  spi: number,
  off: number,
  size: number,
  value: ReadonlyReg | null,
  valueRegno: number,
  insn: number,
): number {
  const slot = frame.ownSlot(spi);
  scrubSlot(slot);
  // A partial write does not screen the rest of the slot from later reads.
  if (size === 8) frame.live.writeSlot(spi);
  let kind = STACK_MISC;
  if (writesZero(env, value, insn)) {
    const err = valueRegno >= 0 ? markChainPrecision(env, valueRegno) : 0;
    if (err !== 0) return err;
    kind = STACK_ZERO;
  }
  for (let i = 0; i < size; i++) slot.setKind((-off - 1 - i) & 7, kind);
  return 0;
}

/** Any slot in reach may be written, none is for certain: spills in reach are lost, unwritten bytes count as written. */
function writeVariable(
  env: Env,
  frame: Frame,
  pointer: ReadonlyReg,
  off: number,
  size: number,
  value: ReadonlyReg | null,
  valueRegno: number,
  insn: number,
): number {
  const min = leastOffset(pointer, off);
  const max = greatestOffset(pointer, off) + size;
  const zero = writesZero(env, value, insn);
  for (let at = min; at < max; at++) {
    const err = destroyIfDynptrStackSlot(env, frame, (-at - 1) >> 3);
    if (err !== 0) return err;
  }
  checkFastcallContract(env, frame, insn, min);
  let zeroUsed = false;
  for (let at = min; at < max; at++) {
    const spi = (-at - 1) >> 3;
    const byte = (-at - 1) & 7;
    const before = frame.stack[spi]!;
    markStackSlotScratched(env, spi);
    const kind = before.kind(byte);
    if (!env.allowPtrLeaks && kind !== STACK_MISC && kind !== STACK_ZERO) {
      return refuse(env, STACK.variableOverPointer, insn, at);
    }
    if (zero && kind === STACK_SPILL && isSpilledScalarReg(before) && isNull(before.spilled)) {
      zeroUsed = true;
      continue;
    }
    const slot = frame.ownSlot(spi);
    scrubSlot(slot);
    const staysZero = zero && slot.kind(byte) === STACK_ZERO;
    zeroUsed ||= staysZero;
    slot.setKind(byte, staysZero ? STACK_ZERO : STACK_MISC);
  }
  // Tracing back does not look through zero bytes.
  return zeroUsed && valueRegno >= 0 ? markChainPrecision(env, valueRegno) : 0;
}
