/** Encoders against an independent assembler. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { CodeBuffer } from '../../../src/compiler/jit/s390x/code-buffer.js';
import { disassemble } from '../../../src/compiler/jit/s390x/disassemble.js';
import { ENCODINGS } from './encodings.js';
import { ASSEMBLER, assembled } from './record-encodings.js';

const RECORDED = JSON.parse(readFileSync(join(import.meta.dirname, 'encodings.json'), 'utf8')) as Record<
  string,
  string
>;

tap.test('encodings are those of GNU as', (t) => {
  for (const [emit, text] of ENCODINGS) {
    const code = new CodeBuffer(8);
    emit(code);
    t.equal(Buffer.from(code.toBytes()).toString('hex'), RECORDED[text], text);
  }
  t.end();
});

const installed = spawnSync(ASSEMBLER, ['--version']).status === 0;
tap.test('the recorded codes are what the assembler makes of the texts', { skip: !installed }, (t) => {
  assembled().forEach((code, i) => t.equal(code, RECORDED[ENCODINGS[i]![1]], ENCODINGS[i]![1]));
  t.equal(Object.keys(RECORDED).length, new Set(ENCODINGS.map(([, text]) => text)).size);
  t.end();
});

tap.test('an instruction names the registers in its fields', (t) => {
  const namedBy = (k: number): number => {
    const code = new CodeBuffer(8);
    ENCODINGS[k]![0](code);
    return code.named;
  };
  ENCODINGS.forEach(([, text], k) => {
    // %r0 in place of an index or base is none, but its bit does no harm: it is not saved.
    const inText = [...text.matchAll(/%r(\d+)/g)].reduce((bits, [, n]) => bits | (1 << Number(n)), 0);
    const branches = /^(bcr|bc) /.test(text);
    if (!branches) t.equal(namedBy(k) & ~1, inText & ~1, text);
  });
  t.end();
});

tap.test('what is encoded reads back as its text', (t) => {
  /** High enough for every distance back. */
  const address = 0x2_0000_0000;
  for (const [emit, text] of ENCODINGS) {
    const code = new CodeBuffer(8);
    emit(code);
    const read = disassemble(code.toBytes(), address).map(({ mnemonic, opStr }) => `${mnemonic} ${opStr}`);
    t.same(read, [text.replace(/\.([+-]\d+)/, (_, bytes: string) => `0x${(address + Number(bytes)).toString(16)}`)]);
  }
  t.end();
});

tap.test('data, and instructions that are cut, end the reading', (t) => {
  t.equal(disassemble(Uint8Array.of(0x07, 0xfe, 0, 0), 0).length, 1);
  t.equal(disassemble(Uint8Array.of(0x07, 0xfe, 0xb9, 0x04, 0), 0).length, 1);
  t.end();
});
