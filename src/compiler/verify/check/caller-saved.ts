import { markNotInit } from '../domain/scalar.js';
import type { Env } from '../env.js';
import { markRegScratched } from '../log/scratch.js';
import { LIVE_WRITTEN } from '../state.js';
import type { Reg } from '../state.js';

/** After a call R0 to R5 hold nothing that may be read; they count as written (clear_caller_saved_regs). */
export function clearCallerSaved(env: Env, regs: readonly Reg[]): void {
  for (let i = 0; i <= 5; i++) {
    const reg = regs[i]!;
    markNotInit(reg);
    markRegScratched(env, i);
    reg.live |= LIVE_WRITTEN;
    reg.subregDef = env.insnIdx + 1;
  }
}
