/** Reads an object's BTF and readies it for a kernel: offsets, sizes and linkages that only the ELF symbols tell. */
import type { Btf } from '../btf/btf.js';
import { appendVariable, BtfEditor } from '../btf/edit.js';
import { readBtfExt, type BtfExt } from '../btf/ext.js';
import * as kind from '../btf/kinds.js';
import { readBtf } from '../btf/read.js';
import * as elf from '../elf/constants.js';
import type { ElfObject, ElfSymbol } from '../elf/elf.js';
import { ok, type Outcome } from '../outcome.js';
import { KCONFIG_SECTION, KSYMS_SECTION } from './externs.js';
import { EINVAL, ENOENT, ESRCH, refuse } from './failure.js';
import type { Extern, ObjectProgram, Roles } from './model.js';

/** Name of the variable that stands in for functions in `.ksyms`, which the kernel takes no functions in. */
const PLACEHOLDER = 'dummy_ksym';
const EXTERN_BYTES = 4;

export interface ObjectBtf {
  readonly btf: Btf | null;
  readonly ext: BtfExt | null;
}

/** Reads `.BTF` (into a copy that is the loader's own) and `.BTF.ext`; broken ones matter only to objects that need them. */
export function readObjectBtf(roles: Roles): Outcome<ObjectBtf> {
  const needed = roles.maps !== null || roles.structOps.length > 0;
  const required = (errno: number): Outcome<ObjectBtf> =>
    refuse('BTF_REQUIRED', 'BTF is required, but is missing or corrupted.', errno);
  if (roles.btf === null) return needed ? required(ENOENT) : ok({ btf: null, ext: null });
  const btf = readOwned(new Uint8Array(roles.btf.data!));
  if (!btf.ok) return needed ? required(btf.failure.errno) : ok({ btf: null, ext: null });
  if (roles.btfExt === null) return ok({ btf: btf.value, ext: null });
  const ext = readBtfExt(roles.btfExt.data!, roles.btfExt.byteOrder);
  if (!ext.ok) return needed ? required(ext.failure.errno) : ok({ btf: btf.value, ext: null });
  return ok({ btf: btf.value, ext: ext.value });
}

/** A program's BTF over bytes of its own; with the placeholder for extern functions where it has any. */
function readOwned(bytes: Uint8Array): Outcome<Btf> {
  const btf = readBtf(bytes, null, '');
  if (!btf.ok) return btf;
  const section = btf.value.find(KSYMS_SECTION, kind.KIND_DATASEC);
  if (section === 0 || !hasFunction(btf.value, section)) return btf;
  return readBtf(appendVariable(btf.value, PLACEHOLDER, findInt(btf.value)), null, '');
}

function hasFunction(btf: Btf, section: number): boolean {
  for (let i = 0; i < btf.vlen(section); i++) {
    if (btf.kind(btf.secinfoType(section, i)) === kind.KIND_FUNC) return true;
  }
  return false;
}

/** The first integer of 32 bits, or 0. */
function findInt(btf: Btf): number {
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) === kind.KIND_INT && btf.intBits(id) === 32) return id;
  }
  return 0;
}

/**
 * Makes externs into variables the kernel takes, and lays out the configuration's map; answers that map's size in bytes
 * (0: none).
 */
export function settleExterns(btf: Btf, externs: readonly Extern[]): Outcome<number> {
  const editor = new BtfEditor(btf);
  const byName = new Map<string, Extern>();
  for (const one of externs) if (!byName.has(one.name)) byName.set(one.name, one);
  const kernel = externs.find((one) => one.kconfig === null);
  if (kernel !== undefined) {
    const settled = settleKernelSymbols(editor, byName, sectionOf(btf, KSYMS_SECTION));
    if (!settled.ok) return settled;
  }
  if (externs.every((one) => one.kconfig === null)) return ok(0);
  return settleKconfig(editor, externs, byName, sectionOf(btf, KCONFIG_SECTION));
}

function sectionOf(btf: Btf, name: string): number {
  return btf.find(name, kind.KIND_DATASEC);
}

function missingExtern(btf: Btf, id: number): Outcome<number> {
  const message = `failed to find extern definition for BTF '${btf.typeName(id)}'`;
  return refuse('EXTERN_WITHOUT_SYMBOL', message, ESRCH, { symbol: btf.typeName(id) });
}

function settleKernelSymbols(editor: BtfEditor, byName: ReadonlyMap<string, Extern>, section: number): Outcome<number> {
  const { btf } = editor;
  const int = findInt(btf);
  const placeholder = btf.find(PLACEHOLDER, kind.KIND_VAR);
  const count = btf.vlen(section);
  for (let i = 0; i < count; i++) {
    const id = btf.secinfoType(section, i);
    if (!byName.has(btf.typeName(id))) return missingExtern(btf, id);
    if (btf.kind(id) === kind.KIND_FUNC) {
      nameParameters(editor, btf.sizeOrType(id), btf.nameOff(placeholder));
      editor.setExtra(section, i * 3, placeholder);
    } else {
      editor.setSizeOrType(id, int);
    }
    editor.setLinkage(id, kind.LINKAGE_GLOBAL);
    editor.setExtra(section, i * 3 + 1, i * EXTERN_BYTES);
    editor.setExtra(section, i * 3 + 2, EXTERN_BYTES);
  }
  editor.setSizeOrType(section, count * EXTERN_BYTES);
  return ok(0);
}

/** The kernel wants names for the parameters of functions that are not extern. */
function nameParameters(editor: BtfEditor, prototype: number, nameOff: number): void {
  const { btf } = editor;
  for (let i = 0; i < btf.vlen(prototype); i++) {
    const isUnnamed = btf.extra(prototype, i * 2) === 0;
    if (isUnnamed && btf.paramType(prototype, i) !== 0) editor.setExtra(prototype, i * 2, nameOff);
  }
}

function settleKconfig(
  editor: BtfEditor,
  externs: readonly Extern[],
  byName: ReadonlyMap<string, Extern>,
  section: number,
): Outcome<number> {
  const { btf } = editor;
  let end = 0;
  for (const { kconfig } of externs) {
    if (kconfig === null) continue;
    kconfig.offset = Math.ceil(end / kconfig.alignment) * kconfig.alignment;
    end = kconfig.offset + kconfig.size;
  }
  if (end > 0x7fff_ffff) return refuse('KCONFIG_TYPE', '.kconfig is too large', EINVAL);
  editor.setSizeOrType(section, end);
  for (let i = 0; i < btf.vlen(section); i++) {
    const id = btf.secinfoType(section, i);
    const offset = byName.get(btf.typeName(id))?.kconfig?.offset;
    if (offset === undefined) return missingExtern(btf, id);
    editor.setLinkage(id, kind.LINKAGE_GLOBAL);
    editor.setExtra(section, i * 3 + 1, offset);
  }
  return ok(end);
}

/** Gives data sections the size and their variables the offsets that the compiler left open (bpf_object_fixup_btf). */
export function settleSections(btf: Btf, object: ElfObject): Outcome<null> {
  const editor = new BtfEditor(btf);
  const symbols = variableSymbols(object);
  const sizes = sectionSizes(object);
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_DATASEC) continue;
    const errno = settleSection(editor, sizes, symbols, id);
    if (errno < 0) {
      const section = btf.typeName(id);
      return refuse('BTF_SECTION', `sec '${section}': failed to fix up its BTF: ${errno}`, errno, { section });
    }
  }
  return ok(null);
}

/** The first global or weak data symbol of each name. */
function variableSymbols(object: ElfObject): ReadonlyMap<string, ElfSymbol> {
  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of object.symbols) {
    const isGlobal = symbol.bind === elf.STB_GLOBAL || symbol.bind === elf.STB_WEAK;
    if (isGlobal && symbol.type === elf.STT_OBJECT && !symbols.has(symbol.name)) symbols.set(symbol.name, symbol);
  }
  return symbols;
}

/** Size of the first section of each name. */
function sectionSizes(object: ElfObject): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { index, name, size } of object.sections) if (index !== 0 && !sizes.has(name)) sizes.set(name, size);
  return sizes;
}

function settleSection(
  editor: BtfEditor,
  sizes: ReadonlyMap<string, number>,
  symbols: ReadonlyMap<string, ElfSymbol>,
  id: number,
): number {
  const { btf } = editor;
  const name = btf.typeName(id);
  if (name !== KCONFIG_SECTION && name !== KSYMS_SECTION) {
    const setOffsets = btf.sizeOrType(id) === 0;
    if (setOffsets) {
      const size = sizes.get(name) ?? 0;
      if (size <= 0 || size > 0xffff_ffff) return ENOENT;
      editor.setSizeOrType(id, size);
    }
    const errno = settleVariables(editor, symbols, id, setOffsets);
    if (errno < 0) return errno;
  }
  editor.sortSection(id);
  return 0;
}

function settleVariables(
  editor: BtfEditor,
  symbols: ReadonlyMap<string, ElfSymbol>,
  id: number,
  setOffsets: boolean,
): number {
  const { btf } = editor;
  for (let i = 0; i < btf.vlen(id); i++) {
    const variable = btf.secinfoType(id, i);
    if (btf.kind(variable) !== kind.KIND_VAR) return EINVAL;
    const linkage = btf.linkage(variable);
    if (linkage === kind.LINKAGE_STATIC || linkage === kind.LINKAGE_EXTERN) continue;
    const symbol = symbols.get(btf.typeName(variable));
    if (symbol === undefined) return ENOENT;
    if (setOffsets) editor.setExtra(id, i * 3 + 1, symbol.value);
    const isHidden = symbol.visibility === elf.STV_HIDDEN || symbol.visibility === elf.STV_INTERNAL;
    if (isHidden) editor.setLinkage(variable, kind.LINKAGE_STATIC);
  }
  return 0;
}

/** Hidden global subprograms are verified as static ones are: their functions' linkage says so to the kernel. */
export function settleHiddenFunctions(btf: Btf, programs: readonly ObjectProgram[]): void {
  const editor = new BtfEditor(btf);
  for (const program of programs) {
    if (!program.isHidden || !program.isSubprogram) continue;
    for (const id of btf.withName(program.name)) {
      if (btf.kind(id) !== kind.KIND_FUNC || btf.linkage(id) !== kind.LINKAGE_GLOBAL) continue;
      editor.setLinkage(id, kind.LINKAGE_STATIC);
      break;
    }
  }
}
