/** Numbers of general registers in instruction fields. 31 is the stack pointer or the zero register, as each field has it. */
export const SP = 31;
export const ZR = 31;
/** Frame pointer and link register of the procedure call standard (AAPCS64). */
export const FP = 29;
export const LR = 30;

/** Conditions (field `cond`). */
export const EQ = 0;
export const NE = 1;
/** Unsigned >=, <, >, <=. */
export const CS = 2;
export const CC = 3;
export const HI = 8;
export const LS = 9;
/** Signed >=, <, >, <=. */
export const GE = 10;
export const LT = 11;
export const GT = 12;
export const LE = 13;
