/**
 * The exception table: what the kernel does when an access of BPF code faults (arch/s390, Linux 6.12).
 *
 * It lies behind the code and its literals. After some faults the program counter is already behind the access: so a nop
 * follows each, and there are two entries, of struct exception_table_entry (12 bytes, big-endian):
 *
 *     insn   s32   the access or its nop, relative to this field
 *     fixup  s32   where execution goes on, relative to this field
 *     type   s16   2: EX_TYPE_BPF
 *     data   s16   the general register that is zeroed, -1 for none
 */
import type { ExceptionEntry } from '../program.js';

export const ENTRY_BYTES = 12;
export const ENTRY_ALIGNMENT = 4;
const TYPE_BPF = 2;
/** What stands where no register is zeroed. */
export const ZEROES_NOTHING = -1;
/** The number told in that case: %r0 holds no BPF register. */
const NO_REGISTER = 0;

/** `faults`: access, nop, resume point and register, in turn; `table`: the table's offset from the function's start. */
export function exceptionEntries(faults: readonly number[], table: number): ExceptionEntry[] {
  const entries: ExceptionEntry[] = [];
  for (let k = 0; k < faults.length; k += 4) {
    const resume = faults[k + 2]!;
    const register = faults[k + 3]!;
    entries.push(entry(faults[k]!, resume, register, table + entries.length * ENTRY_BYTES));
    entries.push(entry(faults[k + 1]!, resume, register, table + entries.length * ENTRY_BYTES));
  }
  return entries;
}

function entry(offset: number, resume: number, register: number, at: number): ExceptionEntry {
  const raw = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(raw.buffer);
  view.setInt32(0, offset - at);
  view.setInt32(4, resume - (at + 4));
  view.setInt16(8, TYPE_BPF);
  view.setInt16(10, register);
  if (register === ZEROES_NOTHING) return { offset, resume, register: NO_REGISTER, registerName: '', raw };
  return { offset, resume, register, registerName: `r${register}`, raw };
}
