/** What a module's ELF file tells, on files made here. */
import tap from 'tap';
import { readModuleFile } from '../../src/compiler/module-file.js';

interface Part {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  readonly link?: number;
  readonly info?: number;
  readonly entry?: number;
}

/** The null section is added in front. */
function elf(parts: readonly Part[]): Buffer {
  const names = Buffer.from(`\0${[...parts.map(({ name }) => name), '.shstrtab'].join('\0')}\0`);
  const all = [...parts, { name: '.shstrtab', type: 3, bytes: names } as Part];
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(1, 16);
  header.writeUInt16LE(183, 18);
  const table = Buffer.alloc(64 * (all.length + 1));
  let at = 64;
  all.forEach(({ name, type, bytes, link = 0, info = 0, entry = 0 }, i) => {
    const base = 64 * (i + 1);
    table.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, base);
    table.writeUInt32LE(type, base + 4);
    table.writeBigUInt64LE(BigInt(at), base + 24);
    table.writeBigUInt64LE(BigInt(bytes.length), base + 32);
    table.writeUInt32LE(link, base + 40);
    table.writeUInt32LE(info, base + 44);
    table.writeBigUInt64LE(BigInt(entry), base + 56);
    at += bytes.length;
  });
  header.writeBigUInt64LE(BigInt(at), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(all.length + 1, 60);
  header.writeUInt16LE(all.length, 62);
  return Buffer.concat([header, ...all.map(({ bytes }) => bytes), table]);
}

const words = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

function symbol(nameAt: number, section: number, value: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(nameAt, 0);
  bytes.writeUInt16LE(section, 6);
  bytes.writeBigUInt64LE(BigInt(value), 8);
  return bytes;
}

const MOV_W0_6 = 0x528000c0;
const BL = 0x94000000;
const NOP = 0xd503201f;
const KFUNCS = 1;

/** A module with one set of two functions, registered by one call behind `code`. */
function moduleWith(code: readonly number[], ids: Buffer, sets = ['one']): Buffer {
  const names = ['register_btf_kfunc_id_set', ...sets.map((set) => `__BTF_ID__set8__${set}`)];
  const strings = Buffer.from(`\0${names.join('\0')}\0`);
  const at = (name: string): number => strings.indexOf(`\0${name}\0`) + 1;
  const symbols = [
    symbol(0, 0, 0),
    symbol(at(names[0]!), 0, 0),
    ...sets.map((_, i) => symbol(at(names[i + 1]!), 2, 0)),
  ];
  const call = words(4 * code.length, 0, 283, 1, 0, 0);
  return elf([
    { name: '.BTF', type: 1, bytes: Buffer.from('btf') },
    { name: '.BTF_ids', type: 1, bytes: ids },
    { name: '.text', type: 1, bytes: words(...code, BL) },
    { name: '.rela.text', type: 4, bytes: call, link: 5, info: 3, entry: 24 },
    { name: '.symtab', type: 2, bytes: Buffer.concat(symbols), link: 6, entry: 24 },
    { name: '.strtab', type: 3, bytes: strings },
  ]);
}

const SET = words(2, KFUNCS, 1000, 1, 1001, 6);

function functionsOf(bytes: Uint8Array): unknown {
  const file = readModuleFile(bytes);
  if (!file.ok) return file.failure.code;
  const { functions } = file.value;
  return functions && { flags: [...functions.flags], progTypes: [...functions.progTypes] };
}

tap.test('kernel functions, where the file tells them', (t) => {
  const known = { flags: [[1000, 1], [1001, 6]], progTypes: [6] }; // prettier-ignore
  t.same(functionsOf(moduleWith([MOV_W0_6, NOP], SET)), known);
  t.equal(functionsOf(moduleWith([BL, NOP], SET)), null, 'a type that is no constant');
  t.equal(functionsOf(moduleWith([MOV_W0_6, BL, NOP], SET)), null, 'a constant for another call');
  t.equal(functionsOf(moduleWith([MOV_W0_6], SET, ['one', 'two'])), null, 'two sets');
  const none = { flags: [], progTypes: [] };
  t.same(functionsOf(moduleWith([MOV_W0_6], words(2, 0, 1000, 1, 1001, 6))), none, 'a set of something else');
  t.same(functionsOf(moduleWith([MOV_W0_6], words(1 << 30, KFUNCS, 1000, 1))), none, 'a count beyond the section');
  t.end();
});

tap.test('files', (t) => {
  t.match(readModuleFile(Buffer.from('raw')), { ok: true, value: { functions: null } }, 'bare BTF');
  t.equal(functionsOf(elf([{ name: '.text', type: 1, bytes: words(BL) }])), 'NO_BTF_SECTION');
  const based = ['.BTF', '.BTF.base'].map((name) => ({ name, type: 1, bytes: Buffer.from('btf') }));
  t.equal(functionsOf(elf(based)), 'MODULE_INVALID');
  const whole = moduleWith([MOV_W0_6], SET);
  for (let length = 0; length < whole.length; length += 7) t.ok(readModuleFile(whole.subarray(0, length)));
  t.end();
});
