/** The verifier's own limits (include/linux/bpf_verifier.h and kernel/bpf/verifier.c, Linux 6.12). */
export const MAX_CALL_FRAMES = 8;
/** Paths put off at one time (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
export const MAX_PENDING_PATHS = 8192;
export const MAX_SUBPROGRAMS = 256;
export const MAX_USED_MAPS = 64;
export const MAX_KERNEL_FUNCTIONS = 256;
/** Largest variable or fixed offset of a pointer (BPF_MAX_VAR_OFF). */
export const MAX_VAR_OFF = 1 << 29;
/** Registers and slots of all frames: most ids one state can hold (BPF_ID_MAP_SIZE). */
export const MAX_IDS = (11 + 512 / 8) * MAX_CALL_FRAMES;
/**
 * States kept for comparison. The kernel is bounded by its memory alone: endless loops with a state at every instruction
 * (BPF_F_TEST_STATE_FREQ) take gigabytes before the instruction budget ends them. Real programs keep some ten thousand.
 */
export const MAX_KEPT_STATES = 100_000;
