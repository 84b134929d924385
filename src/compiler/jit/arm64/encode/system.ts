/** Hints, barriers and system registers. */

/** Signed int32 of an instruction written as unsigned, so that every encoder's answer has one form. */
const word = (bits: number): number => bits | 0;

export const NOP = word(0xd503201f);
/** Signs and authenticates the return address with key A and SP. */
export const PACIASP = word(0xd503233f);
export const AUTIASP = word(0xd50323bf);
/** Landing pads for indirect branches: by BR, by BR and BLR. */
export const BTI_J = word(0xd503249f);
export const BTI_JC = word(0xd50324df);
/** Data memory barrier over the inner shareable domain. */
export const DMB_ISH = word(0xd5033bbf);

/** System registers (op0:op1:CRn:CRm:op2 in bits 19–5). */
export const TPIDR_EL1 = 0x18d080;
export const TPIDR_EL2 = 0x1cd040;
export const SP_EL0 = 0x184100;

export function readSystemRegister(rt: number, register: number): number {
  return 0xd5200000 | register | rt;
}
