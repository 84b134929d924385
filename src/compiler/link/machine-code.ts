/** Machine code cut into instructions. Pure: the disassembler (an instance of capstone) is handed in by whoever does I/O. */
import { LITTLE_ENDIAN } from '../bytes/byte-order.js';
import type { Architecture, DisassembledInstruction } from '../jit/architecture.js';

/** What capstone offers: as many instructions as it knows from the start of `code` on. */
export interface Disassembler {
  disasm(code: Uint8Array, options: { readonly address: number }): readonly DisassembledInstruction[];
}

/** One machine instruction, or one unit of data among them. */
export interface MachineInstruction {
  /** In bytes from the code's start. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** In the disassembler's notation; branch targets are offsets in the code. Data read `.word`, `.short` or `.byte`. */
  readonly text: string;
}

const DIRECTIVE = { 1: '.byte', 2: '.short', 4: '.word' } as const;

/** The instructions of `code`, in order and without gaps. */
export function cutCode(
  code: Uint8Array,
  architecture: Architecture,
  disassembler: Disassembler,
): MachineInstruction[] {
  const unit = architecture.instructionUnit;
  const cut: MachineInstruction[] = [];
  let at = 0;
  const add = (size: number, text: string): void => {
    cut.push({ offset: at, bytes: code.subarray(at, at + size), text });
    at += size;
  };
  while (at < code.length) {
    for (const { size, mnemonic, opStr } of disassembler.disasm(code.subarray(at), { address: at })) {
      add(size, `${mnemonic} ${opStr}`.trimEnd());
    }
    if (at >= code.length) break;
    const rest = code.subarray(at, at + unit);
    if (rest.length === unit) add(unit, `${DIRECTIVE[unit]} 0x${encodingText(rest, architecture)}`);
    else for (const byte of rest) add(1, `.byte 0x${byte.toString(16).padStart(2, '0')}`);
  }
  return cut;
}

/** An instruction's bytes as disassemblers show them: words of fixed length as numbers, all else byte by byte. */
export function encodingText(bytes: Uint8Array, { byteOrder, instructionUnit }: Architecture): string {
  const isWord = instructionUnit === 4 && byteOrder === LITTLE_ENDIAN;
  const shown = isWord ? [...bytes].reverse() : [...bytes];
  return shown.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
