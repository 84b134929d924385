/**
 * `format: elf`: a program's code as a relocatable object, for readelf, objdump and ld.
 *
 *     .text          each function, 8-aligned; behind it the address that its code loads, where the architecture's has one there
 *     bpf_extable    an entry for each access that may fault; ld gives its bounds as __start_ and __stop_bpf_extable
 *     .debug_…       source lines, where the program brought any
 *
 * Undefined symbols are what the code refers to (docs/relocations.md); linked code has none but those behind functions.
 */
import type { Architecture } from '../../jit/architecture.js';
import type { CodeRelocation, ExceptionEntry, SymbolRef } from '../../jit/program.js';
import { debugSections, type DebugFunction, type SourceLine } from './dwarf.js';
import {
  ElfSection,
  SHF_ALLOC,
  SHF_EXECINSTR,
  STB_GLOBAL,
  STB_LOCAL,
  STT_FUNC,
  STT_NOTYPE,
  writeElf,
  type ElfSymbol,
} from './elf.js';
import { symbolName } from './symbol-names.js';

export interface ObjectFunction {
  readonly name: string;
  readonly code: Uint8Array;
  readonly exceptionTable: readonly ExceptionEntry[];
  readonly relocations: readonly CodeRelocation[];
  readonly lines: readonly SourceLine[];
}

/** One program: its functions, main program first, and the maps that its symbols count. */
export interface ObjectProgram {
  readonly name: string;
  readonly functions: readonly ObjectFunction[];
  readonly maps: readonly { readonly name: string }[];
}

const EXTABLE = 'bpf_extable';
/** Bytes that functions are aligned to, and that an address takes. */
const ALIGNMENT = 8;
const ADDRESS_BYTES = 8;
/** struct exception_table_entry's type of BPF code's entries. */
const TYPE_BPF = 1;

/** An object with all of these programs. Main programs are global symbols, their subprograms local ones. */
export function writeObject(architecture: Architecture, programs: readonly ObjectProgram[]): Uint8Array {
  const writer = new ObjectWriter(architecture);
  for (const program of programs) writer.program(program);
  return writer.finish();
}

class ObjectWriter {
  private readonly text: ElfSection;
  private readonly table: ElfSection;
  private readonly symbols: ElfSymbol[] = [];
  private readonly undefined = new Map<string, ElfSymbol>();
  private readonly debug: DebugFunction[] = [];

  constructor(private readonly architecture: Architecture) {
    const { byteOrder } = architecture;
    this.text = new ElfSection('.text', SHF_ALLOC | SHF_EXECINSTR, ALIGNMENT, byteOrder);
    this.table = new ElfSection(EXTABLE, SHF_ALLOC, 4, byteOrder);
  }

  program(program: ObjectProgram): void {
    const own = place(program, this.text, this.architecture.elf.addressBehind === null ? 0 : ADDRESS_BYTES);
    this.symbols.push(...own);
    program.functions.forEach((fn, i) => {
      const start = own[i]!.value;
      this.code(fn, start);
      for (const relocation of fn.relocations) {
        const symbol = this.target(relocation.symbol, own, program);
        this.text.relocate(start + relocation.offset, relocation.type, symbol, relocation.addend);
      }
      for (const entry of fn.exceptionTable) this.exception(entry, start);
      this.debug.push({ name: fn.name, start, size: fn.code.length, lines: fn.lines });
    });
  }

  finish(): Uint8Array {
    const sections = [this.text, ...(this.table.content.length > 0 ? [this.table] : [])];
    sections.push(
      ...debugSections(this.debug, this.text, this.architecture),
      new ElfSection('.note.GNU-stack', 0, 1, this.architecture.byteOrder),
    );
    return writeElf(sections, [...this.symbols, ...this.undefined.values()], this.architecture);
  }

  private code(fn: ObjectFunction, start: number): void {
    const { content } = this.text;
    const { mappingSymbols, addressBehind, absolute64 } = this.architecture.elf;
    content.align(ALIGNMENT).raw(fn.code);
    if (mappingSymbols !== null) this.symbols.push(mapping(mappingSymbols.code, this.text, start));
    if (addressBehind === null) return;
    if (mappingSymbols !== null) this.symbols.push(mapping(mappingSymbols.data, this.text, content.length));
    this.text.relocate(content.length, absolute64, this.external(addressBehind), 0);
    content.u64(0);
  }

  private target(symbol: SymbolRef, own: readonly ElfSymbol[], program: ObjectProgram): ElfSymbol {
    if (symbol.kind === 'function') return own[symbol.index]!;
    return this.external(symbolName(symbol, program.maps, program.name));
  }

  private external(name: string): ElfSymbol {
    const known = this.undefined.get(name);
    if (known !== undefined) return known;
    const symbol = { name, binding: STB_GLOBAL, type: STT_NOTYPE, section: null, value: 0, size: 0 };
    this.undefined.set(name, symbol);
    return symbol;
  }

  /** Both places are relative to their own fields, as in the kernel's table for its own code. */
  private exception({ offset, resume, register }: ExceptionEntry, start: number): void {
    const { content } = this.table;
    for (const place of [offset, resume]) {
      this.table.relocate(content.length, this.architecture.elf.relative32, this.text.symbol, start + place);
      content.u32(0);
    }
    content.u16(TYPE_BPF).u16(register);
  }
}

/** Symbols of a program's functions, at the places that their code will get behind what is in the section. */
function place(program: ObjectProgram, text: ElfSection, behind: number): ElfSymbol[] {
  let at = text.content.length;
  return program.functions.map((fn, i) => {
    const value = (at + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    at = value + fn.code.length + behind;
    const binding = i === 0 ? STB_GLOBAL : STB_LOCAL;
    return { name: fn.name, binding, type: STT_FUNC, section: text, value, size: fn.code.length };
  });
}

/** A local symbol that tells disassemblers code from data. */
function mapping(name: string, section: ElfSection, value: number): ElfSymbol {
  return { name, binding: STB_LOCAL, type: STT_NOTYPE, section, value, size: 0 };
}
