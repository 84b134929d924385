/** Encoders against an independent assembler, immediates at the edges of their ranges, and what a disassembler reads back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import * as imm from '../../src/compiler/jit/arm64/encode/immediates.js';
import { ENCODINGS } from './encodings.js';

const AS = 'aarch64-linux-gnu-as';

tap.test('encodings are those of GNU as', (t) => {
  for (const [word, hex, text] of ENCODINGS) t.equal((word >>> 0).toString(16).padStart(8, '0'), hex, text);
  t.end();
});

const installed = spawnSync(AS, ['--version']).status === 0;
tap.test('the recorded words are what the assembler makes of the texts', { skip: !installed }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-as-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const [source, object, binary] = ['a.s', 'a.o', 'a.bin'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(source, ENCODINGS.map(([, , text]) => `${text}\n`).join(''));
  execFileSync(AS, ['-march=armv8.5-a', source, '-o', object]);
  execFileSync('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
  const words = readFileSync(binary);
  t.equal(words.length, 4 * ENCODINGS.length);
  ENCODINGS.forEach(([, hex, text], i) =>
    t.equal(
      words
        .readUInt32LE(4 * i)
        .toString(16)
        .padStart(8, '0'),
      hex,
      text,
    ),
  );
  t.end();
});

tap.test('add and subtract immediates: 12 bits, or 12 bits shifted by 12', (t) => {
  const edges: readonly (readonly [number, number | null])[] = [
    [0, 0],
    [0xfff, 0xfff],
    [0x1000, 0x1001],
    [0x1001, null],
    [0xfff000, 0x1fff],
    [0xfff001, null],
    [0x1000000, null],
    [-1, null],
    [-0x80000000, null],
  ];
  for (const [value, field] of edges) t.equal(imm.maybeAddSubImmediate(value), field, String(value));
  t.end();
});

tap.test('offsets: positive, aligned, 4095 units', (t) => {
  for (const size of [0, 1, 2, 3]) {
    t.equal(imm.maybeScaledOffset(0, size), 0);
    t.equal(imm.maybeScaledOffset(4095 << size, size), 4095);
    t.equal(imm.maybeScaledOffset(4096 << size, size), null);
    t.equal(imm.maybeScaledOffset(-(1 << size), size), null);
    if (size > 0) t.equal(imm.maybeScaledOffset(1, size), null);
  }
  t.end();
});

tap.test('branch distances: 19 and 26 bits, signed', (t) => {
  t.equal(imm.maybeShortDistance(0x3ffff), 0x3ffff);
  t.equal(imm.maybeShortDistance(0x40000), null);
  t.equal(imm.maybeShortDistance(-0x40000), -0x40000);
  t.equal(imm.maybeShortDistance(-0x40001), null);
  t.equal(imm.maybeLongDistance(0x1ffffff), 0x1ffffff);
  t.equal(imm.maybeLongDistance(0x2000000), null);
  t.equal(imm.maybeLongDistance(-0x2000000), -0x2000000);
  t.equal(imm.maybeLongDistance(-0x2000001), null);
  t.end();
});

/** Arm's DecodeBitMasks (DDI 0487, aarch64/instrs/integer/bitmasks): the value that a field stands for, as 64 bits. */
function decodeBitMask(field: number): bigint {
  const n = field >> 12;
  const immr = (field >> 6) & 0x3f;
  const imms = field & 0x3f;
  const length = 31 - Math.clz32((n << 6) | (~imms & 0x3f));
  const size = 1 << length;
  const ones = (imms & (size - 1)) + 1;
  const rotate = immr & (size - 1);
  const run = (1n << BigInt(ones)) - 1n;
  const mask = (1n << BigInt(size)) - 1n;
  const element = ((run >> BigInt(rotate)) | (run << BigInt(size - rotate))) & mask;
  let value = 0n;
  for (let at = 0; at < 64; at += size) value |= element << BigInt(at);
  return value;
}

tap.test('bitmask immediates: all 5334 of them, and nothing else', (t) => {
  const values = new Set<bigint>();
  let wrong = 0;
  for (let size = 2; size <= 64; size *= 2) {
    for (let ones = 1; ones < size; ones++) {
      for (let rotate = 0; rotate < size; rotate++) {
        const imms = (~(2 * size - 1) & 0x3f) | (ones - 1);
        const value = decodeBitMask(((size === 64 ? 1 : 0) << 12) | (rotate << 6) | imms);
        values.add(value);
        const hi = Number(BigInt.asIntN(32, value >> 32n));
        const lo = Number(BigInt.asIntN(32, value));
        const field = imm.maybeLogicalImmediate(true, hi, lo);
        if (field === null || decodeBitMask(field) !== value) wrong++;
        const narrow = imm.maybeLogicalImmediate(false, hi, lo);
        if (size < 64 && (narrow === null || decodeBitMask(narrow) !== value || narrow >> 12 !== 0)) wrong++;
      }
    }
  }
  t.equal(values.size, 5334);
  t.equal(wrong, 0);

  const refused = [0n, 0xffffffffffffffffn, 5n, 0x1234567n, 0xfff0fffn, 0x0000000100000003n];
  for (const value of refused) {
    const hi = Number(BigInt.asIntN(32, value >> 32n));
    t.equal(imm.maybeLogicalImmediate(true, hi, Number(BigInt.asIntN(32, value))), null, value.toString(16));
  }
  t.equal(imm.maybeLogicalImmediate(false, 0, 0), null);
  t.equal(imm.maybeLogicalImmediate(false, 0, -1), null);
  t.end();
});
