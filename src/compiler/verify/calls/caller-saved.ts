import { markNotInit } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { markRegScratched } from '../log/scratch.js';
import type { Frame } from '../state.js';

/** After a call R0 to R5 hold nothing that may be read; they count as written (clear_caller_saved_regs). */
export function clearCallerSaved(env: Env, frame: Frame): void {
  for (let i = 0; i <= 5; i++) {
    const reg = frame.regs[i]!;
    markNotInit(reg);
    markRegScratched(env, i);
    frame.live.writeReg(i);
    reg.subregDef = env.insnIdx + 1;
  }
}
