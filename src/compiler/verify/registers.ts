/** Reading and writing registers: initialised, writable, and whether all 64 bits of them matter. */
import { WALK } from './refusals/walk.js';
import { refuse } from './refusals/refuse.js';
import * as op from '../isa/opcodes.js';
import { NOT_INIT, SCALAR_VALUE } from '../targets/types.js';
import { boundsViolation } from './domain/bounds.js';
import { checkBounds, markUnknown } from './domain/scalar.js';
import type { Env } from './env.js';
import { markRegScratched } from './log/scratch.js';
import { markInsnZeroExtended, markRegRead } from './prune/liveness.js';
import { reads64, writes64 } from './register-width.js';
import { LIVE_READ32, LIVE_READ64 } from './live.js';
import type { Frame, ReadonlyReg } from './state.js';

/** `dst-no-mark`: the caller says itself what the register holds afterwards. */
export type RegUse = 'src' | 'dst' | 'dst-no-mark';

/** Checks a use of a register of the current frame by the current instruction, and marks it. */
export function checkRegArg(env: Env, regno: number, use: RegUse): number {
  const { frame } = env.state;
  const reg = frame.regs[regno];
  if (reg === undefined) {
    return refuse(env, WALK.noSuchRegister, regno);
  }
  markRegScratched(env, regno);
  if (use === 'src') return checkRead(env, frame, reg, regno);
  if (regno === op.R10) {
    return refuse(env, WALK.framePointerWritten);
  }
  frame.live.writeReg(regno);
  const subregDef = writes64(env.insns, env.insnIdx) ? 0 : env.insnIdx + 1;
  if (reg.subregDef !== subregDef) frame.ownReg(regno).subregDef = subregDef;
  if (use === 'dst') markUnknown(frame.ownReg(regno));
  return 0;
}

/** Checks the ranges of a register that an instruction has just written, see checkBounds. */
export function checkRegBounds(env: Env, regno: number, context: string): number {
  const { frame } = env.state;
  return boundsViolation(frame.regs[regno]!) === null ? 0 : checkBounds(env, frame.ownReg(regno), context);
}

function checkRead(env: Env, frame: Frame, reg: ReadonlyReg, regno: number): number {
  if (reg.type === NOT_INIT) {
    return refuse(env, WALK.registerUninitialised, regno);
  }
  if (regno === op.R10) return 0; // never changes: nothing to follow
  const wide = reads64(env.insns, env.insnIdx, reg.type === SCALAR_VALUE);
  if (wide) markInsnZeroExtended(env, reg);
  return markRegRead(env, frame, regno, wide ? LIVE_READ64 : LIVE_READ32);
}
