/** arm64 machine code as text. */
import { Capstone, Const, loadCapstone } from 'capstone-wasm';

export interface Line {
  /** Byte offset in the code. */
  readonly offset: number;
  readonly word: number;
  readonly text: string;
}

/** One line for each 4-byte word; data among the code reads `.word`. Branch targets are offsets in the code. */
export async function disassemble(code: Uint8Array): Promise<Line[]> {
  await loadCapstone();
  const capstone = new Capstone(Const.CS_ARCH_ARM64, Const.CS_MODE_LITTLE_ENDIAN);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const lines: Line[] = [];
  try {
    for (let offset = 0; offset + 4 <= code.length; offset = lines.length * 4) {
      for (const instruction of capstone.disasm(code.subarray(offset), { address: offset })) {
        const at = lines.length * 4;
        lines.push({
          offset: at,
          word: view.getUint32(at, true),
          text: `${instruction.mnemonic} ${instruction.opStr}`.trimEnd(),
        });
      }
      const at = lines.length * 4;
      if (at + 4 > code.length) break;
      const word = view.getUint32(at, true);
      lines.push({ offset: at, word, text: `.word 0x${word.toString(16).padStart(8, '0')}` });
    }
  } finally {
    capstone.close();
  }
  return lines;
}
