/**
 * Constants into registers: the shortest sequence where the kernel takes the trouble (numbers), a fixed one where a later
 * pass may know another value (addresses of functions).
 */
import type { Address } from '../../address.js';
import type { SymbolRef } from '../../program.js';
import { movk, movn, movz } from '../encode/move.js';
import type { FunctionState } from '../state.js';

/** A 32-bit number, sign-extended where `wide`: one or two instructions. */
export function loadNumber(s: FunctionState, wide: boolean, rd: number, value: number): void {
  const high = value >>> 16;
  const low = value & 0xffff;
  if (value >= 0) {
    s.put(movz(wide, rd, low, 0));
    if (high !== 0) s.put(movk(wide, rd, high, 1));
  } else if (high === 0xffff) {
    s.put(movn(wide, rd, ~low, 0));
  } else {
    s.put(movn(wide, rd, ~high, 1));
    if (low !== 0xffff) s.put(movk(wide, rd, low, 0));
  }
}

function lane(hi: number, lo: number, k: number): number {
  return ((k < 2 ? lo : hi) >>> ((k & 1) * 16)) & 0xffff;
}

/** A 64-bit number: one to four instructions, starting from zeros or from ones, whichever leaves fewer lanes to write. */
export function loadWideNumber(s: FunctionState, rd: number, hi: number, lo: number): void {
  if (hi === 0) {
    loadNumber(s, false, rd, lo);
    return;
  }
  let zeros = 0;
  let ones = 0;
  for (let k = 0; k < 4; k++) {
    const bits = lane(hi, lo, k);
    if (bits === 0) zeros++;
    if (bits === 0xffff) ones++;
  }
  const inverse = ones > zeros;
  const background = inverse ? 0xffff : 0;
  let k = 3;
  while (k > 0 && lane(hi, lo, k) === background) k--;
  const first = lane(hi, lo, k);
  s.put(inverse ? movn(true, rd, ~first, k) : movz(true, rd, first, k));
  while (--k >= 0) {
    const bits = lane(hi, lo, k);
    if (bits !== background) s.put(movk(true, rd, bits, k));
  }
}

/** A kernel address, whose upper 16 bits are ones (48-bit virtual addresses): always three instructions. */
export function loadKernelAddress(s: FunctionState, rd: number, address: Address): void {
  s.put(movn(true, rd, ~lane(address.hi, address.lo, 0), 0));
  s.put(movk(true, rd, lane(address.hi, address.lo, 1), 1));
  s.put(movk(true, rd, lane(address.hi, address.lo, 2), 2));
}

/** ELF for the Arm 64-bit architecture (AAELF64), group relocations: a lane of an absolute address into MOVZ and MOVK. */
const LANE_RELOCATIONS = [
  'R_AARCH64_MOVW_UABS_G0_NC',
  'R_AARCH64_MOVW_UABS_G1_NC',
  'R_AARCH64_MOVW_UABS_G2_NC',
  'R_AARCH64_MOVW_UABS_G3',
] as const;

/** An address that only a linker knows: four instructions, one relocation each. */
export function loadSymbol(s: FunctionState, rd: number, symbol: SymbolRef): void {
  for (let k = 0; k < 4; k++) {
    s.relocate(LANE_RELOCATIONS[k]!, symbol);
    s.put(k === 0 ? movz(true, rd, 0, 0) : movk(true, rd, 0, k));
  }
}

/** The upper 32 bits of a linker's address, as a 32-bit number: two instructions. */
export function loadSymbolUpperHalf(s: FunctionState, rd: number, symbol: SymbolRef): void {
  s.relocate('R_AARCH64_MOVW_UABS_G2_NC', symbol);
  s.put(movz(false, rd, 0, 0));
  s.relocate('R_AARCH64_MOVW_UABS_G3', symbol);
  s.put(movk(false, rd, 0, 1));
}
