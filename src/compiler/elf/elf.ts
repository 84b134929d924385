/**
 * Reads a relocatable 64-bit ELF object of either byte order: sections, symbols, relocations. Nothing is copied: section
 * data are views of the input, and say which order their numbers are in.
 */
import { byteOrderOfElf, type ByteOrder } from '../bytes/byte-order.js';
import { ByteReader, inBounds, latin1 } from '../bytes/reader.js';
import { fail, ok, type Failure, type Outcome } from '../outcome.js';
import * as elf from './constants.js';

/** libbpf's LIBBPF_ERRNO__FORMAT and __RELOC, __ENDIAN: it answers numbers from 4000 on for what is no errno. */
export const ERRNO_FORMAT = -4001;
export const ERRNO_ENDIAN = -4003;
export const ERRNO_RELOC = -4005;
const ENOENT = -2;

export interface Section {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Size in bytes: in the file, or in memory for NOBITS. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  /** Of the numbers in `data`: the file's. */
  readonly byteOrder: ByteOrder;
  /** Contents; empty for NOBITS, null where they lie outside the file. */
  readonly data: Uint8Array | null;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly bind: number;
  readonly type: number;
  readonly visibility: number;
  /** Section index, or a special one from SHN_LORESERVE on. */
  readonly section: number;
  /** Offset in its section and size in bytes; -1 where it is more than any file's. */
  readonly value: number;
  readonly size: number;
}

export interface ElfRelocation {
  readonly offset: number;
  readonly symbol: number;
}

export interface ElfObject {
  readonly sections: readonly Section[];
  readonly symbols: readonly ElfSymbol[];
  /** Index of the symbol table's section. */
  readonly symbolSection: number;
}

/** The class byte behind the magic number: 64-bit. */
const CLASS_64 = 2;

/** Whether the bytes claim to be an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Reads an object built for BPF on machines of a byte order; fails with ELF_INVALID and libbpf's words for what it refuses. */
export function readElf(bytes: Uint8Array, order: ByteOrder): Outcome<ElfObject> {
  const header = readHeader(bytes);
  if (!header.ok) return header;
  const reader = new ByteReader(bytes, header.value);
  if (reader.u16(16) !== elf.ET_REL || (reader.u16(18) !== 0 && reader.u16(18) !== elf.EM_BPF)) {
    return invalid('elf: object is not a valid eBPF object file', ERRNO_FORMAT);
  }
  if (header.value !== order) return invalid('elf: endianness mismatch in object.', ERRNO_ENDIAN);
  const sections = readSections(bytes);
  if (!sections.ok) return sections;
  return readSymbolTable(sections.value);
}

function invalid(message: string, errno: number, section?: Section): { readonly ok: false; readonly failure: Failure } {
  const place = section === undefined ? {} : { section: section.name };
  return fail({ stage: 'LOAD', code: 'ELF_INVALID', message, errno, ...place });
}

/** The byte order of a 64-bit ELF file. */
function readHeader(bytes: Uint8Array): Outcome<ByteOrder> {
  const order = isElf(bytes) && bytes.length >= elf.HEADER_BYTES ? byteOrderOfElf(bytes[5]!) : null;
  if (order === null) return invalid('elf: object is not a proper ELF object', ERRNO_FORMAT);
  if (bytes[4] !== CLASS_64) return invalid('elf: object is not a 64-bit ELF object', ERRNO_FORMAT);
  return ok(order);
}

/** Reads all section headers of any 64-bit ELF file (a vmlinux as well as a BPF object). */
export function readSections(bytes: Uint8Array): Outcome<readonly Section[]> {
  const header = readHeader(bytes);
  if (!header.ok) return header;
  const reader = new ByteReader(bytes, header.value);
  const table = reader.size(40);
  const entrySize = reader.u16(58);
  if (table === 0) return ok([]);
  if (table < 0 || entrySize !== elf.SECTION_HEADER_BYTES || !reader.has(table, elf.SECTION_HEADER_BYTES)) {
    return invalid('elf: failed to get the number of sections for object', ERRNO_FORMAT);
  }
  // More than 65,279 sections, or a name table behind them: the first header's size and link tell.
  const count = reader.u16(60) || reader.size(table + 32);
  const names = reader.u16(62) === elf.SHN_XINDEX ? reader.u32(table + 40) : reader.u16(62);
  if (count < 0 || !inBounds(table, count * elf.SECTION_HEADER_BYTES, bytes.byteLength)) {
    return invalid('elf: failed to get the number of sections for object', ERRNO_FORMAT);
  }
  if (names >= count) return invalid('elf: failed to get section names section index for object', ERRNO_FORMAT);
  const nameTable = sectionData(reader, table + names * elf.SECTION_HEADER_BYTES);
  if (nameTable === null) return invalid('elf: failed to get section names strings from object', ERRNO_FORMAT);
  return readHeaders(reader, header.value, { table, count, names: new StringTable(nameTable) });
}

interface SectionTable {
  /** Offset of the first header, and number of headers. */
  readonly table: number;
  readonly count: number;
  readonly names: StringTable;
}

function readHeaders(
  reader: ByteReader,
  byteOrder: ByteOrder,
  { table, count, names }: SectionTable,
): Outcome<readonly Section[]> {
  const sections: Section[] = [];
  for (let index = 0; index < count; index++) {
    const at = table + index * elf.SECTION_HEADER_BYTES;
    const name = index === 0 ? '' : names.at(reader.u32(at));
    if (name === null) {
      return invalid(`elf: failed to get section name string at offset ${reader.u32(at)}`, ERRNO_FORMAT);
    }
    sections.push({
      index,
      name,
      type: reader.u32(at + 4),
      flags: reader.lowerHalf(at + 8),
      size: reader.size(at + 32),
      link: reader.u32(at + 40),
      info: reader.u32(at + 44),
      entrySize: reader.size(at + 56),
      byteOrder,
      data: sectionData(reader, at),
    });
  }
  return ok(sections);
}

/** The bytes a section header speaks of. */
function sectionData(reader: ByteReader, header: number): Uint8Array | null {
  const type = reader.u32(header + 4);
  if (type === elf.SHT_NOBITS || type === 0) return new Uint8Array(0);
  const offset = reader.size(header + 24);
  const size = reader.size(header + 32);
  if (offset < 0 || size < 0 || !reader.has(offset, size)) return null;
  return reader.bytes.subarray(offset, offset + size);
}

/** The symbols of a file of which the sections have been read. */
export function readSymbolTable(sections: readonly Section[]): Outcome<ElfObject> {
  const tables = sections.filter((section) => section.type === elf.SHT_SYMTAB);
  const table = tables[0];
  if (table === undefined) {
    return invalid("elf: couldn't find symbol table in object, stripped object file?", ENOENT);
  }
  if (tables.length > 1) return invalid('elf: multiple symbol tables in object', ERRNO_FORMAT);
  const strings = sections[table.link]?.data;
  if (table.link === 0 || strings === undefined || strings === null) {
    return invalid('elf: symbol strings section missing or invalid in object', ERRNO_FORMAT, table);
  }
  if (table.data === null || table.entrySize !== elf.SYMBOL_BYTES) {
    return invalid('elf: symbol table is corrupted', ERRNO_FORMAT, table);
  }
  const symbols = readSymbols(new ByteReader(table.data, table.byteOrder), new StringTable(strings));
  return ok({ sections, symbols, symbolSection: table.index });
}

function readSymbols(reader: ByteReader, strings: StringTable): readonly ElfSymbol[] {
  const symbols: ElfSymbol[] = [];
  const count = Math.floor(reader.length / elf.SYMBOL_BYTES);
  for (let index = 0; index < count; index++) {
    const at = index * elf.SYMBOL_BYTES;
    symbols.push({
      index,
      name: strings.at(reader.u32(at)) ?? '',
      bind: reader.u8(at + 4) >> 4,
      type: reader.u8(at + 4) & 0x0f,
      visibility: reader.u8(at + 5) & 3,
      section: reader.u16(at + 6),
      value: reader.size(at + 8),
      size: reader.size(at + 16),
    });
  }
  return symbols;
}

/** Relocations of a SHT_REL section, whose data and entry size the caller has checked. */
export function readRelocations(section: Section): readonly ElfRelocation[] {
  const reader = new ByteReader(section.data ?? new Uint8Array(0), section.byteOrder);
  const relocations: ElfRelocation[] = [];
  const count = Math.floor(reader.length / elf.RELOCATION_BYTES);
  for (let i = 0; i < count; i++) {
    const at = i * elf.RELOCATION_BYTES;
    relocations.push({ offset: reader.size(at), symbol: reader.upperHalf(at + 8) });
  }
  return relocations;
}

/** Names are at most this long: a string section of one string must not be copied once for every symbol. */
const MAX_NAME = 1024;

class StringTable {
  private readonly known = new Map<number, string | null>();
  constructor(private readonly bytes: Uint8Array) {}

  /** The string at an offset, or null where there is none. */
  at(offset: number): string | null {
    const known = this.known.get(offset);
    if (known !== undefined) return known;
    const text = this.read(offset);
    this.known.set(offset, text);
    return text;
  }

  private read(offset: number): string | null {
    if (offset >= this.bytes.length) return null;
    const end = this.bytes.subarray(offset, offset + MAX_NAME).indexOf(0);
    return end < 0 ? null : latin1(this.bytes, offset, offset + end);
  }
}
