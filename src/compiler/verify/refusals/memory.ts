/** Accesses to memory: maps, packets, contexts, buffers. */
import { fieldTypeName } from '../kernel/field-names.js';
import type { ReadonlyReg } from '../state.js';
import { tnumText } from '../domain/tnum.js';
import { regTypeName } from '../log/register.js';
import { EACCES, EINVAL, ENOTSUPP } from '../errno.js';
import { catalogue } from './refusal.js';

export const MEMORY = catalogue({
  misaligned: {
    class: 'MISALIGNED',
    errno: EACCES,
    means: "The address is not known to be a multiple of the access's size.",
    sentence: (name: string, reg: ReadonlyReg, regOff: number, off: number, size: number) =>
      `misaligned ${name}access off ${tnumText(reg)}+${regOff}+${off} size ${size}`,
  },
  bufferNegative: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The access lies in front of the buffer.',
    sentence: (regno: number, name: string, off: number, size: number) =>
      `R${regno} invalid ${name} buffer access: off=${off}, size=${size}`,
  },
  bufferVariable: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The buffer is accessed at known offsets alone.',
    sentence: (regno: number, off: number, reg: ReadonlyReg) =>
      `R${regno} invalid variable buffer offset: off=${off}, var_off=${tnumText(reg)}`,
  },
  flowKeysAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access lies outside of the flow keys.',
    sentence: (off: number, size: number) => `invalid access to flow keys off=${off} size=${size}`,
  },
  socketAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: "The access lies outside of the socket's readable fields.",
    sentence: (regno: number, type: number, off: number, size: number) =>
      `R${regno} invalid ${regTypeName(type)} access off=${off} size=${size}`,
  },
  contextAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: "The program's context has no field of this size there, or it cannot be accessed so.",
    sentence: (off: number, size: number) => `invalid bpf_context access off=${off} size=${size}`,
  },
  packetLoadLeaks: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'The program may end at this load, and still holds a reference.',
    sentence: () => `BPF_LD_[ABS|IND] cannot be mixed with socket references`,
  },
  mapRights: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: "The map's flags forbid the access.",
    sentence: (write: boolean, valueSize: number, off: number, size: number) =>
      `${write ? 'write into' : 'read from'} map forbidden, value_size=${valueSize} off=${off} size=${size}`,
  },
  kptrMode: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer in a map is loaded and stored as it is.',
    sentence: () => `kptr in map can only be accessed using BPF_MEM instruction mode`,
  },
  kptrReferenced: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer that is kept with its reference is exchanged with bpf_kptr_xchg alone.',
    sentence: () => `store to referenced kptr disallowed`,
  },
  kptrConstant: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: 'The only constant that may be stored in place of a pointer is null.',
    sentence: (off: number) => `BPF_ST imm must be 0 when storing to kptr at off=${off}`,
  },
  kptrInstruction: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer in a map is loaded and stored as it is, by no other instruction.',
    sentence: () => `kptr in map can only be accessed using BPF_LDX/BPF_STX/BPF_ST`,
  },
  notMemory: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The register points to nothing that can be accessed.',
    sentence: (regno: number, type: number) => `R${regno} invalid mem access '${regTypeName(type)}'`,
  },
  mapKeyReadOnly: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'Keys of maps can only be read.',
    sentence: (regno: number) => `write to change key R${regno} not allowed`,
  },
  packetReadOnly: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Programs of this type cannot write to packet data.',
    sentence: () => `cannot write into packet`,
  },
  constantStore: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'Constants cannot be stored through this pointer.',
    sentence: (regno: number, type: number) => `BPF_ST stores into R${regno} ${regTypeName(type)} is not allowed`,
  },
  atomicOperation: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'There is no such atomic operation.',
    sentence: (imm: number) => `BPF_ATOMIC uses invalid atomic opcode ${(imm >>> 0).toString(16).padStart(2, '0')}`,
  },
  atomicSize: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Atomic operations are 4 or 8 bytes wide.',
    sentence: () => `invalid atomic operand size`,
  },
  atomicTarget: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'There are no atomic operations through this pointer.',
    sentence: (regno: number, type: number) => `BPF_ATOMIC stores into R${regno} ${regTypeName(type)} is not allowed`,
  },
  outsidePacket: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: "The access lies outside of what was compared with the packet's end.",
    sentence: (regno: number) => `R${regno} offset is outside of the packet`,
  },
  pointerLeak: {
    class: 'POINTER_LEAK',
    errno: EACCES,
    register: true,
    means: "An address of the kernel's would be readable by others.",
    sentence: (regno: number, place: string) => `R${regno} leaks addr into ${place}`,
  },
  negativePointerOffset: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The pointer may not be moved down.',
    sentence: (regno: number, type: number, off: number) =>
      `negative offset ${regTypeName(type)} ptr R${regno} off=${off} disallowed`,
  },
  movedPointer: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The pointer may not be moved.',
    sentence: (regno: number, type: number, off: number) =>
      `dereference of modified ${regTypeName(type)} ptr R${regno} off=${off} disallowed`,
  },
  variablePointerOffset: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The pointer may not be moved by an unknown distance.',
    sentence: (type: number, reg: ReadonlyReg) =>
      `variable ${regTypeName(type)} access var_off=${tnumText(reg)} disallowed`,
  },
  pointerKindsDiffer: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: 'The kernel rewrites this access by the kind of pointer, which differs between paths.',
    sentence: () => `same insn cannot be used with different pointers`,
  },
  outsideMapKey: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access lies outside of the key.',
    sentence: (keySize: number, off: number, size: number) =>
      `invalid access to map key, key_size=${keySize | 0} off=${off} size=${size}`,
  },
  outsideMapValue: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access lies outside of the value.',
    sentence: (valueSize: number, off: number, size: number) =>
      `invalid access to map value, value_size=${valueSize | 0} off=${off} size=${size}`,
  },
  outsidePacketRange: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: "The access lies outside of what was compared with the packet's end.",
    sentence: (regno: number, off: number, size: number, id: number, range: number) =>
      `invalid access to packet, off=${off} size=${size}, R${regno}(id=${id},off=${off},r=${range | 0})`,
  },
  outsideMemory: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access lies outside of the memory.',
    sentence: (memSize: number, off: number, size: number) =>
      `invalid access to memory, mem_size=${memSize >>> 0} off=${off} size=${size}`,
  },
  leastOutside: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'At its smallest offset the access lies outside.',
    sentence: (regno: number) => `R${regno} min value is outside of the allowed memory range`,
  },
  memoryUnbounded: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The offset has no upper bound.',
    sentence: (regno: number) => `R${regno} unbounded memory access, make sure to bounds check any such access`,
  },
  greatestOutside: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'At its greatest offset the access lies outside.',
    sentence: (regno: number) => `R${regno} max value is outside of the allowed memory range`,
  },
  offsetNegative: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The offset may be negative.',
    sentence: (regno: number) =>
      `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`,
  },
  packetLoadProgramType: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The old packet loads are for programs on socket buffers.',
    sentence: () => 'BPF_LD_[ABS|IND] instructions not allowed for this program type',
  },
  packetLoadReservedFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Fields that a packet load does not use must be zero.',
    sentence: () => 'BPF_LD_[ABS|IND] uses reserved fields',
  },
  packetLoadInLock: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The program may end at this load, and still holds the lock.',
    sentence: () => 'BPF_LD_[ABS|IND] cannot be used inside bpf_spin_lock-ed region',
  },
  packetLoadInRcu: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The program may end at this load, in an RCU section.',
    sentence: () => 'BPF_LD_[ABS|IND] cannot be used inside bpf_rcu_read_lock-ed region',
  },
  packetLoadInPreempt: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The program may end at this load, with preemption disabled.',
    sentence: () => 'BPF_LD_[ABS|IND] cannot be used inside bpf_preempt_disable-ed region',
  },
  packetLoadContext: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: 'The old packet loads take the context in R6.',
    sentence: () => 'at the time of BPF_LD_ABS|IND R6 != pointer to skb',
  },
  fieldAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Special fields are for helpers and kernel functions alone.',
    sentence: (type: number) => `${fieldTypeName(type)} cannot be accessed directly by load/store`,
  },
  kptrByHelper: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A helper would write over a pointer kept in a map.',
    sentence: () => 'kptr cannot be accessed indirectly by helper',
  },
  kptrVariableOffset: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Pointers kept in maps are accessed at known offsets alone.',
    sentence: () => 'kptr access cannot have variable offset',
  },
  kptrMisaligned: {
    class: 'MISALIGNED',
    errno: EACCES,
    means: 'A pointer kept in a map is accessed as a whole.',
    sentence: (field: number, at: number) => `kptr access misaligned expected=${field} off=${at}`,
  },
  kptrSize: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer kept in a map is accessed as a whole.',
    sentence: () => 'kptr access size must be BPF_DW',
  },
  constantMapValues: {
    class: 'MEMORY_ACCESS',
    errno: ENOTSUPP,
    silent: true,
    means: 'Constants are read out of maps with one value.',
    sentence: () => 'the map has several values',
  },
  constantOutsideValue: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    silent: true,
    means: "The constant would lie outside of the map's value.",
    sentence: () => 'the constant lies outside of the value',
  },
  packetMisaligned: {
    class: 'MISALIGNED',
    errno: EACCES,
    means: "The address is not known to be a multiple of the access's size.",
    sentence: (ipAlign: number, reg: ReadonlyReg, regOff: number, off: number, size: number) =>
      `misaligned packet access off ${ipAlign}+${tnumText(reg)}+${regOff}+${off} size ${size}`,
  },
});
