/**
 * Loads through kernel pointers that may have gone stale or be NULL. A fault reads as 0; but an address of the user's, where there may be memory
 * that must not be read, and one that is none (a non-canonical address faults in a way that the kernel's handler does not forgive) are found out
 * before:
 *
 *     r10 = the vsyscall page's address       (the end of what may be read)
 *     r11 = base + offset - r10
 *     r10 = the end of user addresses - the vsyscall page's address
 *     if r11 > r10 (unsigned), load; else rd = 0
 *
 * which holds for addresses between the two ends alone, modulo 2^64.
 */
import { addOffset, distance, type Address } from '../../address.js';
import { arithmetic, arithmeticLongNumber, ADD, CMP, SUB } from '../encode/arithmetic.js';
import { ABOVE, shortJump, shortJumpIf } from '../encode/control.js';
import { move } from '../encode/move.js';
import type { CodeBuffer } from '../code-buffer.js';
import { MACHINE_REGISTER, SCRATCH } from '../registers.js';
import * as isa from '../../../isa/opcodes.js';
import type { FunctionState } from '../state.js';
import { loadUnsignedNumber, loadWideNumber } from './constants.js';

/** VSYSCALL_ADDR (arch/x86/include/uapi/asm/vsyscall.h). */
const VSYSCALL: Address = { hi: -1, lo: -0xa0_0000 };
const HIDDEN = MACHINE_REGISTER[isa.AX]!;

type Load = (code: CodeBuffer, sizeLog2: number, rd: number, base: number, offset: number) => void;

export function lowerProbe(s: FunctionState, load: Load, size: number, rd: number, base: number, off: number): void {
  const { code } = s;
  loadWideNumber(s, HIDDEN, VSYSCALL.hi, VSYSCALL.lo);
  move(code, true, SCRATCH, base);
  if (off !== 0) arithmeticLongNumber(code, ADD, true, SCRATCH, off);
  arithmetic(code, SUB, true, SCRATCH, HIDDEN);
  const limit = addOffset(s.options.userEnd, -distance(VSYSCALL, { hi: 0, lo: 0 }));
  loadWideNumber(s, HIDDEN, limit.hi, limit.lo);
  arithmetic(code, CMP, true, SCRATCH, HIDDEN);
  shortJumpIf(code, ABOVE, 0);
  const bad = code.length;
  loadUnsignedNumber(s, rd, 0);
  shortJump(code, 0);
  const good = code.length;
  code.patch(bad - 1, good - bad);
  load(code, size, rd, base, off);
  code.patch(good - 1, code.length - good);
  s.mayFault(good, rd);
}
