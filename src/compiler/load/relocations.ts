/** Reads an object's relocations: of code, of maps' initial values, of struct_ops values (bpf_object__collect_relos). */
import type { Btf } from '../btf/btf.js';
import { functionPrototype } from '../btf/layout.js';
import type { Budget } from '../core/budget.js';
import * as elf from '../elf/constants.js';
import { readRelocations, type ElfRelocation, type ElfSymbol, type Section } from '../elf/elf.js';
import * as op from '../isa/opcodes.js';
import * as uapi from '../targets/uapi.js';
import { findProgramAt } from './collect-programs.js';
import { isExtern } from './externs.js';
import { E2BIG, EINVAL, ENOENT, ERRNO_FORMAT, ERRNO_RELOC, ESRCH, refuse } from './failure.js';
import { isMapInMap } from './map-definition.js';
import type { Extern, ObjectMap, ObjectModel, ObjectProgram, Refusal, Roles, Target } from './model.js';

const INSN_BYTES = 8;
const POINTER_BYTES = 8;

/** The object while its relocations are read. */
class Collector {
  private readonly externs: ReadonlyMap<number, Extern>;
  /** First data map of each section, and first map at each place of a map section. */
  private readonly dataMaps = new Map<number, ObjectMap>();
  private readonly placedMaps = new Map<string, ObjectMap>();
  private readonly arena: ObjectMap | null;

  constructor(
    readonly model: ObjectModel,
    private readonly roles: Roles,
    private readonly budget: Budget,
  ) {
    this.externs = new Map(model.externs.map((one) => [one.symbol, one]));
    for (const map of model.maps) {
      if (map.origin === 'user') this.remember(this.placedMaps, `${map.sectionIndex}:${map.sectionOffset}`, map);
      else if (map.origin !== 'struct-ops') this.remember(this.dataMaps, map.sectionIndex, map);
    }
    this.arena = model.maps.find((map) => map.definition.type === uapi.BPF_MAP_TYPE_ARENA) ?? null;
  }

  private remember<K>(maps: Map<K, ObjectMap>, key: K, map: ObjectMap): void {
    if (!maps.has(key)) maps.set(key, map);
  }

  collect(section: Section): Refusal | null {
    if (section.data === null || section.data.length % elf.RELOCATION_BYTES !== 0) {
      return refuse('ELF_INVALID', `sec '${section.name}': corrupted`, ERRNO_FORMAT, { section: section.name });
    }
    const target = this.model.elf.sections[section.info]!;
    if (!this.budget.spend(section.data.length / elf.RELOCATION_BYTES)) {
      return refuse('LIMIT', 'too many relocations', E2BIG, { section: section.name });
    }
    for (const [i, relocation] of readRelocations(section).entries()) {
      const symbol = this.model.elf.symbols[relocation.symbol];
      if (symbol === undefined) {
        const message = `sec '${section.name}': symbol #${relocation.symbol} not found for relo #${i}`;
        return refuse('RELOCATION', message, ERRNO_FORMAT, { section: section.name, offset: relocation.offset });
      }
      const refusal = this.collectOne(section, target, i, relocation, symbol);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  private collectOne(
    section: Section,
    target: Section,
    i: number,
    relocation: ElfRelocation,
    symbol: ElfSymbol,
  ): Refusal | null {
    if (this.roles.structOps.includes(target)) return this.structOps(target, relocation, symbol);
    if (target === this.roles.maps) return this.mapValue(i, relocation, symbol);
    return this.code(section, target, i, relocation, symbol);
  }

  private code(
    section: Section,
    target: Section,
    i: number,
    { offset }: ElfRelocation,
    symbol: ElfSymbol,
  ): Refusal | null {
    const place = { section: target.name, symbol: symbol.name, offset };
    if (symbol.section >= this.model.elf.sections.length) {
      const message = `sec '${section.name}': corrupted symbol #${symbol.index} pointing to invalid section #${symbol.section} for relo #${i}`;
      return refuse('RELOCATION', message, ERRNO_FORMAT, place);
    }
    if (offset < 0 || offset % INSN_BYTES !== 0 || offset >= target.size) {
      const message = `sec '${section.name}': invalid offset 0x${offset.toString(16)} for relo #${i}`;
      return refuse('RELOCATION', message, ERRNO_FORMAT, place);
    }
    const program = findProgramAt(this.model.programs, target.index, offset / INSN_BYTES);
    if (program === null) return null; // of a weak function that another definition replaced
    const instruction = offset / INSN_BYTES - program.start;
    const found = this.targetOf(program, instruction, symbol);
    if ('ok' in found) return found;
    program.relocations.push({ instruction, target: found });
    return null;
  }

  private symbolName(symbol: ElfSymbol): string {
    if (symbol.type !== elf.STT_SECTION || symbol.name !== '') return symbol.name;
    return this.model.elf.sections[symbol.section]?.name ?? '<?';
  }

  private targetOf(program: ObjectProgram, instruction: number, symbol: ElfSymbol): Target | Refusal {
    const name = this.symbolName(symbol);
    const place = { section: program.section, symbol: name, instruction };
    const bad = (message: string): Refusal =>
      refuse('RELOCATION', `prog '${program.name}': ${message}`, ERRNO_RELOC, place);
    const insns = program.instructions;
    const opcode = insns.opcode(instruction);
    const isCall = opcode === (op.JMP | op.CALL);
    if (!isCall && opcode !== op.LD_IMM64) {
      return bad(`invalid relo against '${name}' for insns[${instruction}].code 0x${opcode.toString(16)}`);
    }
    if (!isCall && instruction + 1 >= program.count) return bad(`insn #${instruction} (LDIMM64) is truncated`);
    if (isExtern(symbol)) {
      const extern = this.externs.get(symbol.index);
      if (extern === undefined) return bad(`extern relo failed to find extern for '${name}' (${symbol.index})`);
      return { kind: isCall ? 'extern-call' : 'extern-load', extern };
    }
    if (isCall) return this.callTarget(symbol, insns.src(instruction), name, bad);
    if (symbol.section === elf.SHN_UNDEF || symbol.section >= elf.SHN_LORESERVE) {
      const hint = 'forgot to initialize global var?..';
      return bad(`invalid relo against '${name}' in special section 0x${symbol.section.toString(16)}; ${hint}`);
    }
    if (this.isSubprogram(symbol)) return this.addressTarget(symbol, insns.imm(instruction), name, bad);
    return this.dataTarget(symbol, instruction, name, bad);
  }

  private callTarget(symbol: ElfSymbol, source: number, name: string, bad: (m: string) => Refusal): Target | Refusal {
    if (source !== op.PSEUDO_CALL) return bad('incorrect bpf_call opcode');
    if (symbol.section === 0 || symbol.section !== this.model.text) {
      const section = this.model.elf.sections[symbol.section]?.name ?? '';
      return bad(`bad call relo against '${name}' in section '${section}'`);
    }
    if (symbol.value < 0 || symbol.value % INSN_BYTES !== 0) {
      return bad(`bad call relo against '${name}' at offset ${symbol.value}`);
    }
    return { kind: 'call', offset: symbol.value };
  }

  /** A function of .text, or the section itself (for its static functions). */
  private isSubprogram(symbol: ElfSymbol): boolean {
    if (this.model.text === 0 || symbol.section !== this.model.text) return false;
    if (symbol.bind === elf.STB_LOCAL) return symbol.type === elf.STT_SECTION;
    return symbol.type === elf.STT_FUNC;
  }

  private addressTarget(symbol: ElfSymbol, imm: number, name: string, bad: (m: string) => Refusal): Target | Refusal {
    if (symbol.value < 0 || symbol.value % INSN_BYTES !== 0 || imm % INSN_BYTES !== 0) {
      return bad(`bad subprog addr relo against '${name}' at offset ${symbol.value}+${imm}`);
    }
    return { kind: 'subprogram-address', offset: symbol.value };
  }

  private dataTarget(
    symbol: ElfSymbol,
    instruction: number,
    name: string,
    bad: (m: string) => Refusal,
  ): Target | Refusal {
    const section = this.model.elf.sections[symbol.section]!;
    if (section === this.roles.arena) {
      if (this.arena === null) {
        return bad(`bad arena data relocation at insn ${instruction}, no arena maps defined`);
      }
      return { kind: 'data', map: this.arena, offset: symbol.value };
    }
    if (this.roles.data.has(section.index)) {
      const map = this.dataMaps.get(section.index);
      if (map === undefined) return bad(`data relo failed to find map for section '${section.name}'`);
      return { kind: 'data', map, offset: symbol.value };
    }
    if (section !== this.roles.maps && section !== this.roles.legacyMaps) {
      return bad(`bad map relo against '${name}' in section '${section.name}'`);
    }
    const map = this.placedMaps.get(`${section.index}:${symbol.value}`);
    if (map === undefined) {
      return bad(`map relo failed to find map for section '${section.name}', off ${symbol.value}`);
    }
    return { kind: 'map', map };
  }

  /** An initial value of a map of maps, or of a program array. */
  private mapValue(i: number, { offset }: ElfRelocation, symbol: ElfSymbol): Refusal | null {
    const { maps, programs } = this.model;
    const place = { section: '.maps', symbol: symbol.name, offset };
    if (!this.budget.spend(maps.length + programs.length)) return refuse('LIMIT', 'too many relocations', E2BIG, place);
    const inMap = (map: ObjectMap): boolean =>
      map.sectionOffset <= offset && offset + POINTER_BYTES <= map.sectionOffset + map.sectionSize;
    const map = maps.find((one) => one.sectionIndex === this.roles.maps!.index && inMap(one));
    if (map === undefined) {
      const message = `.maps relo #${i}: cannot find map '${symbol.name}' at rel->r_offset ${offset}`;
      return refuse('RELOCATION', message, EINVAL, place);
    }
    const invalid = this.checkMapValue(i, map, symbol);
    if (invalid !== null) return refuse('RELOCATION', `.maps relo #${i}: ${invalid.message}`, invalid.errno, place);
    const slot = (offset - map.sectionOffset - map.valuesOffset) / POINTER_BYTES;
    if (map.valuesOffset < 0 || slot < 0 || !Number.isInteger(slot)) {
      return refuse('RELOCATION', `.maps relo #${i}: '${map.name}' has no value there`, EINVAL, place);
    }
    map.slots.set(slot, symbol.name);
    return null;
  }

  private checkMapValue(i: number, map: ObjectMap, symbol: ElfSymbol): { message: string; errno: number } | null {
    const { type, keySize } = map.definition;
    const { name } = symbol;
    if (isMapInMap(type)) {
      if (symbol.section !== this.roles.maps!.index) {
        return { message: `'${name}' isn't a BTF-defined map`, errno: ERRNO_RELOC };
      }
      if (type === uapi.BPF_MAP_TYPE_HASH_OF_MAPS && keySize !== 4) {
        return { message: `hash-of-maps '${map.name}' should have key size 4.`, errno: EINVAL };
      }
      const isMap = this.model.maps.some((one) => one.name === name);
      return isMap ? null : { message: `'${name}' isn't a valid map reference`, errno: ESRCH };
    }
    if (type !== uapi.BPF_MAP_TYPE_PROG_ARRAY) return { message: `relocation #${i} of no map's value`, errno: EINVAL };
    const program = this.model.programs.find((one) => !one.isSubprogram && one.name === name);
    if (program === undefined) return { message: `'${name}' isn't a valid program reference`, errno: ESRCH };
    const isEntry = program.sectionIndex === symbol.section && program.start * INSN_BYTES === symbol.value;
    return isEntry ? null : { message: `'${name}' isn't an entry-point program`, errno: ERRNO_RELOC };
  }

  /** A function pointer of a struct_ops value. */
  private structOps(section: Section, { offset }: ElfRelocation, symbol: ElfSymbol): Refusal | null {
    const { maps, programs } = this.model;
    const place = { section: section.name, symbol: symbol.name, offset };
    const bad = (message: string, errno = EINVAL): Refusal =>
      refuse('STRUCT_OPS', `struct_ops reloc${message}`, errno, place);
    if (!this.budget.spend(maps.length)) return refuse('LIMIT', 'too many relocations', E2BIG, place);
    const inMap = (map: ObjectMap): boolean =>
      map.structOps !== null && map.sectionOffset <= offset && offset < map.sectionOffset + map.sectionSize;
    const map = maps.find((one) => one.sectionIndex === section.index && inMap(one));
    if (map === undefined) return bad(`: cannot find map at rel->r_offset ${offset}`);
    const within = offset - map.sectionOffset;
    if (symbol.section >= elf.SHN_LORESERVE) {
      const what = `rel->r_offset ${offset} shdr_idx ${symbol.section} unsupported non-static function`;
      return bad(` ${map.name}: ${what}`, ERRNO_RELOC);
    }
    if (symbol.value < 0 || symbol.value % INSN_BYTES !== 0) {
      return bad(` ${map.name}: invalid target program offset ${symbol.value}`, ERRNO_FORMAT);
    }
    const member = memberAt(this.model.btf!, map.structOps!.typeId, within * 8, this.budget);
    if (member < 0) return bad(` ${map.name}: cannot find member at moff ${within}`);
    const name = this.model.btf!.memberName(map.structOps!.typeId, member);
    if (!isFunctionPointer(this.model.btf!, this.model.btf!.memberType(map.structOps!.typeId, member))) {
      return bad(` ${map.name}: cannot relocate non func ptr ${name}`);
    }
    const program = findProgramAt(programs, symbol.section, symbol.value / INSN_BYTES);
    if (program === null) {
      return bad(` ${map.name}: cannot find prog at shdr_idx ${symbol.section} to relocate func ptr ${name}`);
    }
    if (program.type !== uapi.BPF_PROG_TYPE_STRUCT_OPS) {
      return bad(` ${map.name}: prog ${program.name} is not struct_ops BPF program`);
    }
    map.structOps!.programs.set(member, program);
    return null;
  }
}

function isFunctionPointer(btf: Btf, typeId: number): boolean {
  return functionPrototype(btf, typeId) !== 0;
}

function memberAt(btf: Btf, structId: number, bitOffset: number, budget: Budget): number {
  const count = btf.vlen(structId);
  if (!budget.spend(count)) return ENOENT;
  for (let i = 0; i < count; i++) if (btf.memberBitOffset(structId, i) === bitOffset) return i;
  return ENOENT;
}

/** Fills in the programs' relocations (in order of instruction) and the maps' initial values. */
export function collectRelocations(model: ObjectModel, roles: Roles, budget: Budget): Refusal | null {
  const collector = new Collector(model, roles, budget);
  for (const section of roles.relocations) {
    const refusal = collector.collect(section);
    if (refusal !== null) return refusal;
  }
  for (const program of model.programs) program.relocations.sort((a, b) => a.instruction - b.instruction);
  return null;
}
