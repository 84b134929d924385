/** Counts a call, for the kernel to know how full the return stack buffer is. */
import type { CodeBuffer } from '../code-buffer.js';

/** Bytes behind the instruction's distance. */
export const BEHIND_DISTANCE = 1;

/** SAR qword ptr gs:[RIP + distance], 5: as every counted call does. */
export function countCall(code: CodeBuffer, distance: number): void {
  code.put2(0x65, 0x48);
  code.put2(0xc1, 0x3d);
  code.put32(distance);
  code.put(5);
}
