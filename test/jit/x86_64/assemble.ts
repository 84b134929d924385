/**
 * What GNU as makes of the cases' texts. Run as a program, it writes `encodings.txt`: `npx tsx test/jit/x86_64/assemble.ts`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases.js';

export const ENCODINGS = join(import.meta.dirname, 'encodings.txt');
/** Debian's name for the assembler on hosts of other architectures, which is there on x86-64, too. */
const TOOLS = 'x86_64-linux-gnu-';
/** Every instruction begins at a multiple of this, so that jumps' targets count from it and each one's bytes can be told. */
const STRIDE = 16;
/** What fills the rest: a byte that no instruction of ours ends with. */
const FILLER = 0x9b;

export const installed = spawnSync(`${TOOLS}as`, ['--version']).status === 0;

/** The bytes of each text, as hexadecimal digits. */
export function assemble(texts: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-as-'));
  try {
    const [source, object, binary] = ['a.s', 'a.o', 'a.bin'].map((file) => join(directory, file)) as [
      string,
      string,
      string,
    ];
    const lines = texts.map((text) => `1: ${relative(text)}\n.balign ${STRIDE}, ${FILLER}\n`);
    writeFileSync(source, `.intel_syntax noprefix\n${lines.join('')}`);
    execFileSync(`${TOOLS}as`, ['--64', source, '-o', object]);
    execFileSync(`${TOOLS}objcopy`, ['-O', 'binary', '-j', '.text', object, binary]);
    const bytes = readFileSync(binary);
    return texts.map((_, i) => {
      const one = bytes.subarray(i * STRIDE, (i + 1) * STRIDE);
      let length = one.length;
      while (one[length - 1] === FILLER) length--;
      return one.subarray(0, length).toString('hex');
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Targets of jumps and calls count from the instruction's start. */
function relative(text: string): string {
  return text.replace(/^((?:\{\w+\} )?(?:j\w+|call)) (0x\w+)$/, '$1 1b + $2');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const encodings = assemble(CASES.map(([text]) => text));
  writeFileSync(ENCODINGS, CASES.map(([text], i) => `${encodings[i]!} ${text}\n`).join(''));
}
