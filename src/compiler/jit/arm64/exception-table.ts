/**
 * The exception table: what the kernel does when an access of BPF code faults (arch/arm64, Linux 6.12).
 *
 * It lies behind the code, one struct exception_table_entry (12 bytes) an access, in order of the code:
 *
 *     insn   s32   the access, relative to this field
 *     fixup  u32   bits 26–0: distance back from this field to where execution goes on, the next instruction;
 *                  bits 31–27: the register that is zeroed, 5 for none
 *     type   s16   1: EX_TYPE_BPF
 *     data   s16   not used
 */
import type { ExceptionEntry } from '../program.js';

export const ENTRY_BYTES = 12;
const TYPE_BPF = 1;
/** x5 holds no BPF register: its number stands where none is zeroed. */
const NOTHING_ZEROED = 5;
/** Bits of the distance; code is far smaller than 128 MiB. */
const DISTANCE_BITS = 27;

/** `faults`: word index and register, alternating; `table`: the table's offset from the function's start, in bytes. */
export function exceptionEntries(faults: readonly number[], table: number): ExceptionEntry[] {
  const entries: ExceptionEntry[] = [];
  for (let k = 0; k < faults.length; k += 2) {
    const offset = faults[k]! * 4;
    const resume = offset + 4;
    const register = faults[k + 1]!;
    const at = table + (k / 2) * ENTRY_BYTES;
    const raw = new Uint8Array(ENTRY_BYTES);
    const view = new DataView(raw.buffer);
    view.setInt32(0, offset - at, true);
    view.setUint32(4, at + 4 - resume + register * 2 ** DISTANCE_BITS, true);
    view.setInt16(8, TYPE_BPF, true);
    entries.push({ offset, resume, register, registerName: register === NOTHING_ZEROED ? '' : `x${register}`, raw });
  }
  return entries;
}
