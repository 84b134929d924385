/** BTF that describes the program’s functions and lines. */
import type { Btf } from '../../btf/btf.js';
import { kindName, logName } from '../../btf/print.js';
import { EINVAL, EOPNOTSUPP, EFAULT } from '../errno.js';
import { catalogue } from './refusal.js';

export const TYPE_INFO = catalogue({
  contextTypeNotStruct: {
    class: 'BTF',
    errno: EINVAL,
    means: "The kernel's type of this context is no struct.",
    sentence: (id: number) => `kern ctx type id ${id} is not a struct`,
  },
  kernelBtfMalformed: {
    class: 'BTF',
    errno: EINVAL,
    means: "The kernel's own BTF does not hold the types of contexts.",
    sentence: () => `btf_vmlinux is malformed`,
  },
  contextArgumentPointer: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'An argument that is tagged as context must be a pointer.',
    sentence: (arg: number) => `arg#${arg} type isn't a pointer`,
  },
  contextArgumentName: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The type that an argument tagged as context points to must have a name.',
    sentence: (arg: number) => `arg#${arg} type doesn't have a name`,
  },
  contextArgumentVoid: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The context of this program type has no struct of its own.',
    sentence: (arg: number) => `arg#${arg} should be void pointer`,
  },
  contextArgumentStruct: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: "An argument that is tagged as context must point to the context's struct.",
    sentence: (arg: number, kernel: Btf, struct: number) =>
      `arg#${arg} should be \`struct ${kernel.typeName(struct)} *\``,
  },
  packetLoadWithoutBtf: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Where a program has functions and no BTF, it cannot use the old packet loads.',
    sentence: () => `LD_ABS is not allowed in subprogs without BTF`,
  },
  tailCallWithoutBtf: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Where a program has functions and no BTF, it cannot use tail calls.',
    sentence: () => `tail_call is not allowed in subprogs without BTF`,
  },
  functionInfoFirst: {
    class: 'BTF',
    errno: EINVAL,
    unterminated: true,
    means: 'The first function starts at instruction 0.',
    sentence: (insn: number) => `nonzero insn_off ${insn} for the first func info record`,
  },
  functionInfoOrder: {
    class: 'BTF',
    errno: EINVAL,
    unterminated: true,
    means: 'Function information rises from one record to the next.',
    sentence: (insn: number, previous: number) =>
      `same or smaller insn offset (${insn}) than previous func info record (${previous})`,
  },
  functionInfoType: {
    class: 'BTF',
    errno: EINVAL,
    unterminated: true,
    means: 'The id in function information is that of no function.',
    sentence: (typeId: number) => `invalid type id ${typeId} in func info`,
  },
  functionInfoCount: {
    class: 'BTF',
    errno: EINVAL,
    means: 'There is one record of function information for each function.',
    sentence: () => `number of funcs in func_info doesn't match number of subprogs`,
  },
  functionInfoPlace: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Functions start where function information says.',
    sentence: () => `func_info BTF section doesn't match subprog layout in BPF program`,
  },
  packetLoadResult: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The old packet loads may end the function, with 0 as its result.',
    sentence: () => `LD_ABS is only allowed in functions that return 'int'.`,
  },
  tailCallResult: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'A tail call may end the function, with a number as its result.',
    sentence: () => `tail_call is only allowed in functions that return 'int'.`,
  },
  tagOnStatic: {
    class: 'ARGUMENT_TYPE',
    errno: EOPNOTSUPP,
    means: 'Tags describe the arguments of global functions.',
    sentence: (i: number) => `arg#${i} type tag is not supported in static functions`,
  },
  tagUnknown: {
    class: 'ARGUMENT_TYPE',
    errno: EOPNOTSUPP,
    means: 'There is no such tag.',
    sentence: (i: number) => `arg#${i} has unsupported set of tags`,
  },
  tagsConflict: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'These tags exclude each other.',
    sentence: (i: number) => `arg#${i} has invalid combination of tags`,
  },
  tagTypeUnknown: {
    class: 'ARGUMENT_TYPE',
    means: 'The kernel has no type of that name, or several.',
    sentence: (i: number, btf: Btf, id: number, isNone: boolean) =>
      `arg#${i} reference type('${kindName(btf, id)} ${logName(btf, id)}') ${isNone ? 'has no matches' : 'is ambiguous'}`,
  },
  tagMemorySize: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The size of what the argument points to is not known.',
    sentence: (i: number, btf: Btf, id: number) =>
      `arg#${i} reference type('${kindName(btf, id)} ${btf.typeName(id)}') size cannot be determined: -${EINVAL}`,
  },
  tagArena: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'A pointer into the arena is nothing else.',
    sentence: (i: number) => `arg#${i} arena cannot be combined with any other tags`,
  },
  tagNoPointer: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'Tags describe pointers.',
    sentence: (i: number) => `arg#${i} has pointer tag, but is not a pointer type`,
  },
  functionArgumentType: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Global functions cannot take arguments of this type.',
    sentence: (i: number, btf: Btf, id: number, functionId: number) =>
      `Arg#${i} type ${kindName(btf, id)} in ${btf.typeName(functionId)}() is not supported yet.`,
  },
  functionPrototype: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The function has no prototype.',
    sentence: (btf: Btf, id: number) => `Invalid type of function ${btf.typeName(id)}()`,
  },
  functionTooManyArguments: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Global functions take as many arguments as there are registers for them.',
    sentence: (btf: Btf, id: number, count: number, most: number) =>
      `Global function ${btf.typeName(id)}() with ${count} > ${most} args. Buggy compiler.`,
  },
  functionResult: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Global functions return numbers.',
    sentence: (btf: Btf, id: number) =>
      `Global function ${btf.typeName(id)}() doesn't return scalar. Only those are supported.`,
  },
  functionInfoLost: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Function information was there, and is gone.',
    sentence: () => `Verifier bug`,
  },
  functionWithoutBtf: {
    class: 'BTF',
    errno: EFAULT,
    means: 'Global functions are verified by their prototypes.',
    sentence: () => `Global functions need valid BTF`,
  },
  functionTypeKind: {
    class: 'BTF',
    errno: EFAULT,
    means: 'The id in function information is that of no function.',
    sentence: (index: number) => `BTF of func#${index} doesn't point to KIND_FUNC`,
  },
  functionUnreliable: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: "A function's prototype was found wrong before.",
    sentence: (btf: Btf, id: number) => `Verifier bug in function ${btf.typeName(id)}()`,
  },
  lineInfoOrder: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Line information rises from one record to the next, and ends with the program.',
    sentence: (i: number, insn: number, previous: number, count: number) =>
      `Invalid line_info[${i}].insn_off:${insn} (prev_offset:${previous} prog->len:${count})`,
  },
  lineInfoInsideConstant: {
    class: 'BTF',
    errno: EINVAL,
    means: 'The second half of a 64-bit constant has no line of its own.',
    sentence: (i: number) => `Invalid insn code at line_info[${i}].insn_off`,
  },
  lineInfoStrings: {
    class: 'BTF',
    errno: EINVAL,
    means: "Line information points into the BTF's strings.",
    sentence: (i: number) => `Invalid line_info[${i}].line_off or .file_name_off`,
  },
  lineInfoMissing: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Each function begins with a record of line information.',
    sentence: (index: number) => `missing bpf_line_info for func#${index}`,
  },
  lineInfoMissingRest: {
    class: 'BTF',
    errno: EINVAL,
    means: 'Each function begins with a record of line information.',
    sentence: (missing: number, index: number) =>
      `missing bpf_line_info for ${missing} funcs starting from func#${index}`,
  },
  functionInfoWithoutBtf: {
    class: 'BTF',
    errno: EINVAL,
    silent: true,
    means: "Function information needs the program's BTF.",
    sentence: () => 'function information without BTF',
  },
  functionInfoPrototype: {
    class: 'BTF',
    errno: EINVAL,
    silent: true,
    means: "The function's type has no prototype.",
    sentence: () => 'the function has no prototype',
  },
  staticPrototype: {
    class: 'BTF',
    errno: EINVAL,
    silent: true,
    means: 'The prototype of a static function does not tell all of its arguments.',
    sentence: () => 'the prototype does not tell what the function is called with',
  },
});
