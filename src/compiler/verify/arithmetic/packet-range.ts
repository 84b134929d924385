/** What comparing a packet pointer with the packet's end tells: how many bytes behind it may be read. */
import * as op from '../../isa/opcodes.js';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META } from '../../targets/types.js';
import { AT_PKT_END, BEYOND_PKT_END } from '../domain/branch.js';
import type { State } from '../env.js';
import { changeRegs } from '../slots.js';
import type { ReadonlyReg } from '../state.js';

/** Larger offsets into a packet are not followed. */
const MAX_PACKET_OFF = 0xffff;

/**
 * All pointers of the same variable part as `pointer` may read up to where it points. `open`: it lies strictly before
 * the end, so one byte more (find_good_pkt_pointers).
 */
function growRanges(state: State, pointer: ReadonlyReg, open: boolean): void {
  if (pointer.off < 0 || (pointer.off === 0 && open)) return;
  const max = pointer.umaxHi === 0 ? pointer.umaxLo >>> 0 : Infinity;
  if (max > MAX_PACKET_OFF || max + pointer.off > MAX_PACKET_OFF) return;
  const { type, id } = pointer;
  const range = pointer.off + (open ? 1 : 0);
  changeRegs(
    state,
    (reg) => reg.type === type && reg.id === id && reg.range < range,
    (reg) => (reg.range = range),
  );
}

/** The pointer is known to lie at the packet's end, or behind it. */
function markPacketEnd(state: State, register: number, behind: boolean): void {
  const { frame } = state;
  if (frame.regs[register]!.type === PTR_TO_PACKET) frame.ownReg(register).range = behind ? BEYOND_PKT_END : AT_PKT_END;
}

function isPacketStart(reg: ReadonlyReg): boolean {
  return (
    reg.type === PTR_TO_PACKET &&
    reg.id === 0 &&
    reg.off === 0 &&
    (reg.valueHi | reg.valueLo | reg.maskHi | reg.maskLo) === 0
  );
}

/** `a` points into what `b` is the end of: packet data before its end, metadata before the data. */
function isPointerAndEnd(a: ReadonlyReg, b: ReadonlyReg): boolean {
  return (
    (a.type === PTR_TO_PACKET && b.type === PTR_TO_PACKET_END) || (a.type === PTR_TO_PACKET_META && isPacketStart(b))
  );
}

/**
 * What the jump `dst OP src` between a pointer and its end tells, on the fall-through path `here` and the taken one
 * `there`. Answers whether it was such a jump.
 */
export function matchPacketPointers(opcode: number, dst: number, src: number, here: State, there: State): boolean {
  if ((opcode & op.X) === 0 || (opcode & op.CLASS_MASK) === op.JMP32) return false;
  const regs = here.frames[here.currentFrame]!.regs;
  const kind = opcode & op.OP_MASK;
  if (kind !== op.JGT && kind !== op.JLT && kind !== op.JGE && kind !== op.JLE) return false;
  const left = isPointerAndEnd(regs[dst]!, regs[src]!);
  if (!left && !isPointerAndEnd(regs[src]!, regs[dst]!)) return false;
  const pointer = left ? dst : src;
  // Read with the pointer on the left, the jump is taken if it is greater than the end, or less.
  const greater = (kind === op.JGT || kind === op.JGE) === left;
  const orEqual = kind === op.JGE || kind === op.JLE;
  const within = greater ? here : there;
  const outside = greater ? there : here;
  // Within means "at most the end" exactly where outside means "greater than the end".
  const strictlyOutside = greater !== orEqual;
  growRanges(within, within.frames[within.currentFrame]!.regs[pointer]!, !strictlyOutside);
  markPacketEnd(outside, pointer, strictlyOutside);
  return true;
}
