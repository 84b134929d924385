/** BTF as people have it: raw, in an ELF file, compressed in any way; damaged, and larger than it says. */
import { gzipSync, deflateSync } from 'node:zlib';
import t from 'tap';
import { checkBtf, unwrapBtf } from '../../src/service/btf-unwrap.js';
import { BtfBuilder } from '../btf/builder.js';
import { readObjectFile } from '../objects/golden.js';

const builder = new BtfBuilder();
builder.int('int', 4, 1);
const blob = builder.build();
/** The same blob, compressed by xz 5.4 and zstd 1.5. */
const XZ =
  'fd377a585a000004e6d6b446020021011c00000010cf58cce0002c001d5d004fbabc2000ce5106a680f1fa14c8b254f106079543a763bc3970c000000000000031c6ae8b3a9b4d9c0001392de464dd6b1fb6f37d010000000004595a';
const ZSTD = '28b52ffd242d3501000202070fe0e90058a88d2880cf3429370032059fd57dfaa1ffdf3fe4b9890102006e160328026a8bb9c8';

t.test('what is inside comes out', async (t) => {
  const packed: Record<string, Uint8Array> = {
    raw: blob,
    gzip: gzipSync(blob),
    zlib: deflateSync(blob),
    xz: Buffer.from(XZ, 'hex'),
    zstd: Buffer.from(ZSTD, 'hex'),
  };
  for (const [name, bytes] of Object.entries(packed)) {
    t.equal(Buffer.from(await unwrapBtf(bytes)).toString('hex'), Buffer.from(blob).toString('hex'), name);
  }
});

t.test('an ELF file is taken for its .BTF section', async (t) => {
  t.doesNotThrow(() => checkBtf(readObjectFile('core.o')));
  t.doesNotThrow(() => checkBtf(blob));
});

t.test('damage is refused', async (t) => {
  for (const bytes of [gzipSync(blob), Buffer.from(XZ, 'hex'), Buffer.from(ZSTD, 'hex')]) {
    await t.rejects(unwrapBtf(bytes.subarray(0, bytes.length - 12)), { code: 'INVALID_BTF' }, 'cut short');
  }
  t.throws(() => checkBtf(new Uint8Array(64)), { code: 'INVALID_BTF' });
  t.throws(() => checkBtf(readObjectFile('core.o').subarray(0, 300)), { code: 'INVALID_BTF' });
});

t.test('a bomb is refused before it grows', async (t) => {
  const bomb = gzipSync(Buffer.alloc(129 * 1024 * 1024), { level: 1 });
  await t.rejects(unwrapBtf(bomb), { code: 'INVALID_BTF' });
});
