/** Finds the functions of an object's code sections by its symbols. */
import * as elf from '../elf/constants.js';
import type { ElfObject, ElfSymbol, Section } from '../elf/elf.js';
import { Instructions } from '../isa/instructions.js';
import { ok, type Outcome } from '../outcome.js';
import { EINVAL, ENOTSUP, ERRNO_FORMAT, refuse } from './failure.js';
import type { ObjectProgram, Roles } from './model.js';
import { findSectionDefinition } from './sections.js';

const INSN_BYTES = 8;

/** All functions, by section and then by place in it. */
export function collectPrograms(object: ElfObject, roles: Roles): Outcome<ObjectProgram[]> {
  const code = new Map(roles.code.map((section) => [section.index, section]));
  const programs: ObjectProgram[] = [];
  for (const symbol of object.symbols) {
    const section = code.get(symbol.section);
    if (section === undefined || symbol.type !== elf.STT_FUNC) continue;
    const program = collectProgram(section, symbol, roles.text);
    if (!program.ok) return program;
    programs.push(program.value);
  }
  programs.sort((a, b) => a.sectionIndex - b.sectionIndex || a.start - b.start);
  return ok(programs);
}

function collectProgram(section: Section, symbol: ElfSymbol, text: number): Outcome<ObjectProgram> {
  const { name, value, size } = symbol;
  const place = { section: section.name, symbol: name, offset: value };
  if (value < 0 || size < 0 || value + size > section.size) {
    const message = `sec '${section.name}': program at offset ${value} crosses section boundary`;
    return refuse('ELF_INVALID', message, ERRNO_FORMAT, place);
  }
  const isSubprogram = section.index === text;
  if (!isSubprogram && symbol.bind === elf.STB_LOCAL) {
    const message = `sec '${section.name}': program '${name}' is static and not supported`;
    return refuse('STATIC_PROGRAM', message, ENOTSUP, place);
  }
  if (size === 0 || size % INSN_BYTES !== 0 || value % INSN_BYTES !== 0) {
    const message = `sec '${section.name}': corrupted program '${name}', offset ${value}, size ${size}`;
    return refuse('ELF_INVALID', message, EINVAL, place);
  }
  return ok(describe(section, symbol, isSubprogram));
}

function describe(section: Section, symbol: ElfSymbol, isSubprogram: boolean): ObjectProgram {
  const isOptional = section.name.startsWith('?');
  const sectionName = isOptional ? section.name.slice(1) : section.name;
  const definition = findSectionDefinition(sectionName);
  const isGlobal = symbol.bind !== elf.STB_LOCAL;
  const isHidden = symbol.visibility === elf.STV_HIDDEN || symbol.visibility === elf.STV_INTERNAL;
  return {
    name: symbol.name,
    sectionIndex: section.index,
    section: sectionName,
    start: symbol.value / INSN_BYTES,
    count: symbol.size / INSN_BYTES,
    instructions: Instructions.from(
      section.data!.subarray(symbol.value, symbol.value + symbol.size),
      section.byteOrder,
    ),
    isSubprogram,
    isGlobal,
    isHidden: isGlobal && isHidden,
    definition,
    type: definition?.type ?? 0,
    expectedAttachType: definition?.attachType ?? 0,
    autoload: !isOptional,
    attachBtfId: 0,
    relocations: [],
  };
}

/** The function that holds a slot of a section, or null. Binary search over `collectPrograms`' order. */
export function findProgramAt(
  programs: readonly ObjectProgram[],
  sectionIndex: number,
  instruction: number,
): ObjectProgram | null {
  let low = 0;
  let high = programs.length - 1;
  if (high < 0) return null;
  while (low < high) {
    const middle = low + Math.floor((high - low + 1) / 2);
    const program = programs[middle]!;
    const isBefore =
      program.sectionIndex < sectionIndex || (program.sectionIndex === sectionIndex && program.start <= instruction);
    if (isBefore) low = middle;
    else high = middle - 1;
  }
  const found = programs[low]!;
  const contains = instruction >= found.start && instruction < found.start + found.count;
  return found.sectionIndex === sectionIndex && contains ? found : null;
}
