/**
 * How long the log would become: a bound of what an instruction prints, for a log that only counts. It decides whether the
 * buffer could have been too small at any time, so it must never be less than what is printed.
 */
import * as op from '../../isa/opcodes.js';
import { NOT_INIT, SCALAR_VALUE } from '../../targets/types.js';
import { isUnknown } from '../domain/bounds.js';
import { isConst } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { isPlainBytes } from '../slots.js';
import type { Frame, ReadonlyReg } from '../state.js';
import { markStateClean, regScratched, stackSlotScratched } from './scratch.js';
import { countSourceLine } from './source.js';

/** Index and text of an instruction, which may hold a kernel function's name (KSYM_NAME_LEN is 512). */
const INSN_BYTES = 640;
/** A jump, arithmetic or access names nothing but registers and numbers. */
const PLAIN_INSN_BYTES = 96;
/**
 * A register with its name: with the name of a kernel type, with all of its ranges, with ranges of 32 bits, a pointer with
 * its attributes and a known offset, or with next to nothing to tell.
 */
const TYPED_REG_BYTES = 640;
const REG_BYTES = 352;
const WORD_REG_BYTES = 224;
const POINTER_BYTES = 144;
const SIMPLE_REG_BYTES = 48;
/** The offset of a slot before what it holds, and its eight bytes as letters. */
const SLOT_BYTES = 24;
/** Index, frame, line end and what else stands around a state. */
const STATE_BYTES = 48;
/** The id of a reference. */
const REFERENCE_BYTES = 12;

function regBytes(reg: ReadonlyReg): number {
  if (reg.type === NOT_INIT) return 0;
  if (reg.btf !== null) return TYPED_REG_BYTES;
  if (reg.type === SCALAR_VALUE) {
    if (isConst(reg) || isUnknown(reg)) return SIMPLE_REG_BYTES;
    return (reg.maskHi | reg.umaxHi | reg.sminHi | reg.smaxHi) === 0 ? WORD_REG_BYTES : REG_BYTES;
  }
  return (isConst(reg) ? POINTER_BYTES : REG_BYTES) + (reg.map?.spec.name.length ?? 0);
}

/** What is new of a frame's state; with `all` the whole of it. */
function stateBytes(env: Env, frame: Frame, all: boolean): number {
  let bytes = STATE_BYTES + frame.references.length * REFERENCE_BYTES;
  for (let r = 0; r < frame.regs.length; r++) if (all || regScratched(env, r)) bytes += regBytes(frame.regs[r]!);
  for (let s = 0; s < frame.stack.length; s++) {
    const slot = frame.stack[s]!;
    if (slot.kinds !== 0 && (all || stackSlotScratched(env, s))) {
      bytes += SLOT_BYTES + (isPlainBytes(slot.kinds) ? 0 : regBytes(slot.spilled));
    }
  }
  return bytes;
}

/** Calls and exits of functions print all of two frames; what they are before and behind them is less than twice that. */
function entersOrLeavesFunction(env: Env, i: number): boolean {
  const opcode = env.insns.opcode(i);
  if (opcode === (op.JMP | op.EXIT)) return env.state.currentFrame > 0;
  const hidesExit = (opcode & op.CLASS_MASK) === op.LD && (opcode & op.MODE_MASK) !== op.IMM;
  return hidesExit || (opcode === (op.JMP | op.CALL) && env.insns.src(i) === op.PSEUDO_CALL);
}

/** A bound of what the instruction at hand prints, with its source line and the states that change with it. */
export function mostPrinted(env: Env): number {
  const i = env.insnIdx;
  const opcode = env.insns.opcode(i);
  const cls = opcode & op.CLASS_MASK;
  const isPlain = cls !== op.LD && (cls !== op.JMP || (opcode & op.OP_MASK) !== op.CALL);
  let bytes = (isPlain ? PLAIN_INSN_BYTES : INSN_BYTES) + countSourceLine(env, i);
  bytes += stateBytes(env, env.state.frame, false);
  if (entersOrLeavesFunction(env, i)) for (const frame of env.state.frames) bytes += 2 * stateBytes(env, frame, true);
  markStateClean(env);
  return bytes;
}
