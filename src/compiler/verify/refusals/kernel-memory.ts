/** Accesses that BTF describes: kernel structures, typed contexts. */
import type { Btf } from '../../btf/btf.js';
import { logName, kindName } from '../../btf/print.js';
import { fieldTypeName } from '../kernel/field-names.js';
import { EINVAL, EACCES, EFAULT, EPERM, ENOTSUPP } from '../errno.js';
import { catalogue } from './refusal.js';

export const KERNEL_MEMORY = catalogue({
  walkNotStruct: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: 'Only structs have members.',
    sentence: (btf: Btf, struct: number) => `Type '${logName(btf, struct)}' is not a struct`,
  },
  beyondStruct: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access lies behind the struct.',
    sentence: (btf: Btf, struct: number, off: number, size: number) =>
      `access beyond struct ${logName(btf, struct)} at off ${off >>> 0} size ${size >>> 0}`,
  },
  memberWithoutSize: {
    class: 'MEMORY_ACCESS',
    errno: EFAULT,
    means: "The member's type has no size.",
    sentence: (name: string) => `field ${name} doesn't have size`,
  },
  noMemberThere: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: 'No member of the struct lies at this offset.',
    sentence: (btf: Btf, struct: number, off: number) =>
      `struct ${logName(btf, struct)} doesn't have field at offset ${off}`,
  },
  insidePointerMember: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A member that is a pointer is read as a whole.',
    sentence: (name: string, start: number, btf: Btf, struct: number, off: number, size: number) =>
      `cannot access ptr member ${name} with moff ${start} in struct ${logName(btf, struct)} with off ${off} size ${size}`,
  },
  beyondMember: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The access goes over the end of a member.',
    sentence: (name: string, end: number, btf: Btf, struct: number, off: number, size: number) =>
      `access beyond the end of member ${name} (mend:${end}) in struct ${logName(btf, struct)} with off ${off} size ${size}`,
  },
  specialFieldAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Special fields are for helpers and kernel functions alone.',
    sentence: (type: number) => `direct access to ${fieldTypeName(type)} is disallowed`,
  },
  kernelAccessLicense: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    means: 'Kernel structures can be read by programs under a licence compatible with the GPL alone.',
    sentence: (btf: Btf, btfId: number) =>
      `Cannot access kernel 'struct ${logName(btf, btfId)}' from non-GPL compatible program`,
  },
  kernelPointerAddress: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: "The pointer's address is none that may be followed.",
    sentence: (regno: number, btf: Btf, btfId: number, what: string) =>
      `R${regno} is ptr_${logName(btf, btfId)} ${what}`,
  },
  kernelAccessPrivilege: {
    class: 'MEMORY_ACCESS',
    errno: EPERM,
    means: 'Kernel structures can be read with CAP_PERFMON alone.',
    sentence: (name: string) => `'struct ${name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`,
  },
  kernelReadOnly: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Kernel structures can only be read.',
    sentence: () => `only read is supported`,
  },
  allocatedReference: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'An object that the program allocated is held with a reference.',
    sentence: () => `verifier internal error: ref_obj_id for allocated object must be non-zero`,
  },
  mapPointerType: {
    class: 'MAP_NOT_ALLOWED',
    errno: ENOTSUPP,
    means: 'The struct of maps of this type is not known.',
    sentence: (type: number) => `map_ptr access not supported for map type ${type}`,
  },
  mapPointerNegative: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: "The access lies in front of the map's struct.",
    sentence: (regno: number, btf: Btf, btfId: number, off: number) =>
      `R${regno} is ${logName(btf, btfId)} invalid negative access: off=${off}`,
  },
  mapPointerReadOnly: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: "The map's struct can only be read.",
    sentence: (btf: Btf, btfId: number) => `only read from ${logName(btf, btfId)} is supported`,
  },
  contextMisaligned: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The context is an array of 8-byte arguments.',
    sentence: (name: string, off: number) => `func '${name}' offset ${off} is not multiple of 8`,
  },
  contextNoArgument: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The function has fewer arguments.',
    sentence: (name: string, arg: number) => `func '${name}' doesn't have ${arg + 1}-th argument`,
  },
  contextResultType: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The result of this type cannot be read by this attach type.',
    sentence: (btf: Btf, type: number) => `ret type ${kindName(btf, type)} not allowed for fmod_ret`,
  },
  contextNotPointer: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Only numbers and pointers can be read from the context.',
    sentence: (name: string, arg: number, btf: Btf, type: number) =>
      `func '${name}' arg${arg} '${logName(btf, type)}' has type ${kindName(btf, type)}. Only pointer access is allowed`,
  },
  contextSize: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Pointers are read as a whole.',
    sentence: (name: string, size: number) => `func '${name}' size ${size} must be 8`,
  },
  contextArgumentType: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The type of this argument is not known.',
    sentence: (off: number) => `invalid btf_id for context argument offset ${off}`,
  },
  contextNotStruct: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The argument points to no struct.',
    sentence: (name: string, arg: number, btf: Btf, struct: number) =>
      `func '${name}' arg${arg} type ${kindName(btf, struct)} is not a struct`,
  },
  dummyOpsAccess: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: "Of this program's arguments one type can be written to.",
    sentence: () => `only access to bpf_dummy_ops_state is supported`,
  },
  writeOutside: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The write lies outside of the struct.',
    sentence: (off: number, size: number) => `write access at off ${off} with size ${size}`,
  },
  writeBeyondMember: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The write goes over the end of a member.',
    sentence: (off: number, size: number, end: number) =>
      `write access at off ${off} with size ${size} beyond the member of tcp_sock ended at ${end}`,
  },
  writeNotSupported: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The member cannot be written to.',
    sentence: (off: number) => `no write support to tcp_sock at off ${off}`,
  },
  contextWithoutPrototype: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    silent: true,
    means: "The result can be read where the function's prototype is known.",
    sentence: () => 'the function has no prototype',
  },
  contextOfTraced: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    silent: true,
    means: 'The context of the traced program has no type of its own.',
    sentence: () => 'the context of the traced program is of an unknown type',
  },
  connectionWrite: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    silent: true,
    means: 'Programs of this type write to no field of kernel structures.',
    sentence: () => 'kernel structures can only be read',
  },
  dummyOpsUnknown: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    silent: true,
    means: 'The kernel has no such struct.',
    sentence: () => 'the kernel has no struct bpf_dummy_ops_state',
  },
});
