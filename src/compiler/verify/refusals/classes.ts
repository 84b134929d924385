/** Classes of refusals, as `failure.code` names them to machines: what to look at, whatever the sentence says. */
export const CLASSES = {
  ARGUMENT_TYPE: 'an argument of a call is not what the function takes',
  ATTACH_TARGET: 'the program cannot be attached there, or not in this way',
  BTF: 'BTF, function or line information is wrong or missing',
  CALL_NOT_ALLOWED: 'the function cannot be called by this program, or not here',
  CONTROL_FLOW: 'jumps, unreachable code, the end of functions',
  LOCKING: 'locks, RCU sections, preemption',
  MALFORMED_INSTRUCTION: 'no such instruction, or not with these fields',
  MAP_NOT_ALLOWED: 'the map cannot be used by this program, or not in this way',
  MEMORY_ACCESS: 'an access lies outside of its object, or is not allowed',
  MISALIGNED: 'an address is not a multiple of the access’s size',
  POINTER_ARITHMETIC: 'arithmetic or comparisons that pointers do not allow',
  POINTER_LEAK: 'an address of the kernel’s would get out',
  REFERENCE: 'an object is not released, or released without being held',
  RETURN_VALUE: 'the result is not one that the program may have',
  STACK_DEPTH: 'the functions use more stack than there is',
  TOO_COMPLEX: 'a limit of the verifier’s own',
  UNINITIALIZED: 'a register or stack slot is read before it is written',
  UNSUPPORTED: 'this service cannot judge the program yet; the kernel might accept it',
  VERIFIER_BUG: 'the kernel’s verifier would call it a bug of its own',
} as const;

export type RefusalClass = keyof typeof CLASSES;
