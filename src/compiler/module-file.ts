/** A kernel module as people have it: its split BTF, or the relocatable ELF file (`.ko`) that holds it. */
import { ByteReader } from './bytes/reader.js';
import { SHT_RELA } from './elf/constants.js';
import { isElf, readSections, readSymbolTable, type ElfObject, type ElfSymbol, type Section } from './elf/elf.js';
import type { Architecture } from './jit/architecture.js';
import { ARCHITECTURES } from './jit/architectures.js';
import { fail, ok, type Outcome } from './outcome.js';
import type { ModuleFunctions } from './targets/modules.js';

/** Of the ELF header: its architecture. */
const E_MACHINE = 18;
const RELA_BYTES = 24;
const SET_PREFIX = '__BTF_ID__set8__';
/** Of struct btf_id_set8: it holds kernel functions. */
const BTF_SET8_KFUNCS = 1;
const REGISTER = 'register_btf_kfunc_id_set';

export interface ModuleFile {
  readonly btf: Uint8Array;
  /** Null where the file does not tell. */
  readonly functions: ModuleFunctions | null;
}

/** Takes the file apart; the BTF itself is not looked at. Fails with MODULE_INVALID or NO_BTF_SECTION. */
export function readModuleFile(bytes: Uint8Array): Outcome<ModuleFile> {
  if (!isElf(bytes)) return ok({ btf: bytes, functions: null });
  const sections = readSections(bytes);
  if (!sections.ok) return bad('MODULE_INVALID', sections.failure.message);
  const btf = sections.value.find(({ name }) => name === '.BTF')?.data ?? null;
  if (btf === null) return bad('NO_BTF_SECTION', 'the ELF file has no .BTF section');
  if (sections.value.some(({ name }) => name === '.BTF.base')) {
    return bad('MODULE_INVALID', 'the BTF of the module has a base of its own (.BTF.base), which is not supported');
  }
  const file = readSymbolTable(sections.value);
  return ok({ btf, functions: file.ok ? readFunctions(file.value, new ByteReader(bytes).u16(E_MACHINE)) : null });
}

function bad(code: string, message: string): Outcome<never> {
  return fail({ stage: 'LOAD', code, message, errno: -22 });
}

/**
 * The set of kernel functions that the module registers, and for which program types: constants in front of the calls.
 * Null where there are several sets, a call whose type is no constant, or code of a machine that we cannot read.
 */
function readFunctions(file: ElfObject, machine: number): ModuleFunctions | null {
  const sets = readSets(file);
  if (sets.length === 0) return { flags: new Map(), progTypes: new Set() };
  const architecture = ARCHITECTURES.find(({ elf }) => elf.machine === machine);
  if (architecture === undefined) return null;
  const progTypes = registeredTypes(file, architecture.moduleCalls);
  return sets.length === 1 && progTypes !== null ? { flags: sets[0]!, progTypes } : null;
}

/** struct btf_id_set8: count, flags, then pairs of id and flags. */
function readSets({ sections, symbols }: ElfObject): Map<number, number>[] {
  const section = sections.find(({ name }) => name === '.BTF_ids');
  const ids = new ByteReader(section?.data ?? new Uint8Array(0));
  const sets: Map<number, number>[] = [];
  for (const symbol of symbols) {
    if (symbol.section !== section?.index || !symbol.name.startsWith(SET_PREFIX)) continue;
    const start = symbol.value;
    if (!ids.has(start, 8) || (ids.u32(start + 4) & BTF_SET8_KFUNCS) === 0) continue;
    const count = ids.u32(start);
    if (!ids.has(start + 8, count * 8)) continue;
    const pairs = Array.from({ length: count }, (_, i) => start + 8 + i * 8);
    sets.push(new Map(pairs.map((at) => [ids.u32(at), ids.u32(at + 4)])));
    if (sets.length > 1) break;
  }
  return sets;
}

type Calls = Architecture['moduleCalls'];

function registeredTypes({ sections, symbols }: ElfObject, calls: Calls): Set<number> | null {
  const found = new Set<number>();
  for (const section of sections) {
    if (section.type !== SHT_RELA) continue;
    const code = new ByteReader(sections[section.info]?.data ?? new Uint8Array(0));
    for (const offset of callsOf(section, symbols, calls.relocations)) {
      const type = calls.firstArgument(code, offset);
      if (type === null) return null;
      found.add(type);
    }
  }
  return found;
}

/** Offsets of the calls of the registering function that a relocation section is about. */
function callsOf(relocations: Section, symbols: readonly ElfSymbol[], types: readonly number[]): number[] {
  const reader = new ByteReader(relocations.data ?? new Uint8Array(0));
  const calls: number[] = [];
  for (let at = 0; at + RELA_BYTES <= reader.length; at += RELA_BYTES) {
    if (!types.includes(reader.u32(at + 8))) continue;
    if (symbols[reader.u32(at + 12)]?.name === REGISTER) calls.push(reader.size(at));
  }
  return calls;
}
