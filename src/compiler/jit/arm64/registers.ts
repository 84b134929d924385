/** Which arm64 register holds which BPF register (Linux 6.12, arm64). */

/** Scratch registers of the code generator. */
export const TMP1 = 10;
export const TMP2 = 11;
export const TMP3 = 12;
/** Points to the count of tail calls in the main program's frame. */
export const TAIL_COUNT = 26;
/** Holds where the kernel mapped the program's arena. */
export const ARENA_BASE = 28;
/** What a BPF program returns in: BPF's R0. */
export const RESULT = 7;
export const FRAME_POINTER = 25;

/**
 * BPF register → arm64 register. R1 to R5 are arguments where the procedure call standard has them; R6 to R9 and the frame
 * pointer are saved by the callee; AX (11) is the verifier's hidden register. Indexes above do not occur in a verified
 * program.
 */
export const MACHINE_REGISTER: readonly number[] = [RESULT, 0, 1, 2, 3, 4, 19, 20, 21, 22, FRAME_POINTER, 9];
