/** Accesses to the stack. */
import type { ReadonlyReg } from '../state.js';
import { tnumText } from '../domain/tnum.js';
import { EACCES, EINVAL } from '../errno.js';
import { catalogue } from './refusal.js';

export const STACK = catalogue({
  stackUnbounded: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'The stack is accessed at an offset without bounds.',
    sentence: (regno: number, use: string) => `invalid unbounded variable-offset${use} stack R${regno}`,
  },
  outsideStack: {
    class: 'MEMORY_ACCESS',
    register: true,
    means: 'The access lies outside of the stack.',
    sentence: (regno: number, constant: boolean, use: string, reg: ReadonlyReg, off: number, size: number) =>
      `invalid${constant ? '' : ' variable-offset'}${use} stack R${regno}${constant ? '' : ` var_off=${tnumText(reg)}`} off=${off} size=${size}`,
  },
  zeroSizedRead: {
    class: 'ARGUMENT_TYPE',
    errno: EACCES,
    means: 'Nothing would be read.',
    sentence: () => `invalid zero-sized read`,
  },
  stackVariableUnprivileged: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON the stack is accessed at known offsets alone.',
    sentence: (regno: number, use: string, reg: ReadonlyReg) =>
      `R${regno}${use === 'helper' ? ' indirect' : ''} variable offset stack access prohibited for !root, var_off=${tnumText(reg)}`,
  },
  overDynptr: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A function would write over a dynptr.',
    sentence: (at: number) => `potential write to dynptr at off=${at} disallowed`,
  },
  stackUninitialised: {
    class: 'UNINITIALIZED',
    errno: EACCES,
    register: true,
    means: 'Bytes of the stack are read that were never written.',
    sentence: (
      regno: number,
      byHelper: boolean,
      constant: boolean,
      min: number,
      reg: ReadonlyReg,
      at: number,
      size: number,
    ) =>
      `invalid${byHelper ? ' indirect' : ''} read from stack R${regno} ${constant ? `off ${min}` : `var_off ${tnumText(reg)}`}+${at} size ${size}`,
  },
  stackVariableHelper: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A function is given the stack at known offsets alone.',
    sentence: (reg: ReadonlyReg, off: number, size: number) =>
      `variable offset stack pointer cannot be passed into helper function; var_off=${tnumText(reg)} off=${off} size=${size}`,
  },
  stackPointerLeak: {
    class: 'POINTER_LEAK',
    errno: EACCES,
    means: 'A pointer kept on the stack would be read as a number.',
    sentence: (off: number) => `leaking pointer from stack off ${off}`,
  },
  fillSize: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer kept on the stack is read as a whole.',
    sentence: () => `invalid size of register fill`,
  },
  stackBytesUninitialised: {
    class: 'UNINITIALIZED',
    errno: EACCES,
    means: 'Bytes of the stack are read that were never written.',
    sentence: (off: number, at: number, size: number) => `invalid read from stack off ${off}+${at} size ${size}`,
  },
  corruptsPointer: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'Without CAP_PERFMON a pointer kept on the stack is not written over in part.',
    sentence: () => `attempt to corrupt spilled pointer on stack`,
  },
  spillSize: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    means: 'A pointer is stored as a whole.',
    sentence: () => `invalid size of register spill`,
  },
  spillsStackPointer: {
    class: 'POINTER_LEAK',
    errno: EINVAL,
    means: "The caller's stack would point to a stack that is gone.",
    sentence: () => `cannot spill pointers to stack into stack frame of the caller`,
  },
  variableOverPointer: {
    class: 'MEMORY_ACCESS',
    errno: EINVAL,
    unterminated: true,
    means: 'A store at an unknown offset could hit a pointer kept on the stack.',
    sentence: (insn: number, at: number) =>
      `spilled ptr in range of var-offset stack write; insn ${insn}, ptr off: ${at}`,
  },
});
