/** Who reads what: marks along the chain of checkpoints, so that values nobody reads need not be compared. */
import type { Env, State } from '../env.js';
import { EFAULT } from '../errno.js';
import { regTypeName } from '../log/register.js';
import { LIVE_DONE, LIVE_READ, LIVE_READ32, LIVE_READ64, LIVE_WRITTEN } from '../state.js';
import type { Reg } from '../state.js';

/**
 * Marks a value as read in all checkpoints that it comes from unchanged (mark_reg_read). `parent` is usually
 * `reg.parent`; `flag` is LIVE_READ32 or LIVE_READ64. 0, or -EFAULT where the kernel would own up to a bug.
 */
export function markRegRead(env: Env, reg: Reg, parent: Reg | null, flag: number): number {
  let state = reg;
  let writes = parent === state.parent;
  let steps = 0;
  while (parent !== null) {
    if (writes && (state.live & LIVE_WRITTEN) !== 0) break;
    if ((parent.live & LIVE_DONE) !== 0) {
      const name = regTypeName(parent.type);
      env.log.write(`verifier BUG type ${name} var_off ${parent.valueLo} off ${parent.off}\n`);
      return -EFAULT;
    }
    if ((parent.live & LIVE_READ) === flag || (parent.live & LIVE_READ64) !== 0) break;
    parent.live |= flag;
    if (flag === LIVE_READ64) parent.live &= ~LIVE_READ32;
    state = parent;
    parent = state.parent;
    writes = true;
    steps++;
  }
  if (env.longestMarkReadWalk < steps) env.longestMarkReadWalk = steps;
  return 0;
}

/** The instruction that last wrote only the low half must clear the high one: someone reads all of it. */
export function markInsnZeroExtended(env: Env, reg: Reg): void {
  if (reg.subregDef === 0) return;
  env.facts[reg.subregDef - 1]!.zeroExtend = true;
  reg.subregDef = 0;
}

/** Takes the reads of `reg` over to a register of an equal state; the flag taken over, 0 for none, or an errno. */
function propagateReg(env: Env, reg: Reg, parent: Reg): number {
  const parentFlag = parent.live & LIVE_READ;
  const flag = reg.live & LIVE_READ;
  if (parentFlag === LIVE_READ64 || flag === 0 || parentFlag === flag) return 0;
  const err = markRegRead(env, reg, parent, flag);
  return err === 0 ? flag : err;
}

/** The path in `current` is cut off since it equals `explored`: what that one's continuation read, it reads. */
export function propagateLiveness(env: Env, explored: State, current: State): number {
  for (let f = 0; f <= explored.currentFrame; f++) {
    const from = explored.frames[f]!;
    const to = current.frames[f]!;
    for (let i = f < explored.currentFrame ? 6 : 0; i < 10; i++) {
      const flag = propagateReg(env, from.regs[i]!, to.regs[i]!);
      if (flag < 0) return flag;
      if (flag === LIVE_READ64) markInsnZeroExtended(env, to.regs[i]!);
    }
    const slots = Math.min(from.stack.length, to.stack.length);
    for (let i = 0; i < slots; i++) {
      const flag = propagateReg(env, from.stack[i]!.spilled, to.stack[i]!.spilled);
      if (flag < 0) return flag;
    }
  }
  return 0;
}
