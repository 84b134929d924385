/** Which x86-64 register holds which BPF register (Linux, arch/x86). */
import * as r from './encode/registers.js';

/** What a BPF program returns in: BPF's R0. */
export const RESULT = r.RAX;
export const FRAME_POINTER = r.RBP;
/** A scratch register of the code generator, beside BPF's hidden AX. */
export const SCRATCH = r.R11;
/** Holds where the kernel mapped the program's arena. */
export const ARENA_BASE = r.R12;

/**
 * BPF register → x86-64 register. R1 to R5 are arguments where the procedure call standard has them; R6 to R9 and the frame pointer are saved
 * by the callee; AX (11) is the verifier's hidden register. Indexes above do not occur in a verified program.
 */
export const MACHINE_REGISTER: readonly number[] = [
  ...[RESULT, r.RDI, r.RSI, r.RDX, r.RCX, r.R8],
  ...[r.RBX, r.R13, r.R14, r.R15, FRAME_POINTER, r.R10],
];

/** BPF's R6 to R9, in the order they are pushed. */
export const CALLEE_SAVED: readonly number[] = MACHINE_REGISTER.slice(6, 10);
