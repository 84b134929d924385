/** Reads an object into its model: everything libbpf does at open (bpf_object_open, 1.5). Nothing here depends on a kernel. */
import type { Btf } from '../btf/btf.js';
import type { BtfExt } from '../btf/ext.js';
import type { Budget } from '../core/budget.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import { ByteReader, latin1 } from '../bytes/reader.js';
import * as elf from '../elf/constants.js';
import { readElf, type ElfObject, type Section } from '../elf/elf.js';
import { ok, type Outcome } from '../outcome.js';
import { collectPrograms } from './collect-programs.js';
import { collectExterns } from './externs.js';
import { readObjectBtf, settleExterns, settleSections } from './object-btf.js';
import { collectMaps } from './object-maps.js';
import type { Extern, ObjectMap, ObjectModel } from './model.js';
import { collectRelocations } from './relocations.js';
import { assignRoles } from './roles.js';

/** Longest license libbpf passes on, and longest object name. */
const LICENSE_LENGTH = 63;
const NAME_LENGTH = 15;
/** Source files that are looked at for the object's name. */
const MAX_FILES = 64;

export function readObject(
  bytes: Uint8Array,
  options: { readonly legacyMaps: boolean; readonly pageSize: number; readonly byteOrder: ByteOrder },
  budget: Budget,
): Outcome<ObjectModel> {
  const object = readElf(bytes, options.byteOrder);
  if (!object.ok) return object;
  const roles = assignRoles(object.value, options.legacyMaps);
  if (!roles.ok) return roles;
  const programs = collectPrograms(object.value, roles.value);
  if (!programs.ok) return programs;
  const types = readObjectBtf(roles.value);
  if (!types.ok) return types;
  const { btf, ext } = types.value;
  const externs = collectExterns(object.value, btf);
  if (!externs.ok) return externs;
  let kconfigSize = 0;
  if (btf !== null) {
    const settled = settleExterns(btf, externs.value);
    if (!settled.ok) return settled;
    kconfigSize = settled.value;
    const sections = settleSections(btf, object.value);
    if (!sections.ok) return sections;
  }
  const name = objectName(object.value, btf, ext);
  const maps = collectMaps({
    elf: object.value,
    roles: roles.value,
    btf,
    kconfigSize,
    objectName: name,
    pageSize: options.pageSize,
    budget,
  });
  if (!maps.ok) return maps;
  linkKconfig(externs.value, maps.value);
  const model: ObjectModel = {
    elf: object.value,
    byteOrder: options.byteOrder,
    text: roles.value.text,
    license: readLicense(roles.value.license),
    kernVersion: readVersion(roles.value.version),
    name,
    btf,
    ext,
    programs: programs.value,
    maps: maps.value,
    externs: externs.value,
  };
  return collectRelocations(model, roles.value, budget) ?? ok(model);
}

function linkKconfig(externs: readonly Extern[], maps: readonly ObjectMap[]): void {
  const map = maps.find((one) => one.origin === 'kconfig');
  for (const extern of externs) if (extern.kconfig !== null && map !== undefined) extern.mapIndex = map.index;
}

/**
 * The name libbpf would take from the object's file, up to its first dot. An object that comes without a file is named
 * after its source: the first C file that its symbols or its line information name.
 */
function objectName(object: ElfObject, btf: Btf | null, ext: BtfExt | null): string {
  const file = object.symbols.find((symbol) => symbol.type === elf.STT_FILE)?.name ?? sourceFile(btf, ext);
  const base = file.slice(file.lastIndexOf('/') + 1).slice(0, NAME_LENGTH);
  const dot = base.indexOf('.');
  return dot < 0 ? base : base.slice(0, dot);
}

function sourceFile(btf: Btf | null, ext: BtfExt | null): string {
  const seen = new Set<number>();
  for (const section of ext?.lineInfo ?? []) {
    for (let i = 0; i < section.count; i++) {
      const off = section.words[section.start + i * section.stride + 1]!;
      if (seen.has(off) || seen.size === MAX_FILES) continue;
      seen.add(off);
      const file = btf?.string(off) ?? '';
      if (file.endsWith('.c')) return file;
    }
  }
  return '';
}

function readLicense(section: Section | null): string {
  const bytes = (section?.data ?? new Uint8Array(0)).subarray(0, LICENSE_LENGTH);
  const end = bytes.indexOf(0);
  return latin1(bytes, 0, end < 0 ? bytes.length : end);
}

function readVersion(section: Section | null): number {
  return section?.data ? new ByteReader(section.data, section.byteOrder).u32(0) : 0;
}
