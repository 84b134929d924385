/** Calls in the code of kernel modules: what gcc and clang make of a call with a constant first argument. */
import type { ByteReader } from '../../bytes/reader.js';

/** R_AARCH64_CALL26 */
export const CALL_RELOCATION = 283;
/** Instructions before a call in which its first argument is looked for. */
const LOOK_BACK = 16;

/** The constant in w0 at a call, looked for backwards as far as control passes through. */
export function firstArgument(code: ByteReader, call: number): number | null {
  for (let at = call - 4; at >= 0 && at >= call - 4 * LOOK_BACK; at -= 4) {
    const word = code.u32(at);
    if (isMovz(word)) return (word >>> 5) & 0xffff;
    if (word === 0x2a1f_03e0) return 0; // mov w0, wzr
    if (leaves(word)) return null;
  }
  return null;
}

/** movz w0, #constant */
function isMovz(word: number): boolean {
  return (word & 0xffe0_001f) >>> 0 === 0x5280_0000;
}

/** b, bl, br, blr, ret: what stands before them says nothing of what is in w0 behind them. */
function leaves(word: number): boolean {
  return (word & 0x7c00_0000) >>> 0 === 0x1400_0000 || (word & 0xfe00_0000) >>> 0 === 0xd600_0000;
}
