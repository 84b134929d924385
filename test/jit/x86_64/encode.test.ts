/** Encoders against an independent assembler, and what a disassembler reads back. */
import { Capstone, Const, loadCapstone } from 'capstone-wasm';
import { readFileSync } from 'node:fs';
import tap from 'tap';
import { CodeBuffer } from '../../../src/compiler/jit/x86_64/code-buffer.js';
import { assemble, ENCODINGS, installed } from './assemble.js';
import { CASES } from './cases.js';

const recorded = readFileSync(ENCODINGS, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => /^(\w+) (.*)$/.exec(line)!.slice(1) as [string, string]);

function encoded(encode: (code: CodeBuffer) => void): Uint8Array {
  const code = new CodeBuffer(16);
  encode(code);
  return code.bytes.subarray(0, code.length);
}

/** Numbers as what their 64 (MOVABS) or 32 bits are unsigned: the disassembler writes some of them signed. */
function withUnsigned(text: string): string {
  const bits = text.startsWith('movabs') ? 64 : 32;
  return text.replace(/(?<![\w*])-?(?:0x[0-9a-f]+|[0-9]+)\b/g, (number) => {
    const magnitude = BigInt(number.replace('-', ''));
    return String(BigInt.asUintN(bits, number.startsWith('-') ? -magnitude : magnitude));
  });
}

tap.test('encodings are those of GNU as', (t) => {
  t.same(
    recorded.map(([, text]) => text),
    CASES.map(([text]) => text),
    'all cases are recorded',
  );
  const wrong = CASES.map(([text, encode], i) => ({
    text,
    ours: Buffer.from(encoded(encode)).toString('hex'),
    assembler: recorded[i]?.[0],
  })).filter(({ ours, assembler }) => ours !== assembler);
  t.same(wrong, []);
  t.end();
});

tap.test('the recorded bytes are what the assembler makes of the texts', { skip: !installed }, (t) => {
  t.same(
    assemble(CASES.map(([text]) => text)),
    recorded.map(([hex]) => hex),
  );
  t.end();
});

tap.test('a disassembler reads the instruction back', async (t) => {
  await loadCapstone();
  const capstone = new Capstone(Const['CS_ARCH_X86']!, Const['CS_MODE_64']!);
  t.teardown(() => capstone.close());
  const wrong: unknown[] = [];
  for (const [text, encode] of CASES) {
    const bytes = encoded(encode);
    const read = capstone.disasm(bytes, { address: 0 }).map(({ mnemonic, opStr }) => `${mnemonic} ${opStr}`.trimEnd());
    const plain = text.replace(/^\{\w+\} /, '').replace(/\[(\w+) \+ rax\]/, '[$1 + $1]');
    if (read.length !== 1 || withUnsigned(read[0]!) !== withUnsigned(plain))
      wrong.push({ read, text: plain, bytes: Buffer.from(bytes).toString('hex') });
  }
  t.same(wrong, []);
});
