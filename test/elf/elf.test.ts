/** ELF objects against binutils' own reading of them: sections, symbols, relocations. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { readElf, readRelocations } from '../../src/compiler/elf/elf.js';
import { readObjectFile } from '../objects/golden.js';
import { LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';

const NAMES = ['functions.o', 'maps.o', 'struct_ops.o', 'legacy.o'];
const BINDINGS = ['LOCAL', 'GLOBAL', 'WEAK'];
const TYPES = ['NOTYPE', 'OBJECT', 'FUNC', 'SECTION', 'FILE'];
/** Of Debian's llvm, which has clang too. */
const READELF = 'llvm-readelf-19';

function readelf(...args: readonly string[]): string | null {
  try {
    return execFileSync(READELF, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

const isInstalled = readelf('--version') !== null;

for (const name of NAMES) {
  t.test(name, { skip: isInstalled ? false : `${READELF} is not installed` }, async (t) => {
    const elf = readElf(readObjectFile(name), LITTLE_ENDIAN);
    if (!elf.ok) throw new Error(elf.failure.message);
    const path = join(import.meta.dirname, '../objects', name);
    const listing = readelf('-W', '-S', '-s', '-r', path) ?? '';

    const sections = [...listing.matchAll(/^ +\[ *(\d+)\] +(\S*) +(\S+) +[0-9a-f]{16} [0-9a-f]{6} ([0-9a-f]{6}) /gm)];
    const ours = elf.value.sections.map(({ index, name: text, size }) => [index, text, size]);
    t.same(
      ours.slice(1),
      sections.filter(([, i]) => i !== '0').map(([, i, text, , size]) => [Number(i), text, parseInt(size!, 16)]),
    );

    const symbols = [...listing.matchAll(/^ +(\d+): ([0-9a-f]{16}) +(\d+) (\S+) +(\S+) +(\S+) +(\S+) ?(.*)$/gm)];
    t.same(
      elf.value.symbols.map((one) => [
        one.index,
        one.value,
        one.size,
        TYPES[one.type],
        BINDINGS[one.bind],
        one.type === 3 ? elf.value.sections[one.section]?.name : one.name,
      ]),
      symbols.map(([, i, value, size, type, bind, , , text]) => [
        Number(i),
        parseInt(value!, 16),
        Number(size),
        type,
        bind,
        text,
      ]),
    );

    const relocations = [...listing.matchAll(/^([0-9a-f]{16}) +([0-9a-f]{16}) R_BPF/gm)];
    const all = elf.value.sections.filter(({ type }) => type === 9).flatMap(readRelocations);
    t.same(
      all.map(({ offset, symbol }) => [offset, symbol]),
      relocations.map(([, offset, info]) => [parseInt(offset!, 16), parseInt(info!.slice(0, 8), 16)]),
    );
    t.ok(all.length > 0);
  });
}

t.test('what is refused', async (t) => {
  const good = readObjectFile('legacy.o');
  const set = (at: number, ...bytes: readonly number[]): Uint8Array => {
    const copy = Uint8Array.from(good);
    copy.set(bytes, at);
    return copy;
  };
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['elf: object is not a proper ELF object', set(0, 1)],
    ['elf: object is not a 64-bit ELF object', set(4, 1)],
    ['elf: endianness mismatch in object.', readObjectFile('bpfeb/legacy.o')],
    ['elf: object is not a valid eBPF object file', set(18, 62)],
    ['elf: failed to get section names section index for object', set(62, 0xf0, 0)],
    ['elf: failed to get the number of sections for object', good.slice(0, good.length - 64)],
  ];
  for (const [message, bytes] of cases) {
    t.match(
      readElf(bytes, LITTLE_ENDIAN),
      { ok: false, failure: { stage: 'LOAD', code: 'ELF_INVALID', message } },
      message,
    );
  }
});
