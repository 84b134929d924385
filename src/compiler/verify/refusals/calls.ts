/** Arguments of calls, and calls of helpers. */
import type { Profile } from '../../targets/profile.js';
import type { Btf } from '../../btf/btf.js';
import { regTypeName } from '../log/register.js';
import { helperName, helperLabel } from '../kernel/helper-name.js';
import { decimalS } from '../domain/u64.js';
import { EINVAL, EFAULT, EACCES, ENOTSUPP } from '../errno.js';
import { catalogue } from './refusal.js';

export const CALLS = catalogue({
  releasedAtOffset: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: 'What is released or trusted must be passed by the pointer that was handed out.',
    sentence: (regno: number) => `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`,
  },
  argumentKindUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The prototype asks for an argument that the verifier does not know.',
    sentence: (argType: number) => `verifier internal error: unsupported arg type ${argType}`,
  },
  argumentType: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The register holds something else than what the function takes.',
    sentence: (regno: number, type: number, compatible: readonly number[]) =>
      `R${regno} type=${regTypeName(type)} expected=${compatible.map(regTypeName).join(', ')}`,
  },
  writesReadOnlyArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The function may write to memory that the program may only read.',
    sentence: (regno: number, profile: Profile, helperId: number, type: number) =>
      `${helperName(profile, helperId)}() may write into memory pointed by R${regno} type=${regTypeName(type)}`,
  },
  allocatedArgumentUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The function takes objects that the program allocated, and the verifier has no rule for it.',
    sentence: () => `verifier internal error: unimplemented handling of MEM_ALLOC`,
  },
  objectArgumentUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A pointer to a kernel object carries flags that the verifier has no rule for.',
    sentence: () => `verifier internal error: invalid PTR_TO_BTF_ID register for type match`,
  },
  helperArgumentNullable: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: 'The pointer must be compared with null before it is passed.',
    sentence: (regno: number) => `Possibly NULL pointer passed to helper arg${regno}`,
  },
  argumentObjectType: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The register points to a kernel object of another type.',
    sentence: (regno: number, name: string, kernel: Btf, wanted: number) =>
      `R${regno} is of type ${name} but ${kernel.typeName(wanted)} is expected`,
  },
  stringNotReadOnly: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The string must lie in a map that neither programs nor user space can write to.',
    sentence: (regno: number) => `R${regno} does not point to a readonly map'`,
  },
  stringNotConstant: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'Where the string lies must be known.',
    sentence: (regno: number) => `R${regno} is not a constant address'`,
  },
  noDirectValue: {
    class: 'MAP_NOT_ALLOWED',
    means: 'The contents of this map are not known when the program is verified.',
    sentence: () => `no direct value access support for this map type`,
  },
  stringUnreadable: {
    class: 'MEMORY_ACCESS',
    means: "The string does not lie inside of the map's value.",
    sentence: () => `direct value access on string failed`,
  },
  stringUnterminated: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'No zero byte ends the string.',
    sentence: () => `string is not zero-terminated`,
  },
  formatStringUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The format string cannot be found.',
    sentence: () => `verifier bug`,
  },
  formatStringInvalid: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The format string holds a conversion that does not exist, or one without an argument.',
    sentence: () => `Invalid format string`,
  },
  helperPacketAccess: {
    class: 'CALL_NOT_ALLOWED',
    errno: EACCES,
    means: 'Helpers cannot be given pointers into packets by programs of this type.',
    sentence: () => `helper access to the packet is not allowed`,
  },
  mapTypeWithoutMap: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The type of an argument depends on a map that is not known.',
    sentence: () => `invalid map_ptr to access map->type`,
  },
  socketMapArgument: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The helper does not take this argument with socket maps.',
    sentence: () => `invalid arg_type for sockmap/sockhash`,
  },
  dynptrNotOwned: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'The dynptr was handed to the program, which cannot release it.',
    sentence: () => `cannot release unowned const bpf_dynptr`,
  },
  releasesUnacquired: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'What is released was never acquired.',
    sentence: (regno: number) => `arg ${regno} is an unacquired reference`,
  },
  releasesWithoutReference: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: 'What is released must be held with a reference.',
    sentence: (regno: number) => `R${regno} must be referenced when passed to release function`,
  },
  twoReleases: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A call releases one argument at most.',
    sentence: () => `verifier internal error: more than one release argument`,
  },
  twoReferences: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    register: true,
    means: 'A call takes one argument with a reference at most.',
    sentence: (regno: number, id: number, other: number) =>
      `verifier internal error: more than one arg with ref_obj_id R${regno} ${id} ${other}`,
  },
  keyWithoutMap: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The size of a key depends on a map that is not known.',
    sentence: () => `invalid map_ptr to access map->key`,
  },
  lockInTreeCallback: {
    class: 'LOCKING',
    errno: EACCES,
    means: "A tree's lock is held while its callback runs.",
    sentence: () => `can't spin_{lock,unlock} in rbtree cb`,
  },
  argumentNotConstant: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The argument must be a number that is known.',
    sentence: (regno: number) => `R${regno} is not a known constant'`,
  },
  timerOfOtherMap: {
    class: 'MAP_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The timer must lie in a value of the map that is passed with it.',
    sentence: (timerUid: number, mapUid: number) =>
      `timer pointer in R1 map_uid=${timerUid} doesn't match map pointer in R2 map_uid=${mapUid}`,
  },
  valueWithoutMap: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'The size of a value depends on a map that is not known.',
    sentence: () => `invalid map_ptr to access map->value`,
  },
  percpuArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The register points to no per-CPU object.',
    sentence: (regno: number) => `Helper has invalid btf_id in R${regno}`,
  },
  noSuchHelper: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The kernel has no helper of that number.',
    sentence: (profile: Profile, id: number) => `invalid func ${helperLabel(profile, id)}`,
  },
  helperNotForType: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Programs of this type cannot call this helper.',
    sentence: (profile: Profile, id: number) => `program of this type cannot use helper ${helperLabel(profile, id)}`,
  },
  helperNeedsGpl: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The helper can be called by programs under a licence compatible with the GPL alone.',
    sentence: () => `cannot call GPL-restricted function from non-GPL compatible program`,
  },
  helperNotAllowed: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The helper cannot be called where this program is attached.',
    sentence: () => `helper call is not allowed in probe`,
  },
  helperMightSleep: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The program is not sleepable, and the helper might sleep.',
    sentence: () => `helper call might sleep in a non-sleepable prog`,
  },
  helperSleepsInSection: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The helper might sleep, which nothing may in this section.',
    sentence: (profile: Profile, id: number, section: string) =>
      `sleepable helper ${helperLabel(profile, id)} in ${section}`,
  },
  functionIpProgramType: {
    class: 'CALL_NOT_ALLOWED',
    errno: ENOTSUPP,
    means: 'The address of the traced function is known to some program types alone.',
    sentence: (profile: Profile, id: number, progType: number) =>
      `func ${helperLabel(profile, id)} not supported for program type ${progType}`,
  },
  functionIpAttachType: {
    class: 'CALL_NOT_ALLOWED',
    errno: ENOTSUPP,
    means: 'The address of the traced function is known at some attach types alone.',
    sentence: (profile: Profile, id: number) =>
      `func ${helperLabel(profile, id)} supported only for fentry/fexit/fmod_ret programs`,
  },
  helperWithoutMap: {
    class: 'VERIFIER_BUG',
    errno: EINVAL,
    means: 'The helper works on a map, and none was passed.',
    sentence: () => `kernel subsystem misconfigured verifier`,
  },
  writeIntoReadOnlyMap: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Programs may only read this map.',
    sentence: () => `write into map forbidden`,
  },
  constDynptrReleased: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A dynptr that was handed to the program cannot be released.',
    sentence: () => `verifier internal error: CONST_PTR_TO_DYNPTR cannot be released`,
  },
  helperReleasesUnknown: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'What is released was never acquired in this function.',
    sentence: (profile: Profile, id: number) =>
      `func ${helperLabel(profile, id)} reference has not been acquired before`,
  },
  helperObjectType: {
    class: 'VERIFIER_BUG',
    errno: EINVAL,
    means: 'The helper returns an object of an unknown type.',
    sentence: (retType: number, profile: Profile, id: number) =>
      `invalid return type ${retType} of func ${helperLabel(profile, id)}`,
  },
  helperResultSize: {
    class: 'BTF',
    errno: EINVAL,
    means: "The size of what the helper's result points to is not known.",
    sentence: (btf: Btf, typeId: number) => `unable to resolve the size of type '${btf.typeName(typeId)}': -${EINVAL}`,
  },
  helperResultUnknown: {
    class: 'VERIFIER_BUG',
    errno: EINVAL,
    means: 'The helper returns something that the verifier does not know.',
    sentence: (retType: number, profile: Profile, id: number) =>
      `unknown return type ${retType} of func ${helperLabel(profile, id)}`,
  },
  helperTwoReferences: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A call yields one reference at most.',
    sentence: (profile: Profile, id: number) =>
      `verifier internal error: func ${helperLabel(profile, id)} sets ref_obj_id more than once`,
  },
  tailCallInLock: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The lock would stay held in the next program.',
    sentence: () => `tail_call cannot be used inside bpf_spin_lock-ed region`,
  },
  tailCallLeaks: {
    class: 'REFERENCE',
    errno: EINVAL,
    means: 'The program ends with the tail call, and still holds a reference.',
    sentence: () => `tail_call would lead to reference leak`,
  },
  tailCallInRcu: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'The RCU section would stay open in the next program.',
    sentence: () => `tail_call cannot be used inside bpf_rcu_read_lock-ed region`,
  },
  tailCallInPreempt: {
    class: 'LOCKING',
    errno: EINVAL,
    means: 'Preemption would stay disabled in the next program.',
    sentence: () => `tail_call cannot be used inside bpf_preempt_disable-ed region`,
  },
  dynptrWithoutId: {
    class: 'VERIFIER_BUG',
    means: 'The dynptr cannot be found.',
    sentence: () => `verifier internal error: failed to obtain dynptr id`,
  },
  dynptrReferenceSet: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A call yields one reference at most.',
    sentence: () => `verifier internal error: meta.ref_obj_id already set`,
  },
  percpuWithoutType: {
    class: 'ARGUMENT_TYPE',
    errno: EFAULT,
    means: 'R1 points to no per-CPU object of a known type.',
    sentence: () => `Helper has invalid btf/btf_id in R1`,
  },
  storageFlags: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'This helper takes no flags.',
    sentence: () => `get_local_storage() doesn't support non-zero flags`,
  },
  dynptrFromMemory: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: "A dynptr can be made of a map's value alone.",
    sentence: (type: number) => `Unsupported reg type ${regTypeName(type)} for bpf_dynptr_from_mem data`,
  },
  lsmSetsVoidResult: {
    class: 'RETURN_VALUE',
    errno: EINVAL,
    means: 'The hook returns nothing, so that there is nothing to set.',
    sentence: () => `BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!`,
  },
  sizeNegative: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The size may be negative.',
    sentence: (regno: number) => `R${regno} min value is negative, either use unsigned or 'var &= const'`,
  },
  sizeZero: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The size may be zero, and the function reads at least a byte.',
    sentence: (regno: number, uminHi: number, uminLo: number, umaxHi: number, umaxLo: number) =>
      `R${regno} invalid zero-sized read: u64=[${decimalS(uminHi, uminLo)},${decimalS(umaxHi, umaxLo)}]`,
  },
  sizeUnbounded: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The size has no upper bound.',
    sentence: (regno: number) => `R${regno} unbounded memory access, use 'var &= const' or 'if (var < const)'`,
  },
  writesReadOnly: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The memory can only be read.',
    sentence: (regno: number, type: number) => `R${regno} cannot write into ${regTypeName(type)}`,
  },
  memoryArgumentType: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    register: true,
    means: 'The register points to no memory that a function can be given.',
    sentence: (regno: number, type: number, expected: number) =>
      `R${regno} type=${regTypeName(type)} expected=${regTypeName(expected)}`,
  },
  dynptrWithoutType: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'The dynptr that is written to has no type.',
    sentence: () => 'the type of the dynptr is not known',
  },
  releasesNothing: {
    class: 'REFERENCE',
    errno: EINVAL,
    silent: true,
    means: 'What is released must be held with a reference, or be null.',
    sentence: () => 'nothing is held by what is released',
  },
  stringNotInMap: {
    class: 'VERIFIER_BUG',
    errno: EINVAL,
    silent: true,
    means: 'The string must lie in a map.',
    sentence: () => 'the string does not lie in a map',
  },
  formatArguments: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    silent: true,
    means: 'The arguments of a format string are 8 bytes each.',
    sentence: () => 'the size of the arguments of the format string is no multiple of 8',
  },
  contextOfNoSize: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    silent: true,
    means: 'The function is given no byte of the context, and wants at least one.',
    sentence: () => 'no byte of the context is passed',
  },
});
