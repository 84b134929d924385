/**
 * Reads .BTF.ext: function information, line information and CO-RE relocations, each a list of records by ELF section.
 *
 *     header | record size | { section name, count, records … } … | record size | …
 */
import type { ByteOrder } from '../bytes/byte-order.js';
import { ByteReader } from '../bytes/reader.js';
import { fail, ok, type Outcome } from '../outcome.js';
import { BTF_MAGIC, canonicalBtfExt } from './canonical.js';

/** The magic number in the other byte order. */
const OTHER_MAGIC = 0x9feb;
/** Smallest records: struct bpf_func_info, bpf_line_info, bpf_core_relo. */
const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;
const CORE_RELO_BYTES = 16;

const EINVAL = -22;
const ENOTSUP = -95;

/** Records of one ELF section: `count` of `stride` 32-bit words each, from word `start` of `words`. */
export interface ExtSection {
  /** Name of the ELF section, as an offset into the BTF's strings. */
  readonly nameOff: number;
  readonly words: Uint32Array;
  readonly start: number;
  readonly stride: number;
  readonly count: number;
}

export interface BtfExt {
  readonly funcInfo: readonly ExtSection[];
  readonly lineInfo: readonly ExtSection[];
  readonly coreRelocations: readonly ExtSection[];
}

/** Reads a section's bytes of a byte order; fails with BTF_EXT_INVALID, as libbpf then goes on without it. */
export function readBtfExt(section: Uint8Array, order: ByteOrder): Outcome<BtfExt> {
  const bytes = canonicalBtfExt(section, order);
  const reader = new ByteReader(bytes);
  const headerLength = reader.u32(4);
  if (!reader.has(0, 8) || headerLength > bytes.length) return invalid('BTF.ext header not found', EINVAL);
  if (reader.u16(0) === OTHER_MAGIC) return invalid('BTF.ext in non-native endianness is not supported', ENOTSUP);
  if (reader.u16(0) !== BTF_MAGIC) return invalid(`Invalid BTF.ext magic:${reader.u16(0).toString(16)}`, EINVAL);
  if (reader.u8(2) !== 1) return invalid(`Unsupported BTF.ext version:${reader.u8(2)}`, ENOTSUP);
  if (reader.u8(3) !== 0) return invalid(`Unsupported BTF.ext flags:${reader.u8(3).toString(16)}`, ENOTSUP);
  if (headerLength === bytes.length) return invalid('BTF.ext has no data', EINVAL);
  if (headerLength < 24) return invalid('BTF.ext header is too short', EINVAL);
  // Info sections are aligned relative to the header's end: words are taken from there.
  const body = new Uint8Array(bytes.subarray(headerLength, headerLength + ((bytes.length - headerLength) & ~3)));
  const words = new Uint32Array(body.buffer, 0, body.length >> 2);
  const funcInfo = readInfo(words, reader.u32(8), reader.u32(12), FUNC_INFO_BYTES, 'func_info');
  if (!funcInfo.ok) return funcInfo;
  const lineInfo = readInfo(words, reader.u32(16), reader.u32(20), LINE_INFO_BYTES, 'line_info');
  if (!lineInfo.ok) return lineInfo;
  const hasCore = headerLength >= 32;
  const core = readInfo(
    words,
    hasCore ? reader.u32(24) : 0,
    hasCore ? reader.u32(28) : 0,
    CORE_RELO_BYTES,
    'core_relo',
  );
  if (!core.ok) return core;
  return ok({ funcInfo: funcInfo.value, lineInfo: lineInfo.value, coreRelocations: core.value });
}

function invalid(message: string, errno: number): ReturnType<typeof fail> {
  return fail({ stage: 'LOAD', code: 'BTF_EXT_INVALID', message, errno });
}

/** One of the three infos: `offset` and `length` in bytes from the header's end. */
function readInfo(
  words: Uint32Array,
  offset: number,
  length: number,
  minimum: number,
  what: string,
): Outcome<readonly ExtSection[]> {
  if (length === 0) return ok([]);
  if (offset % 4 !== 0) return invalid(`.BTF.ext ${what} section is not aligned to 4 bytes`, EINVAL);
  if (offset + length > words.length * 4) {
    return invalid(
      `${what} section (off:${offset} len:${length}) is beyond the end of the ELF section .BTF.ext`,
      EINVAL,
    );
  }
  if (length < 4) return invalid(`.BTF.ext ${what} record size not found`, EINVAL);
  const recordBytes = words[offset >> 2]!;
  if (recordBytes < minimum || recordBytes % 4 !== 0) {
    return invalid(`${what} section in .BTF.ext has invalid record size ${recordBytes}`, EINVAL);
  }
  if (length === 4) return invalid(`${what} section in .BTF.ext has no records`, EINVAL);
  return readSections(words, offset + 4, length - 4, recordBytes, what);
}

function readSections(
  words: Uint32Array,
  offset: number,
  length: number,
  recordBytes: number,
  what: string,
): Outcome<readonly ExtSection[]> {
  const sections: ExtSection[] = [];
  let at = offset;
  let left = length;
  while (left > 0) {
    if (left < 8) return invalid(`${what} section header is not found in .BTF.ext`, EINVAL);
    const count = words[(at >> 2) + 1]!;
    const total = 8 + count * recordBytes;
    if (count === 0 || total > left) return invalid(`${what} section has incorrect num_records in .BTF.ext`, EINVAL);
    sections.push({ nameOff: words[at >> 2]!, words, start: (at >> 2) + 2, stride: recordBytes >> 2, count });
    at += total;
    left -= total;
  }
  return ok(sections);
}
