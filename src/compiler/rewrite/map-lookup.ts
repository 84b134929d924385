/**
 * bpf_map_lookup_elem as instructions, by map type (map_gen_lookup of the type's operations).
 *
 * r1 is the map, r2 points to the key, r0 becomes a pointer to the value or zero. Arrays are indexed in place (since
 * Linux 4.3); hash tables call their inner lookup and step from the element to its value (since 4.4); per-CPU maps add
 * this CPU's base (since 6.10); sockets of AF_XDP since 5.3. Arrays marked as inner maps of different sizes
 * (BPF_F_INNER_MAP, since 5.10) are not inlined, for their size is not known here.
 */
import * as isa from '../isa/opcodes.js';
import type { MapSpec } from '../load/program.js';
import type { MapOps, Profile } from '../targets/profile.js';
import { indexMask } from './index-mask.js';
import { Sequence } from './sequence.js';
import { memberOffset } from '../btf/member-offset.js';

const F_INNER_MAP = 1 << 12;

type Lookup = (profile: Profile, map: MapSpec, masked: boolean) => Sequence | null;

/** By the kernel's symbol of map_gen_lookup. */
const LOOKUPS: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  ['array_map_gen_lookup', array],
  ['percpu_array_map_gen_lookup', perCpuArray],
  ['array_of_map_gen_lookup', arrayOfMaps],
  ['htab_map_gen_lookup', hash],
  ['htab_lru_map_gen_lookup', lruHash],
  ['htab_percpu_map_gen_lookup', perCpuHash],
  ['htab_of_map_gen_lookup', hashOfMaps],
  ['xsk_map_gen_lookup', afXdp],
]);

/**
 * The lookup in this map, or null where it is left to a call. `masked`: the map was made by a process without
 * CAP_PERFMON, and indices of arrays are masked against speculation.
 */
export function inlineLookup(profile: Profile, map: MapSpec, ops: MapOps, masked: boolean): Sequence | null {
  const lookup = ops.genLookup === null ? undefined : LOOKUPS.get(ops.genLookup);
  return lookup?.(profile, map, masked) ?? null;
}

function roundUp8(n: number): number {
  return (n + 7) & ~7;
}

/** r0 *= size of an element. */
function scale(s: Sequence, elementSize: number): Sequence {
  const isPowerOfTwo = (elementSize & (elementSize - 1)) === 0;
  return isPowerOfTwo
    ? s.alu64Imm(isa.LSH, isa.R0, 31 - Math.clz32(elementSize))
    : s.alu64Imm(isa.MUL, isa.R0, elementSize);
}

/** if r0 >= entries goto behind the next `rest` instructions, with the mask behind the test. */
function checkIndex(s: Sequence, { maxEntries }: MapSpec, rest: number, masked: boolean): Sequence {
  s.jumpImm(isa.JGE, isa.R0, maxEntries, masked ? rest + 1 : rest);
  return masked ? s.alu32Imm(isa.AND, isa.R0, indexMask(maxEntries)) : s;
}

function array(profile: Profile, map: MapSpec, masked: boolean): Sequence | null {
  if ((map.flags & F_INNER_MAP) !== 0) return null;
  const s = new Sequence()
    .alu64Imm(isa.ADD, isa.R1, memberOffset(profile.btf, 'bpf_array', 'value'))
    .load(isa.W, isa.R0, isa.R2, 0);
  checkIndex(s, map, 3, masked);
  return scale(s, roundUp8(map.valueSize)).alu64(isa.ADD, isa.R0, isa.R1).ja(1).mov64Imm(isa.R0, 0);
}

function perCpuArray(profile: Profile, map: MapSpec, masked: boolean): Sequence | null {
  if ((map.flags & F_INNER_MAP) !== 0 || !profile.behaviour.movesPerCpuAddresses) return null;
  const s = new Sequence()
    .alu64Imm(isa.ADD, isa.R1, memberOffset(profile.btf, 'bpf_array', 'pptrs'))
    .load(isa.W, isa.R0, isa.R2, 0);
  return checkIndex(s, map, 5, masked)
    .alu64Imm(isa.LSH, isa.R0, 3)
    .alu64(isa.ADD, isa.R0, isa.R1)
    .load(isa.DW, isa.R0, isa.R0, 0)
    .movPerCpu(isa.R0, isa.R0)
    .ja(1)
    .mov64Imm(isa.R0, 0);
}

function arrayOfMaps(profile: Profile, map: MapSpec, masked: boolean): Sequence {
  const s = new Sequence()
    .alu64Imm(isa.ADD, isa.R1, memberOffset(profile.btf, 'bpf_array', 'value'))
    .load(isa.W, isa.R0, isa.R2, 0);
  checkIndex(s, map, 5, masked);
  return scale(s, roundUp8(map.valueSize))
    .alu64(isa.ADD, isa.R0, isa.R1)
    .load(isa.DW, isa.R0, isa.R0, 0)
    .jumpImm(isa.JEQ, isa.R0, 0, 1)
    .ja(1)
    .mov64Imm(isa.R0, 0);
}

/** Offset of the value in an element of a hash table: behind the key, aligned to 8. */
function hashValueOffset(profile: Profile, map: MapSpec): number {
  return memberOffset(profile.btf, 'htab_elem', 'key') + roundUp8(map.keySize);
}

function findElement(): Sequence {
  return new Sequence().callKernel('__htab_map_lookup_elem');
}

function hash(profile: Profile, map: MapSpec): Sequence {
  return findElement().jumpImm(isa.JEQ, isa.R0, 0, 1).alu64Imm(isa.ADD, isa.R0, hashValueOffset(profile, map));
}

/** Marks the element as used, unless it is already. */
function lruHash(profile: Profile, map: MapSpec): Sequence {
  const { btf } = profile;
  const used = memberOffset(btf, 'htab_elem', 'lru_node') + memberOffset(btf, 'bpf_lru_node', 'ref');
  return findElement()
    .jumpImm(isa.JEQ, isa.R0, 0, 4)
    .load(isa.B, isa.R1, isa.R0, used)
    .jumpImm(isa.JNE, isa.R1, 0, 1)
    .storeImm(isa.B, isa.R0, used, 1)
    .alu64Imm(isa.ADD, isa.R0, hashValueOffset(profile, map));
}

function perCpuHash(profile: Profile, map: MapSpec): Sequence | null {
  if (!profile.behaviour.movesPerCpuAddresses) return null;
  return findElement()
    .jumpImm(isa.JEQ, isa.R0, 0, 3)
    .alu64Imm(isa.ADD, isa.R0, hashValueOffset(profile, map))
    .load(isa.DW, isa.R0, isa.R0, 0)
    .movPerCpu(isa.R0, isa.R0);
}

function hashOfMaps(profile: Profile, map: MapSpec): Sequence {
  return findElement()
    .jumpImm(isa.JEQ, isa.R0, 0, 2)
    .alu64Imm(isa.ADD, isa.R0, hashValueOffset(profile, map))
    .load(isa.DW, isa.R0, isa.R0, 0);
}

function afXdp(profile: Profile, map: MapSpec): Sequence {
  return new Sequence()
    .load(isa.W, isa.R0, isa.R2, 0)
    .jump32Imm(isa.JGE, isa.R0, map.maxEntries, 5)
    .alu64Imm(isa.LSH, isa.R0, 3)
    .alu64Imm(isa.ADD, isa.R1, memberOffset(profile.btf, 'xsk_map', 'xsk_map'))
    .alu64(isa.ADD, isa.R0, isa.R1)
    .load(isa.DW, isa.R0, isa.R0, 0)
    .ja(1)
    .mov64Imm(isa.R0, 0);
}
