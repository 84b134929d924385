/** Atomic accesses: Armv8.1's Large System Extensions, and exclusive pairs for CPUs without them. `wide`: 8 bytes, else 4. */
import { ZR } from './registers.js';

/** Read-modify-write operations of LSE, as their opcode bits 15–12. */
export const LSE_ADD = 0x0000;
export const LSE_CLR = 0x1000;
export const LSE_EOR = 0x2000;
export const LSE_SET = 0x3000;
export const LSE_SWP = 0x8000;

function sized(wide: boolean, base: number): number {
  return wide ? base | (1 << 30) : base;
}

/** LDADDAL, LDCLRAL, LDEORAL, LDSETAL, SWPAL: [rn] = [rn] op rs, rt = the old value; acquires and releases. */
export function atomicFetch(wide: boolean, op: number, rs: number, rt: number, rn: number): number {
  return sized(wide, 0xb8e00000) | (rs << 16) | op | (rn << 5) | rt;
}
/** STADD, STCLR, STEOR, STSET: [rn] = [rn] op rs, without ordering. */
export function atomicStore(wide: boolean, op: number, rs: number, rn: number): number {
  return sized(wide, 0xb8200000) | (rs << 16) | op | (rn << 5) | ZR;
}
/** CASAL: compares [rn] with rs, stores rt where they are equal; rs = the old value. */
export function compareAndSwap(wide: boolean, rs: number, rt: number, rn: number): number {
  return sized(wide, 0x88e0fc00) | (rs << 16) | (rn << 5) | rt;
}

/** LDXR: loads and marks for exclusive access. */
export function loadExclusive(wide: boolean, rt: number, rn: number): number {
  return sized(wide, 0x885f7c00) | (rn << 5) | rt;
}
/** STXR: stores if still exclusive; rs = 0 where it did. */
export function storeExclusive(wide: boolean, rs: number, rt: number, rn: number): number {
  return sized(wide, 0x88007c00) | (rs << 16) | (rn << 5) | rt;
}
/** STLXR: as STXR, with release. */
export function storeReleaseExclusive(wide: boolean, rs: number, rt: number, rn: number): number {
  return sized(wide, 0x8800fc00) | (rs << 16) | (rn << 5) | rt;
}
