/** Inputs made to hurt: cycles, deep nesting, sizes that multiply past 2^64, names without end, counts without bytes. */
import t from 'tap';
import { typeSize, resolveSize } from '../../src/compiler/btf/layout.js';
import type { Btf } from '../../src/compiler/btf/btf.js';
import { findSpecialFields } from '../../src/compiler/btf/special-fields.js';
import { typeText } from '../../src/compiler/btf/print.js';
import { readBtf } from '../../src/compiler/btf/read.js';
import { validateBtf } from '../../src/compiler/btf/validate.js';
import { Budget, OBJECT_STEPS } from '../../src/compiler/core/budget.js';
import { typesMatch } from '../../src/compiler/core/match.js';
import { CoreResolver, isCoreFailure } from '../../src/compiler/core/resolve.js';
import { FIELD_BYTE_OFFSET } from '../../src/compiler/core/relocation.js';
import { readElf, readSections } from '../../src/compiler/elf/elf.js';
import { BtfBuilder } from '../btf/builder.js';
import { assertCheap, measure } from './limits.js';
import { LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';

function build(define: (b: BtfBuilder) => void): Uint8Array {
  const builder = new BtfBuilder();
  define(builder);
  return builder.build();
}

function open(blob: Uint8Array): Btf {
  const btf = readBtf(blob, null, '');
  if (!btf.ok) throw new Error(btf.failure.message);
  return btf.value;
}

function cheap(t: Tap, blob: Uint8Array, read: () => void): void {
  t.doesNotThrow(() => assertCheap(measure(read), blob.length));
}
type Tap = typeof t;

t.test('types that refer to themselves', async (t) => {
  const blob = build((b) => {
    b.typedef('t', 2);
    b.add(10, '', 1); // const of the typedef of the const …
    b.struct('s', 8, [['s', 3, 0]]);
    b.array(4, 4, 4); // of itself, by itself
    b.pointer(5);
  });
  const btf = open(blob);
  for (let id = 1; id < btf.typeCount; id++) {
    cheap(
      t as Tap,
      blob,
      () => void [typeSize(btf, id), resolveSize(btf, id), typeText(btf, id), btf.skipModifiers(id)],
    );
  }
  t.equal(btf.skipModifiers(1), 0, 'a chain without an end is void');
  t.equal(typeSize(btf, 4), -1);
});

t.test('a million nested arrays', async (t) => {
  const blob = build((b) => {
    const i = b.int('int', 4, 1);
    for (let k = 0; k < 1_000_000; k++) b.array(k === 0 ? i : k + 1, i, 0xffff_ffff);
  });
  cheap(t as Tap, blob, () => {
    const btf = open(blob);
    t.equal(typeSize(btf, btf.typeCount - 1), -1, 'no size');
    t.equal(resolveSize(btf, 3), null, 'no size past 2^32');
    typeText(btf, btf.typeCount - 1);
  });
  cheap(t as Tap, blob, () => t.not(validateBtf(blob).errno, 0));
});

t.test('structs that hold each other twice', async (t) => {
  const blob = build((b) => {
    const i = b.int('int', 4, 1);
    for (let k = 0; k < 30; k++) {
      const inner = k === 0 ? i : k + 1;
      b.struct(`s${k}`, 0xffff_ffff, [
        ['', inner, 0],
        ['', inner, 0],
      ]);
    }
  });
  const btf = open(blob);
  const last = btf.typeCount - 1;
  cheap(t as Tap, blob, () => t.same(findSpecialFields(btf, last, 0xffff), [], 'no special field in 2^30 places'));
});

t.test('CO-RE against types that nest without end', async (t) => {
  const nested = (leaf: string): Uint8Array =>
    build((b) => {
      const i = b.int('int', 4, 1);
      for (let k = 0; k < 40; k++) {
        const inner = k === 0 ? i : k + 1;
        b.struct(k === 39 ? 'root' : '', 8, [
          ['', inner, 0],
          ['', inner, 0],
        ]);
      }
      b.struct('local', 8, [[leaf, i, 0]]);
      b.string('0:0');
    });
  const target = open(nested('x'));
  const localBlob = build((b) => {
    const i = b.int('int', 4, 1);
    b.struct('root', 8, [['wanted', i, 0]]);
    b.string('0:0');
  });
  const local = open(localBlob);
  const accessOff = Buffer.from(localBlob).indexOf('0:0\0') - (localBlob.length - local.stringLength);
  const resolver = new CoreResolver(local, target, new Budget(OBJECT_STEPS));
  cheap(t as Tap, localBlob, () => {
    const answer = resolver.resolve({ typeId: 2, accessOff, kind: FIELD_BYTE_OFFSET });
    t.ok(isCoreFailure(answer), 'gives up, and says so');
  });
  const twice = open(
    build((b) => {
      const i = b.int('int', 4, 1);
      for (let k = 0; k < 31; k++) {
        const inner = k === 0 ? i : k + 1;
        b.struct('s', 8, [
          ['a', inner, 0],
          ['b', inner, 0],
        ]);
      }
    }),
  );
  const root = twice.typeCount - 1;
  cheap(t as Tap, localBlob, () => t.ok(typesMatch(twice, root, twice, root, new Budget(OBJECT_STEPS)) < 0));
});

t.test('one name for everything', async (t) => {
  const blob = build((b) => {
    const name = b.string('x'.repeat(100_000));
    for (let k = 0; k < 100_000; k++) b.add(1, name, 4, [32]);
  });
  cheap(t as Tap, blob, () => {
    const btf = open(blob);
    t.equal(btf.find('x'.repeat(100_000), 1), 1);
    t.equal(btf.find('y', 1), 0);
  });
});

t.test('ELF headers that promise more than there is', async (t) => {
  const header = (table: bigint, count: number, size: bigint): Uint8Array => {
    const bytes = new Uint8Array(256);
    const view = new DataView(bytes.buffer);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 1, true);
    view.setUint16(18, 247, true);
    view.setBigUint64(40, table, true);
    view.setUint16(58, 64, true);
    view.setUint16(60, count, true);
    if (table === 64n) view.setBigUint64(64 + 32, size, true);
    return bytes;
  };
  for (const bytes of [
    header(64n, 0xffff, 0n),
    header(64n, 0, 0xffff_ffff_ffff_ffffn),
    header(64n, 0, 0x1_0000_0000n),
    header(0xffff_ffff_ffff_ffffn, 3, 0n),
    header(250n, 1, 0n),
    header(64n, 3, 0n),
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46]),
    new Uint8Array(0),
  ]) {
    cheap(t as Tap, bytes, () => {
      t.notOk(readElf(bytes, LITTLE_ENDIAN).ok);
      readSections(bytes);
    });
  }
});
