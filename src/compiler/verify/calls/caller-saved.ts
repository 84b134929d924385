import type { Env } from '../env.js';
import { forgetReg } from '../frames.js';
import { markRegScratched } from '../log/scratch.js';
import type { Frame } from '../state.js';

/** After a call R0 to R5 hold nothing that may be read; they count as written (clear_caller_saved_regs). */
export function clearCallerSaved(env: Env, frame: Frame): void {
  for (let i = 0; i <= 5; i++) {
    forgetReg(frame, i);
    markRegScratched(env, i);
    frame.live.writeReg(i);
  }
}
