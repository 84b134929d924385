/** A kernel's BTF as people have it: the blob of /sys/kernel/btf/vmlinux, or an ELF file with a `.BTF` section. */
import { isWellFormed, openBtf, readBtf, readSharedBtf } from './btf/read.js';
import type { Btf } from './btf/btf.js';
import { hasMember } from './btf/member-offset.js';
import { ByteReader } from './bytes/reader.js';
import { readModuleFile } from './module-file.js';
import { fail, ok, type Outcome } from './outcome.js';
import type { KernelModule } from './targets/modules.js';

export type { KernelModule } from './targets/modules.js';
export type KernelBtfImage = Parameters<typeof openBtf>[0];

const ELF_MAGIC = 0x464c457f;
/** Offsets in the 64-bit ELF header and section headers (the System V ABI's Elf64_Ehdr and Elf64_Shdr). */
const E_SHOFF = 0x28;
const E_SHENTSIZE = 0x3a;
const E_SHNUM = 0x3c;
const E_SHSTRNDX = 0x3e;
const SH_OFFSET = 0x18;
const SH_SIZE = 0x20;

/** What code for any program may embed offsets of. */
const MEMBERS: readonly (readonly [struct: string, member: string])[] = [
  ...(['map', 'value', 'ptrs', 'pptrs'] as const).map((member) => ['bpf_array', member] as const),
  ['bpf_map', 'max_entries'],
  ['bpf_prog', 'bpf_func'],
  ['thread_info', 'cpu'],
  ['htab_elem', 'key'],
  ['htab_elem', 'lru_node'],
  ['bpf_lru_node', 'ref'],
];

/** Fails with the code BTF_INVALID where the BTF is well-formed, but not that of a kernel with BPF. */
export function checkKernelBtf(btf: Btf): Outcome<Btf> {
  const missing = MEMBERS.find(([struct, member]) => !hasMember(btf, struct, member));
  if (missing === undefined) return { ok: true, value: btf };
  const message = `not a kernel's BTF: it has no struct ${missing[0]} with a member ${missing[1]}`;
  return fail({ stage: 'LOAD', code: 'BTF_INVALID', message, errno: -22 });
}

/**
 * Checks and indexes the BTF for all threads that share its memory; `bytes` must then not change. Fails with the code
 * BTF_INVALID or NO_BTF_SECTION.
 */
export function readKernelBtf(bytes: Uint8Array): Outcome<KernelBtfImage> {
  const reader = new ByteReader(bytes);
  if (reader.u32(0) !== ELF_MAGIC) return readSharedBtf(bytes, null);
  const section = btfSection(reader);
  if (section !== null) return readSharedBtf(section, null);
  const message = 'the ELF file has no .BTF section';
  return fail({ stage: 'LOAD', code: 'NO_BTF_SECTION', message, errno: -22 });
}

/** The BTF over an image that `readKernelBtf` made, in this thread or another. */
export function openKernelBtf(image: KernelBtfImage): Btf {
  return openBtf(image, null, 'vmlinux');
}

/**
 * A module of a kernel whose BTF is `base`, with what its file tells of kernel functions. Fails where the types are not
 * split BTF over that base.
 */
export function readModule(bytes: Uint8Array, base: Btf, name: string): Outcome<KernelModule> {
  const file = readModuleFile(bytes);
  if (!file.ok) return file;
  const btf = readBtf(file.value.btf, base, name);
  return btf.ok ? ok({ btf: btf.value, functions: file.value.functions }) : btf;
}

/** Whether the bytes are or hold BTF that may continue some kernel's, as far as they show without it. */
export function isSplitBtf(bytes: Uint8Array): boolean {
  const file = readModuleFile(bytes);
  return file.ok && isWellFormed(file.value.btf, true);
}

function btfSection(reader: ByteReader): Uint8Array | null {
  const headers = reader.size(E_SHOFF);
  const stride = reader.u16(E_SHENTSIZE);
  const count = reader.u16(E_SHNUM);
  const names = contents(reader, headers + reader.u16(E_SHSTRNDX) * stride);
  if (headers < 0 || stride < 64 || names === null) return null;
  for (let i = 0; i < count; i++) {
    const name = new ByteReader(names).string(reader.u32(headers + i * stride), names.length);
    if (name === '.BTF') return contents(reader, headers + i * stride);
  }
  return null;
}

function contents(reader: ByteReader, header: number): Uint8Array | null {
  const offset = reader.size(header + SH_OFFSET);
  const size = reader.size(header + SH_SIZE);
  if (reader.overrun || offset < 0 || size < 0 || !reader.has(offset, size)) return null;
  return reader.bytes.subarray(offset, offset + size);
}
