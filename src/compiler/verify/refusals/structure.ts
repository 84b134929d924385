/** Control flow and functions, before anything is walked. */
import { EINVAL, EACCES, EFAULT, E2BIG, EEXIST, ENOENT, EPERM } from '../errno.js';
import { catalogue } from './refusal.js';

export const STRUCTURE = catalogue({
  jumpOutOfRange: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'The jump leaves its function.',
    sentence: (from: number, to: number) => `jump out of range from insn ${from} to ${to}`,
  },
  backEdge: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'Loops need CAP_BPF.',
    sentence: (from: number, to: number) => `back-edge from insn ${from} to ${to}`,
  },
  unreachable: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'No path leads to the instruction.',
    sentence: (i: number) => `unreachable insn ${i}`,
  },
  jumpIntoConstant: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'The second half of a 64-bit constant is no instruction.',
    sentence: (i: number) => `jump into the middle of ldimm64 insn ${i}`,
  },
  packetLoadInCallback: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'The old packet loads may end the function, which a callback must not.',
    sentence: () => `cannot use BPF_LD_[ABS|IND] within callback`,
  },
  tailCallStack: {
    class: 'STACK_DEPTH',
    errno: EACCES,
    means: 'The next program needs stack, too.',
    sentence: (depth: number) =>
      `tail_calls are not allowed when call stack of previous frames is ${depth} bytes. Too large`,
  },
  stackTooLarge: {
    class: 'STACK_DEPTH',
    errno: EACCES,
    means: 'The frames of functions that call each other share 512 bytes of stack.',
    sentence: (calls: number, depth: number) => `combined stack size of ${calls} calls is ${depth}. Too large`,
  },
  asyncTailCall: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A function that runs later makes a tail call.',
    sentence: () => `verifier bug. subprog has tail_call and async cb`,
  },
  exceptionCallbackCalled: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Exception callbacks are run by exceptions alone.',
    sentence: (i: number) => `insn ${i} cannot call exception cb directly`,
  },
  stackCallsTooDeep: {
    class: 'TOO_COMPLEX',
    errno: E2BIG,
    means: 'Functions call each other up to a depth.',
    sentence: (count: number) => `the call stack of ${count} frames is too deep !`,
  },
  tailCallInExceptionCallback: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'An exception callback ends the program.',
    sentence: () => `cannot tail call within exception cb`,
  },
  throwInCallback: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: "A callback's caller could not be unwound.",
    sentence: (i: number, index: number) =>
      `bpf_throw kfunc (insn ${i}) cannot be called from callback subprog ${index}`,
  },
  callOutside: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'The call leads out of the program.',
    sentence: () => `call to invalid destination`,
  },
  tooManyFunctions: {
    class: 'TOO_COMPLEX',
    errno: E2BIG,
    means: 'A program has as many functions as the kernel lets it.',
    sentence: () => `too many subprograms`,
  },
  exceptionCallbackTwice: {
    class: 'BTF',
    errno: EEXIST,
    means: 'A program has one exception callback.',
    sentence: () => `multiple exception callback tags for main subprog`,
  },
  exceptionCallbackMissing: {
    class: 'BTF',
    errno: ENOENT,
    means: 'The tag names a function that the BTF does not hold.',
    sentence: (name: string) => `exception callback '${name}' could not be found in BTF`,
  },
  exceptionCallbackStatic: {
    class: 'BTF',
    errno: EINVAL,
    means: 'An exception callback is a global function.',
    sentence: (name: string) => `exception callback '${name}' must have global linkage`,
  },
  exceptionCallbackInfo: {
    class: 'BTF',
    errno: EINVAL,
    means: 'The exception callback has no function information.',
    sentence: () => `exception callback type id not found in func_info`,
  },
  exceptionCallbackMain: {
    class: 'BTF',
    errno: EINVAL,
    means: 'The main program cannot be its own exception callback.',
    sentence: () => `invalid exception callback insn_off in func_info: 0`,
  },
  functionsPrivilege: {
    class: 'CALL_NOT_ALLOWED',
    errno: EPERM,
    means: 'Functions and kernel functions can be called with CAP_BPF alone.',
    sentence: () => `loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN`,
  },
  fallsThrough: {
    class: 'CONTROL_FLOW',
    errno: EINVAL,
    means: 'A function ends with an exit or a jump.',
    sentence: () => `last insn is not an exit or jmp`,
  },
  noFunctionThere: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'No function starts where the call leads.',
    sentence: () => 'no function starts where the call leads',
  },
  walkTooDeep: {
    class: 'TOO_COMPLEX',
    errno: E2BIG,
    silent: true,
    means: 'The program is too long to be walked.',
    sentence: () => 'the walk over the program is too deep',
  },
  gotoByRegister: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    silent: true,
    means: 'Jumps lead to fixed places.',
    sentence: () => 'jumps by a register are not defined',
  },
});
