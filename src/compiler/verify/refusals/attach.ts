/** Where programs are attached, and what they return. */
import { I32_MAX, I32_MIN, decimalS } from '../domain/u64.js';
import type { ReadonlyReg } from '../state.js';
import type { Btf } from '../../btf/btf.js';
import { kindName } from '../../btf/print.js';
import { regTypeName } from '../log/register.js';
import { EINVAL, EOPNOTSUPP, ENOENT, ENOTSUPP, EACCES } from '../errno.js';
import { catalogue } from './refusal.js';

/** What is known of a result. */
function knownRange(reg: ReadonlyReg): string {
  const hasMin = reg.sminHi !== I32_MIN || reg.sminLo !== 0;
  const hasMax = reg.smaxHi !== I32_MAX || reg.smaxLo !== -1;
  if (!hasMin && !hasMax) return ' unknown scalar value';
  const min = hasMin ? ` smin=${decimalS(reg.sminHi, reg.sminLo)}` : '';
  return hasMax ? `${min} smax=${decimalS(reg.smaxHi, reg.smaxLo)}` : min;
}

export const ATTACH = catalogue({
  replacesStatic: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'An extension can replace global functions alone.',
    sentence: () => `Cannot replace static functions`,
  },
  extensionChangesPacket: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The original function leaves packet data alone, and callers rely on it.',
    sentence: () => `Extension program changes packet data, while original does not`,
  },
  tracingNestedTwice: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The traced program is a tracing program that already traces one.',
    sentence: () => `Cannot nest tracing program attach more than once`,
  },
  attachesToOwnKind: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A program cannot be attached to one of its own type.',
    sentence: () => `Cannot recursively attach`,
  },
  extendsTracing: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs attached to function entries and exits cannot be extended.',
    sentence: () => `Cannot extend fentry/fexit`,
  },
  noSuchTargetFunction: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The program to attach to has no function of that name.',
    sentence: (name: string) => `Subprog ${name} doesn't exist`,
  },
  attachesToExceptionCallback: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Exception callbacks can neither be traced nor replaced.',
    sentence: (isExtension: boolean) =>
      `${isExtension ? 'Extension' : 'FENTRY/FEXIT'} programs cannot attach to exception callback`,
  },
  prototypeTooManyArguments: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The function takes more arguments than a trampoline passes on.',
    sentence: (name: string, count: number) => `The function ${name} has ${count} arguments. Too many.`,
  },
  prototypeReturnType: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A trampoline cannot pass on a result of this type.',
    sentence: (name: string, kind: string) => `The function ${name} return type ${kind} is unsupported.`,
  },
  prototypeVariadic: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A trampoline cannot pass on variable arguments.',
    sentence: (name: string) => `The function ${name} with variable args is unsupported.`,
  },
  prototypeArgumentType: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A trampoline cannot pass on an argument of this type.',
    sentence: (name: string, i: number, kind: string) => `The function ${name} arg${i} type ${kind} is unsupported.`,
  },
  prototypeVoidArgument: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'An argument of no size stands in the prototype.',
    sentence: (name: string) => `The function ${name} has malformed void argument.`,
  },
  tracepointNotTypedef: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The id that names a raw tracepoint must be that of a typedef.',
    sentence: (id: number) => `attach_btf_id ${id} is not a typedef`,
  },
  tracepointTypedefName: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: "A raw tracepoint's typedef has a name with a certain prefix.",
    sentence: (id: number, btf: Btf) => `attach_btf_id ${id} points to wrong type name ${btf.typeName(id)}`,
  },
  targetResultTooWide: {
    class: 'ATTACH_TARGET',
    errno: EOPNOTSUPP,
    means: "The function's result is wider than a register, which this attach type does not support.",
    sentence: (btf: Btf, id: number) =>
      `Attach to function ${btf.typeName(id)} with a >8 byte return value is not supported for this attach type`,
  },
  targetWithoutAddress: {
    class: 'ATTACH_TARGET',
    errno: ENOENT,
    means: "The kernel's symbols do not hold the function.",
    sentence: (btf: Btf, id: number) => `The address of function ${btf.typeName(id)} cannot be found`,
  },
  targetNotSleepable: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A sleepable program can only be attached to functions that may sleep.',
    sentence: (btf: Btf, id: number) => `${btf.typeName(id)} is not sleepable`,
  },
  targetNotModifiable: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The function is none whose result programs may change.',
    sentence: (btf: Btf, id: number) => `${btf.typeName(id)}() is not modifiable`,
  },
  tracedProgramNotSleepable: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'A sleepable program can only trace functions that may sleep.',
    sentence: (name: string) => `${name} is not sleepable`,
  },
  tracedProgramResult: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The result of a BPF program cannot be changed by another.',
    sentence: () => `can't modify return codes of BPF programs`,
  },
  targetNotFunction: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: "The id that names the function to attach to is not a function's.",
    sentence: (id: number) => `attach_btf_id ${id} is not a function`,
  },
  tracingWithoutTarget: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Tracing programs are loaded for one function, which has to be named.',
    sentence: () => `Tracing programs must provide btf_id`,
  },
  targetWithoutBtf: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The program to attach to was loaded without BTF.',
    sentence: () => `FENTRY/FEXIT program can only be attached to another program annotated with BTF`,
  },
  noSuchTargetId: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The BTF has no type of that id.',
    sentence: (id: number) => `attach_btf_id ${id} is invalid`,
  },
  extensionOfKernel: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Extensions replace functions of BPF programs, not of the kernel.',
    sentence: () => `Cannot replace kernel functions`,
  },
  attachTypeForPrograms: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Of all attach types two can be used with BPF programs as their targets.',
    sentence: () => `Only FENTRY/FEXIT progs are attachable to another BPF prog`,
  },
  structOpsLicense: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs that implement kernel operations must be under a licence compatible with the GPL.',
    sentence: () => `struct ops programs must have a GPL compatible license`,
  },
  structOpsUnknownStruct: {
    class: 'ATTACH_TARGET',
    errno: ENOTSUPP,
    means: 'No subsystem of this kernel has operations of that type.',
    sentence: (id: number) => `attach_btf_id ${id} is not a supported struct`,
  },
  structOpsMemberIndex: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The struct of operations has no member of that index.',
    sentence: (member: number, struct: string) => `attach to invalid member idx ${member} of struct ${struct}`,
  },
  structOpsMemberNoFunction: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The member is not a pointer to a function.',
    sentence: (name: string, member: number, struct: string) =>
      `attach to invalid member ${name}(@idx ${member}) of struct ${struct}`,
  },
  structOpsMemberUnsupported: {
    class: 'ATTACH_TARGET',
    means: 'The subsystem does not let programs implement this member.',
    sentence: (name: string, struct: string) => `attach to unsupported member ${name} of struct ${struct}`,
  },
  lsmLicense: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs on security hooks must be under a licence compatible with the GPL.',
    sentence: () => `LSM programs must have a GPL compatible license`,
  },
  lsmHookDisabled: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs cannot be attached to this security hook.',
    sentence: (id: number, name: string) => `attach_btf_id ${id} points to disabled hook ${name}`,
  },
  lsmHookName: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The id does not name a security hook.',
    sentence: (id: number, name: string) => `attach_btf_id ${id} points to wrong type name ${name}`,
  },
  attachesToNoReturn: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'What follows a function that never returns cannot be traced.',
    sentence: () => `Attaching fexit/fmod_ret to __noreturn functions is rejected.`,
  },
  syscallNotSleepable: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs of this type run where they may sleep, and have to be loaded so.',
    sentence: () => `Syscall programs can only be sleepable`,
  },
  typeNotSleepable: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Programs of this type run where they must not sleep.',
    sentence: () => `Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable`,
  },
  extensionArgumentKind: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The argument has another kind in the function that is replaced.',
    sentence: (
      ownName: string,
      ownBtf: Btf,
      own: number,
      targetName: string,
      targetBtf: Btf,
      target: number,
      i: number,
    ) => `arg${i} in ${ownName}() is ${kindName(ownBtf, own)} while ${targetName}() has ${kindName(targetBtf, target)}`,
  },
  extensionArgumentSize: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The argument has another size in the function that is replaced.',
    sentence: (ownName: string, size: number, targetName: string, targetSize: number, i: number) =>
      `arg${i} in ${ownName}() has size ${size} while ${targetName}() has ${targetSize}`,
  },
  extensionArgumentUnknown: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The argument is of a type that extensions cannot have.',
    sentence: (ownName: string, i: number) => `arg${i} in ${ownName}() has unrecognized type`,
  },
  extensionArgumentNoContext: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Pointers are passed to extensions as contexts alone.',
    sentence: (ownName: string, i: number) => `arg${i} in ${ownName}() is not a pointer to context`,
  },
  extensionArgumentStruct: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The argument points to another struct in the function that is replaced.',
    sentence: (
      ownName: string,
      ownBtf: Btf,
      own: number,
      targetName: string,
      targetBtf: Btf,
      target: number,
      i: number,
    ) =>
      `arg${i} ${ownName}(struct ${ownBtf.typeName(own)} *) doesn't match ${targetName}(struct ${targetBtf.typeName(target)} *)`,
  },
  extensionWithoutBtf: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The types of an extension are compared with those of what it replaces.',
    sentence: () => `Program extension requires BTF`,
  },
  extensionNotGlobal: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'An extension, and what it replaces, must be global functions.',
    sentence: (btf: Btf, id: number) => `${btf.typeName(id)}() is not a global function`,
  },
  extensionArgumentCount: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The extension takes another number of arguments than what it replaces.',
    sentence: (btf: Btf, id: number, count: number, targetBtf: Btf, targetId: number, targetCount: number) =>
      `${btf.typeName(id)}() has ${count} args while ${targetBtf.typeName(targetId)}() has ${targetCount} args`,
  },
  extensionResultType: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'The extension returns another type than what it replaces.',
    sentence: (kind: string, btf: Btf, id: number, targetKind: string, targetBtf: Btf, targetId: number) =>
      `Return type ${kind} of ${btf.typeName(id)}() doesn't match type ${targetKind} of ${targetBtf.typeName(targetId)}()`,
  },
  resultNotKnown: {
    class: 'RETURN_VALUE',
    errno: EINVAL,
    register: true,
    means: 'The result must be a number, and the register holds none.',
    sentence: (regno: number, place: string, type: number) =>
      `${place} the register R${regno} is not a known value (${regTypeName(type)})`,
  },
  lsmVoidResult: {
    class: 'RETURN_VALUE',
    errno: EINVAL,
    means: 'The hook returns nothing, so that there is nothing for the program to change.',
    sentence: () => `Note, BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!`,
  },
  resultLeaksPointer: {
    class: 'POINTER_LEAK',
    errno: EACCES,
    register: true,
    means: "The result would show an address of the kernel's to the process.",
    sentence: (regno: number) => `R${regno} leaks addr as return value`,
  },
  subprogramResultNotScalar: {
    class: 'RETURN_VALUE',
    errno: EINVAL,
    register: true,
    means: 'A global function must return a number.',
    sentence: (regno: number, type: number) =>
      `At subprogram exit the register R${regno} is not a scalar value (${regTypeName(type)})`,
  },
  structOpsWithoutStruct: {
    class: 'ATTACH_TARGET',
    errno: ENOTSUPP,
    silent: true,
    means: 'Programs that implement kernel operations name the struct of them.',
    sentence: () => 'the program names no struct of operations',
  },
  targetDenied: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'Functions that tracing itself runs cannot be traced.',
    sentence: () => 'the function cannot be traced',
  },
  noSuchIterator: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'The function is none that an iterator is defined by.',
    sentence: () => 'the kernel has no iterator of that function',
  },
  noSuchTracepoint: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'The kernel has no tracepoint of that name.',
    sentence: () => 'the kernel has no such tracepoint',
  },
  tracepointPrototype: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'The type that describes the tracepoint is no function.',
    sentence: () => 'the tracepoint has no prototype',
  },
  targetPrototype: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'The function to attach to has no prototype.',
    sentence: () => 'the function has no prototype',
  },
  attachTypeWithoutTarget: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    silent: true,
    means: 'Programs of this attach type are attached to nothing that BTF describes.',
    sentence: () => 'the attach type has no such targets',
  },
  exitWithAttachType: {
    class: 'RETURN_VALUE',
    errno: ENOTSUPP,
    silent: true,
    means: 'What programs of this attach type may return is not defined.',
    sentence: () => 'programs of this attach type cannot exit',
  },
  resultOutsideRange: {
    class: 'RETURN_VALUE',
    errno: EINVAL,
    register: true,
    means: 'The result must lie in a range, on every path.',
    sentence: (regno: number, reg: ReadonlyReg, place: string, min: number, max: number) =>
      `${place} the register R${regno} has${knownRange(reg)} should have been in [${min}, ${max}]`,
  },
  extensionInterpreted: {
    class: 'ATTACH_TARGET',
    errno: EINVAL,
    means: 'Extensions replace machine code, which this kernel does not make.',
    sentence: () => 'Extension programs should be JITed',
  },
});
