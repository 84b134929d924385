/** Collects the symbols an object leaves to the kernel: `.ksyms` and `.kconfig` (bpf_object__collect_externs). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { typeAlignment, typeSize } from '../btf/layout.js';
import * as elf from '../elf/constants.js';
import type { ElfObject, ElfSymbol } from '../elf/elf.js';
import { ok, type Outcome } from '../outcome.js';
import { EINVAL, ENOENT, ENOTSUP, ESRCH, refuse } from './failure.js';
import type { Extern, KconfigExtern } from './model.js';

export const KCONFIG_SECTION = '.kconfig';
export const KSYMS_SECTION = '.ksyms';

export function isExtern(symbol: ElfSymbol): boolean {
  if (symbol.section !== elf.SHN_UNDEF || symbol.type !== elf.STT_NOTYPE) return false;
  return symbol.bind === elf.STB_GLOBAL || symbol.bind === elf.STB_WEAK;
}

/** All externs in libbpf's order: configuration by alignment, size and name; then kernel symbols by name. */
export function collectExterns(object: ElfObject, btf: Btf | null): Outcome<Extern[]> {
  const externs: Extern[] = [];
  const sections = btf === null ? new Map<number, number>() : sectionsOfVariables(btf);
  const known = new Map<string, number>();
  for (const symbol of object.symbols) {
    if (!isExtern(symbol) || symbol.name === '') continue;
    if (btf !== null && !known.has(symbol.name)) known.set(symbol.name, findExtern(btf, symbol.name));
    const one = collectExtern(symbol, btf, known.get(symbol.name) ?? ENOENT, sections);
    if (!one.ok) return one;
    externs.push(one.value);
  }
  externs.sort(compare);
  for (const [i, one] of externs.entries()) one.index = i;
  return ok(externs);
}

function compare(a: Extern, b: Extern): number {
  if (a.kconfig === null || b.kconfig === null) {
    if ((a.kconfig === null) !== (b.kconfig === null)) return a.kconfig === null ? 1 : -1;
  } else {
    const order = b.kconfig.alignment - a.kconfig.alignment || a.kconfig.size - b.kconfig.size;
    if (order !== 0) return order;
  }
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** The first data section of every variable and function. */
function sectionsOfVariables(btf: Btf): Map<number, number> {
  const sections = new Map<number, number>();
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_DATASEC) continue;
    for (let i = 0; i < btf.vlen(id); i++) {
      const variable = btf.secinfoType(id, i);
      if (!sections.has(variable)) sections.set(variable, id);
    }
  }
  return sections;
}

function collectExtern(
  symbol: ElfSymbol,
  btf: Btf | null,
  btfId: number,
  sections: ReadonlyMap<number, number>,
): Outcome<Extern> {
  const { name } = symbol;
  const place = { symbol: name };
  if (btf === null) return refuse('EXTERN_WITHOUT_BTF', `failed to find BTF for extern '${name}': -3`, ESRCH, place);
  if (btfId < 0) return refuse('EXTERN_WITHOUT_BTF', `failed to find BTF for extern '${name}': ${btfId}`, btfId, place);
  const section = sections.get(btfId);
  if (section === undefined) {
    const message = `failed to find BTF for extern '${name}' [${btfId}] section: -2`;
    return refuse('EXTERN_WITHOUT_BTF', message, ENOENT, place);
  }
  const isFunction = btf.kind(btfId) === kind.KIND_FUNC;
  const base = {
    name,
    symbol: symbol.index,
    isWeak: symbol.bind === elf.STB_WEAK,
    isFunction,
    btfId,
    isSet: false,
    kernelId: 0,
    moduleNumber: 0,
    callOffset: 0,
    address: [0, 0] as const,
    index: 0,
    mapIndex: -1,
  };
  const sectionName = btf.typeName(section);
  if (sectionName === KSYMS_SECTION) {
    return ok({ ...base, kconfig: null, typeId: btf.skipModifiers(btf.sizeOrType(btfId)) });
  }
  if (sectionName !== KCONFIG_SECTION) {
    return refuse('EXTERN_SECTION', `unrecognized extern section '${sectionName}'`, ENOTSUP, place);
  }
  const kconfig = describeKconfig(btf, btfId, name);
  return kconfig.ok ? ok({ ...base, kconfig: kconfig.value, typeId: 0 }) : kconfig;
}

/** The first variable or function of that name, if it is extern; or a negative errno. */
function findExtern(btf: Btf, name: string): number {
  for (const id of btf.withName(name)) {
    const k = btf.kind(id);
    if (k !== kind.KIND_VAR && k !== kind.KIND_FUNC) continue;
    return btf.linkage(id) === kind.LINKAGE_EXTERN ? id : EINVAL;
  }
  return ENOENT;
}

function describeKconfig(btf: Btf, id: number, name: string): Outcome<KconfigExtern> {
  const place = { symbol: name };
  if (btf.kind(id) === kind.KIND_FUNC) {
    const message = `extern function ${name} is unsupported under ${KCONFIG_SECTION} section`;
    return refuse('EXTERN_SECTION', message, ENOTSUP, place);
  }
  const typeId = btf.sizeOrType(id);
  const size = typeSize(btf, typeId);
  if (size <= 0 || size > 0x7fff_ffff) {
    return refuse('KCONFIG_TYPE', `failed to resolve size of extern (kcfg) '${name}': ${EINVAL}`, EINVAL, place);
  }
  const alignment = typeAlignment(btf, typeId);
  if (alignment <= 0) {
    const message = `failed to determine alignment of extern (kcfg) '${name}': ${alignment}`;
    return refuse('KCONFIG_TYPE', message, EINVAL, place);
  }
  const type = kconfigType(btf, typeId);
  if (type === null) {
    return refuse('KCONFIG_TYPE', `extern (kcfg) '${name}': type is unsupported`, ENOTSUP, place);
  }
  return ok({ type, size, alignment, isSigned: isSignedInt(btf, typeId), offset: 0 });
}

function isSignedInt(btf: Btf, typeId: number): boolean {
  const id = btf.skipModifiers(typeId);
  if (btf.kind(id) !== kind.KIND_INT || (btf.intEncoding(id) & kind.INT_BOOL) !== 0) return false;
  return (btf.intEncoding(id) & kind.INT_SIGNED) !== 0;
}

function kconfigType(btf: Btf, typeId: number): KconfigExtern['type'] | null {
  const id = btf.skipModifiers(typeId);
  const size = btf.sizeOrType(id);
  switch (btf.kind(id)) {
    case kind.KIND_INT:
      if ((btf.intEncoding(id) & kind.INT_BOOL) !== 0) return size === 1 ? 'bool' : null;
      if (size === 1) return 'char';
      return size === 2 || size === 4 || size === 8 ? 'int' : null;
    case kind.KIND_ENUM:
      return size === 4 && btf.typeName(id) === 'libbpf_tristate' ? 'tristate' : null;
    case kind.KIND_ENUM64:
      return btf.typeName(id) === 'libbpf_tristate' ? 'tristate' : null;
    case kind.KIND_ARRAY:
      if (btf.arrayCount(id) === 0) return null;
      return isCharacter(btf, btf.arrayElem(id)) ? 'chars' : null;
    default:
      return null;
  }
}

function isCharacter(btf: Btf, typeId: number): boolean {
  const id = btf.skipModifiers(typeId);
  if (btf.kind(id) !== kind.KIND_INT || btf.sizeOrType(id) !== 1) return false;
  return (btf.intEncoding(id) & kind.INT_BOOL) === 0;
}
