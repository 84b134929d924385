/** The `maps` section of before BTF: an array of struct bpf_map_def, one symbol each. libbpf 1.x refuses it; older loaders do not. */
import { ByteReader } from '../bytes/reader.js';
import type { ElfSymbol } from '../elf/elf.js';
import { ERRNO_FORMAT, refuse } from './failure.js';
import { emptyDefinition } from './map-definition.js';
import type { ObjectMap, Refusal } from './model.js';
import { addMap, type MapSources } from './map-sources.js';

/** type, key size, value size, entries, flags: 32 bits each. Longer definitions must be zero behind these. */
const DEFINITION_BYTES = 20;

export function collectLegacyMaps({ elf, roles }: MapSources, maps: ObjectMap[]): Refusal | null {
  const section = roles.legacyMaps;
  if (section === null || section.size === 0) return null;
  const symbols = elf.symbols.filter((symbol) => symbol.section === section.index && symbol.name !== '');
  symbols.sort((a, b) => a.value - b.value);
  const broken = (message: string, symbol: string): Refusal =>
    refuse('MAP_DEFINITION', message, ERRNO_FORMAT, { section: section.name, symbol });
  const stride = symbols.length === 0 ? 0 : section.size / symbols.length;
  if (!Number.isInteger(stride) || stride < DEFINITION_BYTES) {
    return broken("unable to determine legacy map definition size in section 'maps'", '');
  }
  const reader = new ByteReader(section.data!, section.byteOrder);
  for (const symbol of symbols) {
    const fits = symbol.value >= 0 && reader.has(symbol.value, stride);
    if (!fits) return broken(`corrupted maps section: last map "${symbol.name}" too small`, symbol.name);
    if (!isZero(section.data!.subarray(symbol.value + DEFINITION_BYTES, symbol.value + stride))) {
      return broken(`maps section: "${symbol.name}" has unrecognized, non-zero options`, symbol.name);
    }
    addLegacyMap(maps, reader, symbol, section.index);
  }
  return null;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function addLegacyMap(maps: ObjectMap[], reader: ByteReader, symbol: ElfSymbol, sectionIndex: number): void {
  const at = symbol.value;
  addMap(maps, {
    origin: 'user',
    name: symbol.name,
    section: 'maps',
    sectionIndex,
    sectionOffset: at,
    definition: {
      ...emptyDefinition(),
      type: reader.u32(at),
      keySize: reader.u32(at + 4),
      valueSize: reader.u32(at + 8),
      maxEntries: reader.u32(at + 12),
      flags: reader.u32(at + 16),
    },
  });
}
