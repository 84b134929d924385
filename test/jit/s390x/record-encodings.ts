/**
 * Asks GNU as (package binutils-s390x-linux-gnu) for the code of every text of encodings.ts, and writes encodings.json:
 *
 *     npx tsx test/jit/s390x/record-encodings.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENCODINGS } from './encodings.js';

export const ASSEMBLER = 's390x-linux-gnu-as';
/** Each instruction lies in a field of its own; its first two bits tell its length. */
const FIELD = 8;

/** Hexadecimal code of each text. Throws where an instruction is refused. */
export function assembled(): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-as-'));
  try {
    const [source, object, binary] = [join(directory, 'a.s'), join(directory, 'a.o'), join(directory, 'a.bin')];
    writeFileSync(source, ENCODINGS.map(([, text]) => `.balign ${FIELD},0\n${text}\n`).join(''));
    execFileSync(ASSEMBLER, ['-march=z13', source, '-o', object]);
    execFileSync('s390x-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
    const bytes = readFileSync(binary);
    return ENCODINGS.map((_, i) => {
      const at = i * FIELD;
      return bytes.subarray(at, at + instructionBytes(bytes[at]!)).toString('hex');
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Length of the instruction that begins with this byte. */
function instructionBytes(first: number): number {
  return first < 0x40 ? 2 : first < 0xc0 ? 4 : 6;
}

if (process.argv[1] === import.meta.filename) {
  const codes = assembled();
  const table = Object.fromEntries(ENCODINGS.map(([, text], i) => [text, codes[i]]));
  writeFileSync(join(import.meta.dirname, 'encodings.json'), `${JSON.stringify(table, null, 2)}\n`);
}
