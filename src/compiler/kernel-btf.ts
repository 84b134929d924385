/** A kernel's BTF as people have it: the blob of /sys/kernel/btf/vmlinux, or an ELF file with a `.BTF` section. */
import { isWellFormed, openBtf, readBtf, readSharedBtf } from './btf/read.js';
import type { Btf } from './btf/btf.js';
import { hasMember } from './btf/member-offset.js';
import type { ByteOrder } from './bytes/byte-order.js';
import { isElf, readSections } from './elf/elf.js';
import { readModuleFile } from './module-file.js';
import { fail, ok, type Outcome } from './outcome.js';
import type { KernelModule } from './targets/modules.js';

export type { KernelModule } from './targets/modules.js';
export type KernelBtfImage = Parameters<typeof openBtf>[0];

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

/** Fails with the code BTF_INVALID where the BTF is well-formed, but not that of a kernel with BPF of that byte order. */
export function checkKernelBtf(btf: Btf, order: ByteOrder): Outcome<Btf> {
  if (btf.byteOrder !== order) return otherOrder(btf, order);
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
  if (!isElf(bytes)) return readSharedBtf(bytes, null);
  const sections = readSections(bytes);
  const section = sections.ok ? sections.value.find(({ name }) => name === '.BTF') : undefined;
  if (section?.data) return readSharedBtf(section.data, null);
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
  if (!btf.ok) return btf;
  if (btf.value.byteOrder !== base.byteOrder) return otherOrder(btf.value, base.byteOrder);
  return ok({ btf: btf.value, functions: file.value.functions });
}

function otherOrder(btf: Btf, wanted: ByteOrder): Outcome<never> {
  const message = `the BTF is ${btf.byteOrder.name}-endian, the target's is ${wanted.name}-endian`;
  return fail({ stage: 'LOAD', code: 'BTF_INVALID', message, errno: -22 });
}

/** Whether the bytes are or hold BTF that may continue some kernel's, as far as they show without it. */
export function isSplitBtf(bytes: Uint8Array): boolean {
  const file = readModuleFile(bytes);
  return file.ok && isWellFormed(file.value.btf, true);
}
