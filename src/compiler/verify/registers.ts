/** Reading and writing registers: initialised, writable, and whether all 64 bits of them matter. */
import * as op from '../isa/opcodes.js';
import { NOT_INIT, SCALAR_VALUE } from '../targets/types.js';
import { boundsViolation } from './domain/bounds.js';
import { checkBounds, markUnknown } from './domain/scalar.js';
import type { Env } from './env.js';
import { EACCES, EINVAL } from './errno.js';
import { markRegScratched } from './log/scratch.js';
import { markInsnZeroExtended, markRegRead } from './prune/liveness.js';
import { LIVE_READ32, LIVE_READ64 } from './live.js';
import type { Frame, ReadonlyReg } from './state.js';

/** `dst-no-mark`: the caller says itself what the register holds afterwards. */
export type RegUse = 'src' | 'dst' | 'dst-no-mark';

/** Checks a use of a register of the current frame by the current instruction, and marks it. */
export function checkRegArg(env: Env, regno: number, use: RegUse): number {
  const { frame } = env.state;
  const reg = frame.regs[regno];
  if (reg === undefined) {
    env.log.write(`R${regno} is invalid\n`);
    return -EINVAL;
  }
  markRegScratched(env, regno);
  const wide = use === 'src' ? reads64(env, env.insnIdx, reg) : writes64(env, env.insnIdx);
  if (use === 'src') return checkRead(env, frame, reg, regno, wide);
  if (regno === op.R10) {
    env.log.write('frame pointer is read only\n');
    return -EACCES;
  }
  frame.live.writeReg(regno);
  const subregDef = wide ? 0 : env.insnIdx + 1;
  if (reg.subregDef !== subregDef) frame.ownReg(regno).subregDef = subregDef;
  if (use === 'dst') markUnknown(frame.ownReg(regno));
  return 0;
}

/** Checks the ranges of a register that an instruction has just written, see checkBounds. */
export function checkRegBounds(env: Env, regno: number, context: string): number {
  const { frame } = env.state;
  return boundsViolation(frame.regs[regno]!) === null ? 0 : checkBounds(env, frame.ownReg(regno), context);
}

function checkRead(env: Env, frame: Frame, reg: ReadonlyReg, regno: number, wide: boolean): number {
  if (reg.type === NOT_INIT) {
    env.log.write(`R${regno} !read_ok\n`);
    return -EACCES;
  }
  if (regno === op.R10) return 0; // never changes: nothing to follow
  if (wide) markInsnZeroExtended(env, reg);
  return markRegRead(env, frame, regno, wide ? LIVE_READ64 : LIVE_READ32);
}

/** Arithmetic and jumps: 64-bit classes work on all bits, byte swaps on those that the immediate names. */
function isWideOperation(env: Env, i: number, cls: number): boolean {
  const opcode = env.insns.opcode(i);
  if ((opcode & op.OP_MASK) === op.END && (cls === op.ALU || cls === op.ALU64)) return env.insns.imm(i) === 64;
  return cls === op.ALU64 || cls === op.JMP;
}

/** Whether an instruction reads all 64 bits of a register that holds `reg`. */
function reads64(env: Env, i: number, reg: ReadonlyReg): boolean {
  const opcode = env.insns.opcode(i);
  const cls = opcode & op.CLASS_MASK;
  switch (cls) {
    case op.JMP:
      return !isCall(opcode) || env.insns.src(i) !== op.PSEUDO_CALL;
    case op.ALU:
    case op.ALU64:
    case op.JMP32:
      return isWideOperation(env, i, cls);
    case op.STX:
      return reg.type !== SCALAR_VALUE || (opcode & op.SIZE_MASK) === op.DW;
    default:
      return true; // the address of a load or store
  }
}

/** Whether an instruction defines all 64 bits of its destination. */
function writes64(env: Env, i: number): boolean {
  const opcode = env.insns.opcode(i);
  const cls = opcode & op.CLASS_MASK;
  switch (cls) {
    case op.JMP:
      return !isCall(opcode);
    case op.ALU:
    case op.ALU64:
    case op.JMP32:
      return isWideOperation(env, i, cls);
    case op.LDX:
      return (opcode & op.SIZE_MASK) === op.DW || (opcode & op.MODE_MASK) === op.MEMSX;
    case op.STX:
      return (opcode & op.SIZE_MASK) === op.DW;
    case op.LD:
      return (opcode & op.MODE_MASK) === op.IMM;
    default:
      return true;
  }
}

function isCall(opcode: number): boolean {
  return (opcode & op.OP_MASK) === op.CALL;
}
