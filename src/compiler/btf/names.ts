/**
 * A name → ids index in typed arrays: a hash table of chains, built over the string section in place.
 *
 *     heads[hash(name) & mask] → own index + 1 → next[index] → … → 0
 *
 * For vmlinux BTF (130,000 types) that is 1 MiB, where a Map of strings takes 20; and it can be shared between workers.
 */
export interface NameIndex {
  readonly heads: Uint32Array;
  readonly next: Uint32Array;
  /** Ids of the types whose names carry a flavor (`name___flavor`), in order. */
  readonly flavored: Uint32Array;
}

/** Bytes of a name that its hash looks at: names as long as the string section must not make indexing quadratic. */
export const HASHED_BYTES = 128;

/** The first byte of FNV-1a's state, and one step of it. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** FNV-1a over the bytes up to the NUL, `limit` or HASHED_BYTES. */
export function hashBytes(bytes: Uint8Array, start: number, limit: number): number {
  const end = Math.min(limit, start + HASHED_BYTES);
  let hash = HASH_START;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, HASH_PRIME);
  }
  return hash >>> 0;
}

/** The same hash of a string of one character a byte. */
export function hashText(text: string): number {
  const end = Math.min(text.length, HASHED_BYTES);
  let hash = HASH_START;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), HASH_PRIME);
  return hash >>> 0;
}

/** Whether the NUL-terminated bytes at `start` are `text`. */
export function equalsText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return bytes[start + text.length] === 0;
}

/**
 * Length of a name without its flavor: `task_struct___v5` is task_struct. The last `___` between two other characters
 * separates them (bpf_core_essential_name_len, tools/lib/bpf/relo_core.c, 6.12).
 */
export function essentialLength(name: string): number {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.startsWith('___', i + 1) && name[i] !== '_' && name[i + 4] !== '_') return i + 1;
  }
  return name.length;
}

/** Zeroed words; on shared memory where `shared`. */
export function allocateWords(length: number, shared: boolean): Uint32Array {
  return shared ? new Uint32Array(new SharedArrayBuffer(length * 4)) : new Uint32Array(length);
}
