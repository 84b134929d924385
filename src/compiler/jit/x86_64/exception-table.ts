/**
 * The exception table: what the kernel does when an access of BPF code faults (arch/x86, Linux 6.12).
 *
 * It lies behind the code, one struct exception_table_entry (12 bytes) an access, in order of the code:
 *
 *     insn   s32   the access, relative to this field
 *     fixup  s32   bits 7–0: the access's length, behind which execution goes on;
 *                  bits 31–8: the register that is zeroed, as its offset in struct pt_regs, 1 for none
 *     data   s32   7: EX_TYPE_BPF
 */
import type { ExceptionEntry } from '../program.js';
import { REGISTER_NAMES, RSP } from './encode/registers.js';

const ENTRY_BYTES = 12;
export const ENTRY_ALIGNMENT = 4;
const TYPE_BPF = 7;
const CLEARS_NOTHING = 1;
/** RSP holds no BPF register: its number stands where none is zeroed. */
const NOTHING_ZEROED = RSP;

/** Offsets in struct pt_regs (arch/x86/include/uapi/asm/ptrace.h), by register number; RSP is none that code loads into. */
const SAVED_AT = [80, 88, 96, 40, 152, 32, 104, 112, 72, 64, 56, 48, 24, 16, 8, 0] as const;

/** `faults` as FunctionState has them, `jumpBytes` as the layout; `table`: its offset from the function's start. */
export function exceptionEntries(faults: readonly number[], jumpBytes: Int32Array, table: number): ExceptionEntry[] {
  const entries: ExceptionEntry[] = [];
  for (let k = 0; k < faults.length; k += 4) {
    const offset = faults[k]! + jumpBytes[faults[k + 1]!]!;
    const length = faults[k + 2]!;
    const register = faults[k + 3]!;
    const raw = new Uint8Array(ENTRY_BYTES);
    const view = new DataView(raw.buffer);
    view.setInt32(0, offset - (table + (k / 4) * ENTRY_BYTES), true);
    view.setInt32(4, length | ((register < 0 ? CLEARS_NOTHING : SAVED_AT[register]!) << 8), true);
    view.setInt32(8, TYPE_BPF, true);
    const registerName = register < 0 ? '' : REGISTER_NAMES[register]!;
    entries.push({
      offset,
      resume: offset + length,
      register: register < 0 ? NOTHING_ZEROED : register,
      registerName,
      raw,
    });
  }
  return entries;
}
