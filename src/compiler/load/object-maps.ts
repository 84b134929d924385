/** All maps of an object, in libbpf's order: those of `.maps`, data sections, configuration, struct_ops. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { typeSize } from '../btf/layout.js';
import type { Section } from '../elf/elf.js';
import { ok, type Outcome } from '../outcome.js';
import { E2BIG, EINVAL, ENOENT, ENOTSUP, EOPNOTSUPP, refuse } from './failure.js';
import { collectLegacyMaps } from './legacy-maps.js';
import { addMap, type MapSources } from './map-sources.js';
import { emptyDefinition, parseMapDefinition } from './map-definition.js';
import { BPF_F_LINK, BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from '../targets/map-flags.js';
import * as uapi from '../targets/uapi.js';
import type { DataRole, MapDefinition, ObjectMap, Refusal, Roles } from './model.js';

/** Largest configuration map: its strings are copied. */
const MAX_KCONFIG_BYTES = 1 << 20;

export function collectMaps(sources: MapSources): Outcome<ObjectMap[]> {
  const maps: ObjectMap[] = [];
  const refusal =
    collectLegacyMaps(sources, maps) ??
    collectUserMaps(sources, maps) ??
    collectDataMaps(sources, maps) ??
    collectKconfigMap(sources, maps) ??
    collectStructOps(sources, maps);
  return refusal ?? ok(maps);
}

function collectUserMaps({ roles, btf, pageSize }: MapSources, maps: ObjectMap[]): Refusal | null {
  const section = roles.maps;
  if (section === null) return null;
  const sectionId = btf?.find('.maps', kind.KIND_DATASEC) ?? 0;
  if (btf === null || sectionId === 0) return refuse('MAP_DEFINITION', "DATASEC '.maps' not found.", ENOENT);
  for (let i = 0; i < btf.vlen(sectionId); i++) {
    const refusal = collectUserMap(btf, section, sectionId, i, maps, pageSize);
    if (refusal !== null) return refusal;
  }
  return checkArena(roles, maps, pageSize);
}

function collectUserMap(
  btf: Btf,
  section: Section,
  sectionId: number,
  i: number,
  maps: ObjectMap[],
  pageSize: number,
): Refusal | null {
  const variable = btf.secinfoType(sectionId, i);
  const offset = btf.secinfoOffset(sectionId, i);
  const size = btf.secinfoSize(sectionId, i);
  const name = btf.typeName(variable);
  const refuseMap = (message: string, errno = EINVAL): Refusal =>
    refuse('MAP_DEFINITION', message, errno, { section: section.name, symbol: name, offset });
  if (name === '') return refuseMap(`map #${i}: empty name.`);
  if (offset + size > section.size) return refuseMap(`map '${name}' BTF data is corrupted.`);
  if (btf.kind(variable) !== kind.KIND_VAR) return refuseMap(`map '${name}': unexpected var kind.`);
  const linkage = btf.linkage(variable);
  if (linkage !== kind.LINKAGE_GLOBAL) {
    const word = linkage === kind.LINKAGE_STATIC ? 'static' : linkage === kind.LINKAGE_EXTERN ? 'extern' : 'unknown';
    return refuseMap(`map '${name}': unsupported map linkage ${word}.`, EOPNOTSUPP);
  }
  const struct = btf.skipModifiers(btf.sizeOrType(variable));
  if (btf.kind(struct) !== kind.KIND_STRUCT) return refuseMap(`map '${name}': unexpected def kind var.`);
  if (btf.sizeOrType(struct) > size) return refuseMap(`map '${name}': invalid def size.`);
  const parsed = parseMapDefinition(btf, name, struct, pageSize);
  if (!parsed.ok) return parsed;
  addMap(maps, {
    origin: 'user',
    name,
    section: section.name,
    sectionIndex: section.index,
    sectionOffset: offset,
    sectionSize: size,
    definition: parsed.value.definition,
    inner: parsed.value.inner,
    valuesOffset: parsed.value.valuesOffset,
  });
  return null;
}

/** An object has one arena at most, and global variables of an arena only with it. */
function checkArena({ arena }: Roles, maps: readonly ObjectMap[], pageSize: number): Refusal | null {
  const [first, second] = maps.filter((map) => map.definition.type === uapi.BPF_MAP_TYPE_ARENA);
  if (first !== undefined && second !== undefined) {
    const message = `map '${second.name}': only single ARENA map is supported (map '${first.name}' is also ARENA)`;
    return refuse('MAP_DEFINITION', message, EINVAL, { symbol: second.name });
  }
  if (arena === null) return null;
  const place = { section: arena.name };
  if (first === undefined) {
    const hint = `to use global __arena variables the ARENA map should be explicitly declared in SEC(".maps")`;
    return refuse('MAP_DEFINITION', `elf: sec '${arena.name}': ${hint}`, ENOENT, place);
  }
  const bytes = first.definition.maxEntries * pageSize;
  if (Math.ceil(arena.size / pageSize) * pageSize > bytes) {
    const sizes = `(${bytes}) is too small to hold global __arena variables of size ${arena.size}`;
    return refuse('MAP_DEFINITION', `elf: sec '${arena.name}': declared ARENA map size ${sizes}`, E2BIG, place);
  }
  return null;
}

function collectDataMaps(sources: MapSources, maps: ObjectMap[]): Refusal | null {
  for (const section of sources.elf.sections) {
    const role = sources.roles.data.get(section.index);
    if (role === undefined || section.size === 0) continue;
    if (section.size > 0xffff_ffff) {
      return refuse('MAP_DEFINITION', `section '${section.name}' is too large`, E2BIG, { section: section.name });
    }
    const data = { section, role, name: section.name, size: section.size, contents: section.data };
    const refusal = addDataMap(sources, maps, data);
    if (refusal !== null) return refusal;
  }
  return null;
}

interface DataMap {
  readonly section: Section;
  readonly role: DataRole | 'kconfig';
  readonly name: string;
  readonly size: number;
  readonly contents: Uint8Array | null;
}

/** Adds the array of one element that holds a section's variables. */
function addDataMap({ btf, objectName, budget }: MapSources, maps: ObjectMap[], data: DataMap): Refusal | null {
  const valueTypeId = btf?.findNamed(data.name) ?? 0;
  const isReadOnly = data.role === 'rodata' || data.role === 'kconfig';
  if (btf !== null && !budget.spend(btf.vlen(valueTypeId))) return refuse('LIMIT', 'too many variables', E2BIG);
  const isMapped = btf !== null && hasVisibleVariable(btf, valueTypeId);
  const definition: MapDefinition = {
    ...emptyDefinition(),
    type: uapi.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: data.size,
    maxEntries: 1,
    flags: (isReadOnly ? BPF_F_RDONLY_PROG : 0) | (isMapped ? BPF_F_MMAPABLE : 0),
    valueTypeId,
  };
  addMap(maps, {
    origin: data.role,
    name: dataMapName(objectName, data.name),
    section: data.name,
    sectionIndex: data.section.index,
    definition,
    contents: data.role === 'bss' ? null : data.contents,
  });
  return null;
}

/** Whether user space would see one of a section's variables: one that is not static. */
function hasVisibleVariable(btf: Btf, sectionId: number): boolean {
  if (btf.kind(sectionId) !== kind.KIND_DATASEC) return false;
  for (let i = 0; i < btf.vlen(sectionId); i++) {
    const variable = btf.secinfoType(sectionId, i);
    if (btf.kind(variable) === kind.KIND_VAR && btf.linkage(variable) !== kind.LINKAGE_STATIC) return true;
  }
  return false;
}

/**
 * libbpf's name for a section's map, of 15 characters: up to eight of the object's name and the section's; the section's
 * alone where it has a second dot (internal_map_name).
 */
export function dataMapName(objectName: string, section: string): string {
  const suffixLength = Math.min(Math.max(7, section.length), 15);
  const isCustom = section.indexOf('.', 1) >= 0;
  const prefix = isCustom ? '' : objectName.slice(0, 15 - suffixLength);
  return `${prefix}${section.slice(0, suffixLength)}`.replace(/[^A-Za-z0-9_.]/g, '_');
}

function collectKconfigMap(sources: MapSources, maps: ObjectMap[]): Refusal | null {
  const { kconfigSize, elf } = sources;
  if (kconfigSize === 0) return null;
  if (kconfigSize > MAX_KCONFIG_BYTES) return refuse('LIMIT', '.kconfig is larger than a mebibyte', E2BIG);
  const section = elf.sections[elf.symbolSection]!;
  const contents = new Uint8Array(kconfigSize);
  return addDataMap(sources, maps, { section, role: 'kconfig', name: '.kconfig', size: kconfigSize, contents });
}

function collectStructOps(sources: MapSources, maps: ObjectMap[]): Refusal | null {
  for (const section of sources.roles.structOps) {
    const sectionId = sources.btf?.find(section.name, kind.KIND_DATASEC) ?? 0;
    if (sources.btf === null || sectionId === 0) {
      const message = `struct_ops init: DATASEC ${section.name} not found`;
      return refuse('STRUCT_OPS', message, EINVAL, { section: section.name });
    }
    if (!sources.budget.spend(sources.btf.vlen(sectionId))) return refuse('LIMIT', 'too many struct_ops maps', E2BIG);
    for (let i = 0; i < sources.btf.vlen(sectionId); i++) {
      const refusal = collectStructOpsMap(sources.btf, section, sectionId, i, maps);
      if (refusal !== null) return refusal;
    }
  }
  return null;
}

function collectStructOpsMap(
  btf: Btf,
  section: Section,
  sectionId: number,
  i: number,
  maps: ObjectMap[],
): Refusal | null {
  const variable = btf.secinfoType(sectionId, i);
  const offset = btf.secinfoOffset(sectionId, i);
  const name = btf.typeName(variable);
  const place = { section: section.name, symbol: name, offset };
  const typeId = btf.skipModifiers(btf.kind(variable) === kind.KIND_VAR ? btf.sizeOrType(variable) : variable);
  const typeName = btf.typeName(typeId);
  if (typeName === '') return refuse('STRUCT_OPS', 'struct_ops init: anonymous type is not supported', ENOTSUP, place);
  if (btf.kind(typeId) !== kind.KIND_STRUCT) {
    return refuse('STRUCT_OPS', `struct_ops init: ${typeName} is not a struct`, EINVAL, place);
  }
  const size = typeSize(btf, typeId);
  if (offset + size > section.size) {
    const message = `struct_ops init: var ${name} is beyond the end of DATASEC ${section.name}`;
    return refuse('STRUCT_OPS', message, EINVAL, place);
  }
  const definition: MapDefinition = {
    ...emptyDefinition(),
    type: uapi.BPF_MAP_TYPE_STRUCT_OPS,
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: section.name.endsWith('.struct_ops.link') ? BPF_F_LINK : 0,
    valueTypeId: typeId,
  };
  const data = section.data!.subarray(offset, offset + size);
  addMap(maps, {
    origin: 'struct-ops',
    name,
    section: section.name,
    sectionIndex: section.index,
    sectionOffset: offset,
    sectionSize: size,
    definition,
    autocreate: !section.name.startsWith('?'),
    structOps: { typeId, programs: new Map(), data, kernelValueType: 0 },
  });
  return null;
}
