/**
 * Linked scalars: registers and spilled registers of one id hold one value, or that value plus a constant (ADD_CONST,
 * the constant in `off`), so that what a jump says of one it says of all.
 *
 * At most six are followed (LINKED_REGS_MAX, 6.12), which is what the kernel has room for in its history.
 */
import { SCALAR_VALUE } from '../../targets/types.js';
import type { State } from '../env.js';
import { isLinkedReg, linkedFrame, linkedIndex, packLinkedReg, packLinkedSlot } from '../linked-regs.js';
import type { LinkedRegs } from '../linked-regs.js';
import { isSpilledReg } from '../slots.js';
import { ADD_CONST, Reg } from '../state.js';
import type { ReadonlyReg } from '../state.js';
import { addScalar } from './arithmetic.js';
import { clearScalarId, setKnown } from './scalar.js';

const MAX_LINKED = 6;

/** Adds all scalars of an id, innermost frame first, to `linked`; those that find no room lose their id. */
export function collectLinkedRegs(state: State, id: number, linked: number[]): void {
  const base = id & ~ADD_CONST;
  for (let f = state.currentFrame; f >= 0; f--) {
    const frame = state.frames[f]!;
    for (let i = 0; i < 10; i++) {
      const reg = frame.regs[i]!;
      if (collect(reg, base, linked, packLinkedReg(f, i))) clearScalarId(frame.ownReg(i));
    }
    for (let i = 0; i < frame.stack.length; i++) {
      const slot = frame.stack[i]!;
      if (isSpilledReg(slot) && collect(slot.spilled, base, linked, packLinkedSlot(f, i)))
        clearScalarId(frame.ownSlot(i).renewSpilled());
    }
  }
}

/** Adds the register if it is one of the id; true where there is no room. */
function collect(reg: ReadonlyReg, base: number, linked: number[], packed: number): boolean {
  if (reg.type !== SCALAR_VALUE || (reg.id & ~ADD_CONST) !== base) return false;
  if (linked.length === MAX_LINKED) return true;
  linked.push(packed);
  return false;
}

/** Gives what is known of `known` to all of `linked` that still carry its id, with their distance from it. */
export function syncLinkedRegs(state: State, known: ReadonlyReg, linked: LinkedRegs): void {
  for (const packed of linked) {
    const frame = state.frames[linkedFrame(packed)]!;
    const index = linkedIndex(packed);
    const isReg = isLinkedReg(packed);
    const reg = isReg ? frame.regs[index]! : frame.stack[index]!.spilled;
    if (reg.type !== SCALAR_VALUE || reg === known) continue;
    if ((reg.id & ~ADD_CONST) !== (known.id & ~ADD_CONST)) continue;
    syncLinked(isReg ? frame.ownReg(index) : frame.ownSlot(index).renewSpilled(), known);
  }
}

function syncLinked(reg: Reg, known: ReadonlyReg): void {
  const { subregDef, off, id } = reg;
  const apart = ((id | known.id) & ADD_CONST) !== 0 && off !== known.off;
  reg.copyFrom(known);
  reg.subregDef = subregDef;
  if (!apart) return;
  reg.off = off;
  reg.id = id;
  const delta = new Reg();
  const distance = (off - known.off) | 0;
  setKnown(delta, distance >> 31, distance);
  addScalar(reg, delta);
}
