/**
 * Reads back the instructions that encode/ writes, in the notation of GNU as; branch targets are absolute. It knows no
 * others: what lies among the code, literals above all, is mostly none of them and shows as data.
 */
import type { DisassembledInstruction } from '../architecture.js';
import * as op from './encode/opcodes.js';

const MNEMONICS: ReadonlyMap<number, string> = new Map(
  Object.entries(op).map(([name, code]) => [code, name.toLowerCase()]),
);
/** Instructions of these formats whose immediate is a distance, or is not signed. */
const DISTANCES: ReadonlySet<number> = new Set([op.LARL, op.BRASL, op.LGRL, op.LGFRL, op.LRL, op.EXRL]);
const UNSIGNED: ReadonlySet<number> = new Set([op.XILF, op.IIHF, op.NILF, op.OILF, op.LLILF, op.ALGFI, op.ALFI]);
const THREE_REGISTERS: ReadonlySet<number> = new Set([op.NGRK, op.NRK]);
/** bc, which has no encoder of its own format. */
const BC = 0x47;

/** The instruction at byte `at`, null where it is none that the JIT writes; `address` is that of the code's first byte. */
function readInstruction(code: Uint8Array, at: number, address: number): DisassembledInstruction | null {
  const size = instructionBytes(code[at]!);
  if (at + size > code.length) return null;
  const view = new DataView(code.buffer, code.byteOffset + at, size);
  const opcode = opcodeOf(view);
  const mnemonic = opcode === BC ? 'bc' : MNEMONICS.get(opcode);
  if (mnemonic === undefined) return null;
  return { size, mnemonic, opStr: operands(view, opcode, address + at) };
}

/** As many instructions as there are from the start of `code` on. */
export function disassemble(code: Uint8Array, address: number): DisassembledInstruction[] {
  const read: DisassembledInstruction[] = [];
  for (let at = 0; at < code.length;) {
    const one = readInstruction(code, at, address);
    if (one === null) break;
    read.push(one);
    at += one.size;
  }
  return read;
}

/** Two bytes, four or six: the first two bits tell. */
function instructionBytes(first: number): number {
  return first < 0x40 ? 2 : first < 0xc0 ? 4 : 6;
}

/** The operation code as opcodes.ts has it: one byte, or with what its format adds. */
function opcodeOf(view: DataView): number {
  const first = view.getUint8(0);
  switch (first) {
    case 0xa7:
    case 0xc0:
    case 0xc2:
    case 0xc4:
    case 0xc6:
      return (first << 4) | (view.getUint8(1) & 0xf);
    case 0xb2:
    case 0xb9:
      return view.getUint16(0);
    case 0xe3:
    case 0xeb:
    case 0xec:
      return (first << 8) | view.getUint8(5);
    default:
      return first;
  }
}

function operands(view: DataView, opcode: number, address: number): string {
  const [r1, low] = [view.getUint8(1) >> 4, view.getUint8(1) & 0xf];
  const target = (halves: number): string => `0x${(address + 2 * halves).toString(16)}`;
  switch (opcode > 0xfff ? opcode >> 8 : opcode > 0xff ? opcode >> 4 : opcode) {
    case op.BCR:
      return `${r1},%r${low}`;
    case BC:
      return `${r1},${place(view, 0)}`;
    case op.LA:
    case op.SRL:
    case op.SLL:
    case op.SRA:
      return `%r${r1},${place(view, 0)}`;
    case 0xa7:
      if (opcode === op.BRC) return `${r1},${target(view.getInt16(2))}`;
      return `%r${r1},${view.getInt16(2)}`;
    case 0xb2:
    case 0xb9:
      return threeOrTwo(view.getUint16(2), THREE_REGISTERS.has(opcode));
    case 0xc0:
    case 0xc2:
    case 0xc4:
    case 0xc6: {
      if (opcode === op.BRCL) return `${r1},${target(view.getInt32(2))}`;
      if (DISTANCES.has(opcode)) return `%r${r1},${target(view.getInt32(2))}`;
      return `%r${r1},${UNSIGNED.has(opcode) ? view.getUint32(2) : view.getInt32(2)}`;
    }
    case op.MVC:
    case op.XC:
      return blocks(view);
    case 0xe3:
      return `%r${r1},${place(view, low)}`;
    case 0xeb:
      return `%r${r1},%r${low},${place(view, 0)}`;
    case 0xec:
      return comparison(view, opcode, target(view.getInt16(2)));
    default:
      return `%r${r1},%r${low}`;
  }
}

/** RRE and RRF-a. */
function threeOrTwo(fields: number, three: boolean): string {
  const [r3, r1, r2] = [fields >> 12, (fields >> 4) & 0xf, fields & 0xf];
  return three ? `%r${r1},%r${r2},%r${r3}` : `%r${r1},%r${r2}`;
}

/** Base and displacement, of 12 bits or, in instructions of six bytes, of 20. */
function place(view: DataView, index: number): string {
  const field = view.getUint16(2);
  const high = view.byteLength === 6 ? view.getInt8(4) << 12 : 0;
  const [base, displacement] = [field >> 12, high | (field & 0xfff)];
  if (index !== 0) return `${displacement}(%r${index},%r${base})`;
  return base === 0 ? String(displacement) : `${displacement}(%r${base})`;
}

function blocks(view: DataView): string {
  const [first, second] = [view.getUint16(2), view.getUint16(4)];
  return `${first & 0xfff}(${view.getUint8(1) + 1},%r${first >> 12}),${second & 0xfff}(%r${second >> 12})`;
}

/** RIE-b, RIE-c and RIE-f. */
function comparison(view: DataView, opcode: number, target: string): string {
  const [r1, low] = [view.getUint8(1) >> 4, view.getUint8(1) & 0xf];
  if (opcode === op.CLIJ) return `%r${r1},${view.getUint8(4)},${low},${target}`;
  if (opcode === op.RISBG) return `%r${r1},%r${low},${view.getUint8(2)},${view.getUint8(3)},${view.getUint8(4)}`;
  return `%r${r1},%r${low},${view.getUint8(4) >> 4},${target}`;
}
