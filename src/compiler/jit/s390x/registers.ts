/** Which s390x register holds which BPF register (Linux 6.12, s390x). */

/** Scratch registers of the code generator: an even and odd pair, as divisions want them. %r0 is none where an address has a base. */
export const WORK0 = 0;
export const WORK1 = 1;
/** Where a function returns its result, and takes its first argument. */
export const RETURN = 2;
/** Points to the literals that instructions address by displacement. */
export const LITERALS = 11;
export const FRAME_POINTER = 13;
/** Holds the return address at entry, and BPF's R0 between calls. */
export const LINK = 14;
export const STACK = 15;
/** What a base or index of 0 stands for: nothing is added. */
export const NONE = 0;

/**
 * BPF register → s390x register. R1 to R5 are arguments where the ABI has them (the fifth in %r6, which the callee saves);
 * AX (11) is the verifier's hidden register. Indexes above do not occur in a verified program.
 */
export const MACHINE_REGISTER: readonly number[] = [LINK, 2, 3, 4, 5, 6, 7, 8, 9, 10, FRAME_POINTER, 12];

/** %r6 to %r15, a bit each: what a callee saves. */
export const CALLEE_SAVED = 0xffc0;
