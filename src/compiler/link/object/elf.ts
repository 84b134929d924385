/** Relocatable ELF objects: numbers of the format (gABI), and a writer that lays sections out. */
import type { ByteOrder } from '../../bytes/byte-order.js';
import { ByteWriter } from '../../bytes/writer.js';
import type { Architecture } from '../../jit/architecture.js';

/** What an object must know of its architecture. */
type Machine = Pick<Architecture, 'byteOrder' | 'elf'>;

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 24;
const ET_REL = 1;

export const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_RELA = 4;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;
const SHF_INFO_LINK = 0x40;
export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STT_NOTYPE = 0;
export const STT_FUNC = 2;
const STT_SECTION = 3;

export interface ElfSymbol {
  readonly name: string;
  readonly binding: number;
  readonly type: number;
  /** Null: undefined here, to be found by the linker. */
  readonly section: ElfSection | null;
  readonly value: number;
  readonly size: number;
}

interface ElfRelocation {
  readonly offset: number;
  /** One of ElfFacts.relocations' names. */
  readonly type: string;
  readonly symbol: ElfSymbol;
  readonly addend: number;
}

/** A section in the making, and what a linker must fill in. */
export class ElfSection {
  readonly content: ByteWriter;
  readonly relocations: ElfRelocation[] = [];
  /** Stands for the section's start in relocations. */
  readonly symbol: ElfSymbol;

  constructor(
    readonly name: string,
    readonly flags: number,
    readonly alignment: number,
    byteOrder: ByteOrder,
  ) {
    this.content = new ByteWriter(byteOrder);
    this.symbol = { name: '', binding: STB_LOCAL, type: STT_SECTION, section: this, value: 0, size: 0 };
  }

  /** Notes a relocation of the place at `offset`. `type` is one of ElfFacts.relocations' names. */
  relocate(offset: number, type: string, symbol: ElfSymbol, addend: number): void {
    this.relocations.push({ offset, type, symbol, addend });
  }
}

interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly content: Uint8Array;
  readonly link: number;
  readonly info: number;
  readonly alignment: number;
  readonly entrySize: number;
}

/**
 * Lays out an object: sections in the order given, their relocations, symbols (local ones first, as ELF wants) and names.
 * Throws RangeError for a relocation whose type the architecture does not have.
 */
export function writeElf(sections: readonly ElfSection[], symbols: readonly ElfSymbol[], machine: Machine): Uint8Array {
  const used = [...sections.map((s) => s.symbol), ...symbols];
  const ordered = [...used.filter((s) => s.binding === STB_LOCAL), ...used.filter((s) => s.binding !== STB_LOCAL)];
  const relocated = sections.filter((s) => s.relocations.length > 0);
  const symbolTable = 1 + sections.length + relocated.length;
  const names = new StringTable();
  const headers: SectionHeader[] = sections.map((s) => ({
    ...s,
    name: s.name,
    type: SHT_PROGBITS,
    content: s.content.toBytes(),
    link: 0,
    info: 0,
    entrySize: 0,
  }));
  for (const s of relocated) {
    const content = relocationBytes(s, ordered, machine);
    const info = 1 + sections.indexOf(s);
    const rest = { type: SHT_RELA, flags: SHF_INFO_LINK, link: symbolTable, alignment: 8, entrySize: RELOCATION_BYTES };
    headers.push({ name: `.rela${s.name.startsWith('.') ? '' : '.'}${s.name}`, content, info, ...rest });
  }
  const locals = 1 + ordered.filter((s) => s.binding === STB_LOCAL).length;
  const table = symbolBytes(ordered, sections, names, machine.byteOrder);
  const plain = { flags: 0, info: 0, entrySize: 0 };
  headers.push(
    {
      ...plain,
      name: '.symtab',
      type: SHT_SYMTAB,
      content: table,
      link: symbolTable + 1,
      info: locals,
      alignment: 8,
      entrySize: SYMBOL_BYTES,
    },
    { ...plain, name: '.strtab', type: SHT_STRTAB, content: names.toBytes(), link: 0, alignment: 1 },
  );
  return assembleFile(headers, machine);
}

class StringTable {
  private readonly content = new ByteWriter().u8(0);

  add(name: string): number {
    if (name === '') return 0;
    const at = this.content.length;
    this.content.text(name);
    return at;
  }
  toBytes(): Uint8Array {
    return this.content.toBytes();
  }
}

function relocationBytes(section: ElfSection, ordered: readonly ElfSymbol[], machine: Machine): Uint8Array {
  const index = new Map(ordered.map((symbol, i) => [symbol, i + 1]));
  const out = new ByteWriter(machine.byteOrder);
  for (const { offset, type, symbol, addend } of section.relocations) {
    const number = machine.elf.relocations[type];
    if (number === undefined) throw new RangeError(`no relocation ${type}`);
    // r_info: the symbol in the upper half, the type in the lower one.
    out
      .u64(offset)
      .u64(index.get(symbol)! * 0x1_0000_0000 + number)
      .u64(addend);
  }
  return out.toBytes();
}

function symbolBytes(
  ordered: readonly ElfSymbol[],
  sections: readonly ElfSection[],
  names: StringTable,
  order: ByteOrder,
): Uint8Array {
  const out = new ByteWriter(order).raw(new Uint8Array(SYMBOL_BYTES));
  for (const s of ordered) {
    const section = s.section === null ? 0 : 1 + sections.indexOf(s.section);
    out
      .u32(names.add(s.name))
      .u8((s.binding << 4) | s.type)
      .u8(0)
      .u16(section)
      .u64(s.value)
      .u64(s.size);
  }
  return out.toBytes();
}

function assembleFile(headers: readonly SectionHeader[], machine: Machine): Uint8Array {
  const names = new StringTable();
  const nameOffsets = headers.map((h) => names.add(h.name));
  const ownName = names.add('.shstrtab');
  const all = [
    ...headers,
    {
      name: '.shstrtab',
      type: SHT_STRTAB,
      flags: 0,
      content: names.toBytes(),
      link: 0,
      info: 0,
      alignment: 1,
      entrySize: 0,
    },
  ];
  const out = new ByteWriter(machine.byteOrder).raw(new Uint8Array(HEADER_BYTES));
  const offsets = all.map((h) => {
    const at = out.align(h.alignment).length;
    out.raw(h.content);
    return at;
  });
  const table = out.align(8).length;
  out.raw(new Uint8Array(SECTION_BYTES)); // the null section
  all.forEach((h, i) => {
    out
      .u32(nameOffsets[i] ?? ownName)
      .u32(h.type)
      .u64(h.flags)
      .u64(0)
      .u64(offsets[i]!)
      .u64(h.content.length);
    out.u32(h.link).u32(h.info).u64(h.alignment).u64(h.entrySize);
  });
  const file = out.toBytes();
  file.set(fileHeader(table, all.length + 1, machine));
  return file;
}

function fileHeader(sectionTable: number, sections: number, { byteOrder, elf }: Machine): Uint8Array {
  const out = new ByteWriter(byteOrder);
  out.raw(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, byteOrder.elfData, 1, 0)).u64(0); // \x7fELF, 64 bits, order, version 1
  out.u16(ET_REL).u16(elf.machine).u32(1).u64(0).u64(0).u64(sectionTable).u32(elf.flags);
  out
    .u16(HEADER_BYTES)
    .u16(0)
    .u16(0)
    .u16(SECTION_BYTES)
    .u16(sections)
    .u16(sections - 1);
  return out.toBytes();
}
