/** Machine code as text, of any architecture that the compiler has code for. */
import { Capstone, Const, loadCapstone } from 'capstone-wasm';
import { ARCHITECTURES, architectureOf } from '../compiler/jit/architectures.js';
import type { Architecture } from '../compiler/jit/architecture.js';
import { cutCode, encodingText, type Disassembler } from '../compiler/link/machine-code.js';

export interface Line {
  /** Byte offset in the code. */
  readonly offset: number;
  readonly encoding: string;
  readonly text: string;
}

/**
 * One line for each machine instruction, or unit of data among them. Branch targets are offsets in the code. `architecture`
 * is named by the answer's target; answers of older services name none.
 */
export async function disassemble(code: Uint8Array, architecture: string | undefined): Promise<Line[]> {
  const found = architecture === undefined ? ARCHITECTURES[0] : architectureOf(architecture);
  const disassembler = await disassemblerOf(found);
  try {
    return cutCode(code, found, disassembler).map(({ offset, bytes, text }) => ({
      offset,
      encoding: encodingText(bytes, found),
      text,
    }));
  } finally {
    disassembler.close();
  }
}

async function disassemblerOf({ capstone, disassemble: own }: Architecture): Promise<Disassembler & { close(): void }> {
  if (capstone === null) return { disasm: (code, { address }) => own?.(code, address) ?? [], close: () => undefined };
  await loadCapstone();
  const mode = capstone.modes.reduce((bits, name) => bits | Const[name]!, 0);
  return new Capstone(Const[capstone.architecture]!, mode);
}
