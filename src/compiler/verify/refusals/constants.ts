/** Instructions as they stand, and constants that name maps and symbols. */
import type { Btf } from '../../btf/btf.js';
import { E2BIG, EBUSY, EINVAL, ENOENT, EOPNOTSUPP, EPERM, EPROTO } from '../errno.js';
import { catalogue } from './refusal.js';

export const CONSTANTS = catalogue({
  symbolModule: {
    class: 'BTF',
    errno: EINVAL,
    means: 'The module of a kernel variable is not known.',
    sentence: () => `invalid module BTF object FD specified.`,
  },
  symbolId: {
    class: 'BTF',
    errno: ENOENT,
    means: 'The BTF has no type of that id.',
    sentence: (id: number) => `ldimm64 insn specifies invalid btf_id ${id}.`,
  },
  symbolKind: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Only variables and functions of the kernel have addresses.',
    sentence: (id: number) => `pseudo btf_id ${id} in ldimm64 isn't KIND_VAR or KIND_FUNC`,
  },
  symbolAddress: {
    class: 'BTF',
    errno: ENOENT,
    means: "The kernel's symbols do not hold the variable.",
    sentence: (btf: Btf, id: number) => `ldimm64 failed to find the address for kernel symbol '${btf.typeName(id)}'.`,
  },
  symbolSize: {
    class: 'BTF',
    errno: EINVAL,
    means: "The size of the variable's type is not known.",
    sentence: (btf: Btf, type: number) =>
      `ldimm64 unable to resolve the size of type '${btf.typeName(type)}': ${-EINVAL}`,
  },
  mapValueOffset: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: "The offset into a map's value is too large.",
    sentence: (off: number) => `direct value offset of ${off} is not allowed`,
  },
  mapValueOutside: {
    class: 'MAP_NOT_ALLOWED',
    means: "The offset lies outside of the map's value.",
    sentence: (valueSize: number, off: number) =>
      `invalid access to map value pointer, value_size=${valueSize} off=${off}`,
  },
  oneCgroupStorage: {
    class: 'MAP_NOT_ALLOWED',
    errno: EBUSY,
    means: 'A program uses one map of each type of cgroup storage.',
    sentence: () => `only one cgroup storage of each type is allowed`,
  },
  oneArena: {
    class: 'MAP_NOT_ALLOWED',
    errno: EBUSY,
    means: 'A program uses one arena.',
    sentence: () => `Only one arena per program`,
  },
  arenaPrivilege: {
    class: 'MAP_NOT_ALLOWED',
    errno: EPERM,
    means: 'Arenas can be used with CAP_BPF and CAP_PERFMON alone.',
    sentence: () => `CAP_BPF and CAP_PERFMON are required to use arena`,
  },
  arenaAddress: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The arena was created without the address that user space sees it at.',
    sentence: () => `arena's user address must be set via map_extra or mmap()`,
  },
  constantKind: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'There is no such kind of 64-bit constant.',
    sentence: () => `unrecognized bpf_ld_imm64 insn`,
  },
  mapIndexWithoutTable: {
    class: 'MAP_NOT_ALLOWED',
    errno: EPROTO,
    means: 'Maps are named by index where the program is loaded with a table of them.',
    sentence: () => `fd_idx without fd_array is invalid`,
  },
  noSuchMap: {
    class: 'MAP_NOT_ALLOWED',
    means: 'The descriptor is that of no map.',
    sentence: (fd: number) => `fd ${fd} is not pointing to valid bpf_map`,
  },
  tooManyMaps: {
    class: 'MAP_NOT_ALLOWED',
    errno: E2BIG,
    means: 'A program uses as many maps as the kernel lets it.',
    sentence: (most: number) => `The total number of maps per program has reached the limit of ${most}`,
  },
  constantFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'The second half of a 64-bit constant holds nothing but its value.',
    sentence: () => `invalid bpf_ld_imm64 insn`,
  },
  loadReservedFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Fields that a load does not use must be zero.',
    sentence: () => `BPF_LDX uses reserved fields`,
  },
  unknownOpcode: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'There is no such instruction.',
    sentence: (opcode: number) => `unknown opcode ${opcode.toString(16).padStart(2, '0')}`,
  },
  arenaInterpreted: {
    class: 'MAP_NOT_ALLOWED',
    errno: EOPNOTSUPP,
    means: 'Arenas are accessed by machine code, which this kernel does not make.',
    sentence: () => 'JIT is required to use arena',
  },
});
