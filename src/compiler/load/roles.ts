/** Sorts an object's sections by what they are for: names and types as libbpf 1.5 knows them (bpf_object__elf_collect). */
import * as elf from '../elf/constants.js';
import type { ElfObject, Section } from '../elf/elf.js';
import { ok, type Outcome } from '../outcome.js';
import { ENOTSUP, ERRNO_FORMAT, refuse } from './failure.js';
import type { DataRole, Roles } from './model.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft extends Mutable<Roles> {
  code: Section[];
  data: Map<number, DataRole>;
  structOps: Section[];
  relocations: Section[];
}

/** Global variables in an arena. */
const ARENA_SECTION = '.addr_space.1';
const STRUCT_OPS_NAMES = ['.struct_ops', '.struct_ops.link', '?.struct_ops', '?.struct_ops.link'];

/** Fails for sections that libbpf refuses the object for: broken ones, and `maps` unless `legacyMaps`. */
export function assignRoles(object: ElfObject, legacyMaps: boolean): Outcome<Roles> {
  const roles: Draft = {
    license: null,
    version: null,
    legacyMaps: null,
    maps: null,
    btf: null,
    btfExt: null,
    arena: null,
    text: 0,
    code: [],
    data: new Map(),
    structOps: [],
    relocations: [],
  };
  for (const section of object.sections) {
    if (section.index === 0 || isIgnored(section)) continue;
    if (section.data === null) {
      return refuse('ELF_INVALID', `elf: failed to get section(${section.index}) ${section.name} data`, ERRNO_FORMAT, {
        section: section.name,
      });
    }
    const assigned = assign(object, roles, section, legacyMaps);
    if (!assigned.ok) return assigned;
  }
  return ok(roles);
}

function isIgnored(section: Section): boolean {
  const { name, type, size } = section;
  if (type === elf.SHT_STRTAB || type === elf.SHT_LLVM_ADDRSIG) return true;
  if (type === elf.SHT_PROGBITS && size === 0 && name === '.text') return true;
  if (name.startsWith('.debug_')) return true;
  return name.startsWith('.rel.debug_') || name === '.rel.BTF' || name === '.rel.BTF.ext';
}

function assign(object: ElfObject, roles: Draft, section: Section, legacyMaps: boolean): Outcome<null> {
  switch (section.name) {
    case 'license':
      roles.license = section;
      return ok(null);
    case 'version':
      roles.version = section;
      return section.size === 4 ? ok(null) : broken('invalid kver section in object', section);
    case 'maps':
      roles.legacyMaps = section;
      return legacyMaps ? ok(null) : refuseLegacy(section);
    case '.maps':
      roles.maps = section;
      return ok(null);
    case '.BTF':
      roles.btf = section;
      return section.type === elf.SHT_PROGBITS ? ok(null) : broken('.BTF is no PROGBITS section', section);
    case '.BTF.ext':
      roles.btfExt = section;
      return section.type === elf.SHT_PROGBITS ? ok(null) : broken('.BTF.ext is no PROGBITS section', section);
    default:
      return assignByType(object, roles, section);
  }
}

function refuseLegacy(section: Section): Outcome<null> {
  const message = "elf: legacy map definitions in 'maps' section are not supported by libbpf v1.0+";
  return refuse('LEGACY_MAPS', message, ENOTSUP, { section: section.name });
}

function broken(message: string, section: Section): Outcome<null> {
  return refuse('ELF_INVALID', message, ERRNO_FORMAT, { section: section.name });
}

function assignByType(object: ElfObject, roles: Draft, section: Section): Outcome<null> {
  const { name, type } = section;
  if (type === elf.SHT_REL) return assignRelocations(object, roles, section);
  if (type === elf.SHT_NOBITS && isNamed(name, '.bss')) {
    if (section.size < 0) return broken('elf: section is too large', section);
    roles.data.set(section.index, 'bss');
  }
  if (type !== elf.SHT_PROGBITS || section.size === 0) return ok(null);
  if ((section.flags & elf.SHF_EXECINSTR) !== 0) {
    if (name === '.text') roles.text = section.index;
    roles.code.push(section);
  } else if (isNamed(name, '.data')) roles.data.set(section.index, 'data');
  else if (isNamed(name, '.rodata')) roles.data.set(section.index, 'rodata');
  else if (STRUCT_OPS_NAMES.includes(name)) roles.structOps.push(section);
  else if (name === ARENA_SECTION) roles.arena = section;
  return ok(null);
}

function isNamed(name: string, prefix: string): boolean {
  return name === prefix || name.startsWith(`${prefix}.`);
}

function assignRelocations(object: ElfObject, roles: Draft, section: Section): Outcome<null> {
  const target = object.sections[section.info];
  if (section.entrySize !== elf.RELOCATION_BYTES || target === undefined) {
    return broken(`elf: relocation section(${section.index}) ${section.name} is corrupted`, section);
  }
  const isCode = (target.flags & elf.SHF_EXECINSTR) !== 0;
  const isKnownData = section.name === '.rel.maps' || STRUCT_OPS_NAMES.some((name) => section.name === `.rel${name}`);
  if (isCode || isKnownData) roles.relocations.push(section);
  return ok(null);
}
