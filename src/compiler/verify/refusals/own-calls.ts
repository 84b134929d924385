/** Calls of the program’s own functions and callbacks. */
import { EINVAL, EFAULT, EACCES, E2BIG, ENOTSUPP } from '../errno.js';
import { catalogue } from './refusal.js';

export const OWN_CALLS = catalogue({
  argumentNullable: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The function expects a pointer that was compared with null.',
    sentence: (i: number) => `arg#${i} is expected to be non-NULL`,
  },
  contextArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: "The function expects the program's context.",
    sentence: (i: number) => `arg#${i} expects pointer to ctx`,
  },
  arenaArgument: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    register: true,
    means: 'The function expects a pointer into the arena.',
    sentence: (regno: number) => `R${regno} is not a pointer to arena or scalar.`,
  },
  functionArgumentUnknown: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The verifier has no rule for arguments of this type.',
    sentence: (i: number, type: number) => `verifier bug: unrecognized arg#${i} type ${type}`,
  },
  globalCallInLock: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Global functions are verified on their own, as if no lock were held.',
    sentence: () => `global function calls are not allowed while holding a lock,\nuse static function instead`,
  },
  globalCallInPreempt: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'Global functions are verified on their own, as if preemption were enabled.',
    sentence: () => `global function calls are not allowed with preemption disabled,\nuse static function instead`,
  },
  globalCallArguments: {
    class: 'ARGUMENT_TYPE',
    means: "The arguments do not fit the global function's prototype.",
    sentence: (subprog: number, name: string) => `Caller passes invalid args into func#${subprog} ('${name}')`,
  },
  noFunctionAtTarget: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'No function starts where the call leads.',
    sentence: (target: number) => `verifier bug. No program starts at insn ${target}`,
  },
  callbackResultNotScalar: {
    class: 'RETURN_VALUE',
    errno: EACCES,
    means: 'A callback must return a number.',
    sentence: () => `R0 not a scalar value`,
  },
  callbackWithoutCaller: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'The instruction that a callback returns to calls none.',
    sentence: (insnIdx: number, callsite: number) =>
      `BUG: in callback at ${insnIdx}, callsite ${callsite} !calls_callback`,
  },
  returnsStackPointer: {
    class: 'POINTER_LEAK',
    errno: EINVAL,
    means: "The function's stack is gone when it has returned.",
    sentence: () => `cannot return stack pointer to the caller`,
  },
  callStackTooDeep: {
    class: 'TOO_COMPLEX',
    errno: E2BIG,
    means: 'The verifier follows calls up to a depth.',
    sentence: (frames: number) => `the call stack of ${frames + 1} frames is too deep`,
  },
  callbackNotForMap: {
    class: 'ARGUMENT_TYPE',
    errno: ENOTSUPP,
    means: 'The elements of maps of this type cannot be walked.',
    sentence: () => `callback function not allowed for map`,
  },
  exceptionCallbackPrototype: {
    class: 'CALL_NOT_ALLOWED',
    errno: EINVAL,
    means: 'An exception callback takes one number.',
    sentence: () => `exception cb only supports single integer argument`,
  },
  prototypeMissing: {
    class: 'BTF',
    errno: EINVAL,
    silent: true,
    means: "The function's prototype is not known without function information.",
    sentence: () => 'the program has no function information',
  },
  functionWithoutType: {
    class: 'BTF',
    errno: EFAULT,
    silent: true,
    means: 'Each function has a record of function information.',
    sentence: () => 'the function has no type',
  },
  prototypeUnreliable: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    silent: true,
    means: 'The function was called before with arguments that do not fit its prototype.',
    sentence: () => 'the prototype of the function does not tell what it is called with',
  },
  callbackWithoutRoot: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'The tree whose nodes the callback compares is not known.',
    sentence: () => 'the tree of the callback is not known',
  },
  argumentNotSet: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'The verifier does not know what the function is entered with.',
    sentence: () => 'the argument of the function is of an unknown kind',
  },
});
