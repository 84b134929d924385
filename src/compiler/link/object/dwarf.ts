/**
 * Line information as DWARF 4 has it: .debug_line says which source line each address comes from, .debug_info and
 * .debug_abbrev name the compilation unit and its functions, without which debuggers do not look at it.
 */
import type { ByteWriter } from '../../bytes/writer.js';
import type { Architecture, ElfFacts } from '../../jit/architecture.js';
import { ElfSection } from './elf.js';

/** A line that starts at a byte offset of its function's code. */
export interface SourceLine {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A function's place in the code section, and its lines by ascending offset. */
export interface DebugFunction {
  readonly name: string;
  readonly start: number;
  readonly size: number;
  readonly lines: readonly SourceLine[];
}

const VERSION = 4;
const ADDRESS_BYTES = 8;
const PRODUCER = 'bpf-jitd';

// Line-number program (DWARF 4, 6.2).
const OPCODE_LENGTHS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
const DW_LNS_COPY = 1;
const DW_LNS_ADVANCE_PC = 2;
const DW_LNS_ADVANCE_LINE = 3;
const DW_LNS_SET_FILE = 4;
const DW_LNS_SET_COLUMN = 5;
const DW_LNE_END_SEQUENCE = 1;
const DW_LNE_SET_ADDRESS = 2;
const LINE_BASE = -5;
const LINE_RANGE = 14;

// Debugging information entries (DWARF 4, 7.5).
const TAG_COMPILE_UNIT = 0x11;
const TAG_SUBPROGRAM = 0x2e;
const AT_NAME = 0x03;
const AT_STMT_LIST = 0x10;
const AT_LOW_PC = 0x11;
const AT_HIGH_PC = 0x12;
const AT_PRODUCER = 0x25;
const FORM_ADDR = 0x01;
const FORM_DATA8 = 0x07;
const FORM_STRING = 0x08;
const FORM_SEC_OFFSET = 0x17;

/** Sections for functions that lie in `text`; none where no function has a line. */
export function debugSections(
  functions: readonly DebugFunction[],
  text: ElfSection,
  architecture: Architecture,
): ElfSection[] {
  const known = functions.filter((f) => f.lines.length > 0);
  if (known.length === 0) return [];
  const line = lineSection(known, text, architecture);
  return [
    line,
    infoSection(functions, known[0]!.lines[0]!.file, text, line, architecture),
    abbreviations(architecture),
  ];
}

/** Writes a 32-bit length in front of what `body` writes. */
function sized(out: ByteWriter, body: () => void): void {
  const at = out.length;
  out.u32(0);
  body();
  out.setU32(at, out.length - at - 4);
}

function lineSection(functions: readonly DebugFunction[], text: ElfSection, architecture: Architecture): ElfSection {
  const section = new ElfSection('.debug_line', 0, 1, architecture.byteOrder);
  const out = section.content;
  const files = [...new Set(functions.flatMap((f) => f.lines.map((l) => l.file)))];
  sized(out, () => {
    out.u16(VERSION);
    sized(out, () => {
      out
        .u8(architecture.instructionUnit)
        .u8(1)
        .u8(1)
        .u8(LINE_BASE)
        .u8(LINE_RANGE)
        .u8(OPCODE_LENGTHS.length + 1);
      for (const length of OPCODE_LENGTHS) out.u8(length);
      out.u8(0); // no directories: the files' names say it all
      for (const file of files) out.text(file).u8(0).u8(0).u8(0);
      out.u8(0);
    });
    for (const fn of functions) lineSequence(section, fn, files, text, architecture);
  });
  return section;
}

/** The rows of one function: a sequence of its own. */
function lineSequence(
  section: ElfSection,
  fn: DebugFunction,
  files: readonly string[],
  text: ElfSection,
  { elf, instructionUnit }: Architecture,
): void {
  const out = section.content;
  out
    .u8(0)
    .uleb(1 + ADDRESS_BYTES)
    .u8(DW_LNE_SET_ADDRESS);
  section.relocate(out.length, elf.absolute64, text.symbol, fn.start);
  out.u64(0);
  let at = 0;
  let line = 1;
  let file = 1;
  for (const row of fn.lines) {
    out.u8(DW_LNS_ADVANCE_PC).uleb((row.offset - at) / instructionUnit);
    out.u8(DW_LNS_ADVANCE_LINE).sleb(row.line - line);
    const number = 1 + files.indexOf(row.file);
    if (number !== file) out.u8(DW_LNS_SET_FILE).uleb(number);
    out.u8(DW_LNS_SET_COLUMN).uleb(row.column).u8(DW_LNS_COPY);
    at = row.offset;
    line = row.line;
    file = number;
  }
  out.u8(DW_LNS_ADVANCE_PC).uleb((fn.size - at) / instructionUnit);
  out.u8(0).uleb(1).u8(DW_LNE_END_SEQUENCE);
}

function infoSection(
  functions: readonly DebugFunction[],
  unit: string,
  text: ElfSection,
  line: ElfSection,
  { elf, byteOrder }: Architecture,
): ElfSection {
  const section = new ElfSection('.debug_info', 0, 1, byteOrder);
  const out = section.content;
  sized(out, () => {
    out.u16(VERSION).u32(0).u8(ADDRESS_BYTES);
    out.uleb(1).text(PRODUCER).text(unit);
    section.relocate(out.length, elf.absolute32, line.symbol, 0);
    out.u32(0);
    range(section, text, elf, 0, text.content.length);
    for (const fn of functions) {
      out.uleb(2).text(fn.name);
      range(section, text, elf, fn.start, fn.size);
    }
    out.u8(0);
  });
  return section;
}

function range(section: ElfSection, text: ElfSection, elf: ElfFacts, start: number, size: number): void {
  section.relocate(section.content.length, elf.absolute64, text.symbol, start);
  section.content.u64(0).u64(size);
}

function abbreviations({ byteOrder }: Architecture): ElfSection {
  const section = new ElfSection('.debug_abbrev', 0, 1, byteOrder);
  const declare = (code: number, tag: number, children: number, attributes: readonly number[]): void => {
    section.content.uleb(code).uleb(tag).u8(children);
    for (const value of [...attributes, 0, 0]) section.content.uleb(value);
  };
  const place = [AT_LOW_PC, FORM_ADDR, AT_HIGH_PC, FORM_DATA8];
  const unit = [AT_PRODUCER, FORM_STRING, AT_NAME, FORM_STRING, AT_STMT_LIST, FORM_SEC_OFFSET, ...place];
  declare(1, TAG_COMPILE_UNIT, 1, unit);
  declare(2, TAG_SUBPROGRAM, 0, [AT_NAME, FORM_STRING, ...place]);
  section.content.u8(0);
  return section;
}
