/** Arithmetic, moves, constants and jumps. */
import { decimalS } from '../domain/u64.js';
import type { ReadonlyReg } from '../state.js';
import { aluName } from '../../isa/disassemble.js';
import { regTypeName } from '../log/register.js';
import { tnumText } from '../domain/tnum.js';
import { EINVAL, EACCES } from '../errno.js';
import { catalogue } from './refusal.js';

export const ARITHMETIC = catalogue({
  unknownAluOpcode: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'The arithmetic instruction has no such operation.',
    sentence: (opcode: number) => `invalid BPF_ALU opcode ${opcode.toString(16)}`,
  },
  aluReservedFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Fields that this arithmetic instruction does not use must be zero.',
    sentence: (name: string) => `${name} uses reserved fields`,
  },
  pointerNegated: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Negating or swapping the bytes of a pointer makes no pointer.',
    sentence: (regno: number) => `R${regno} pointer arithmetic prohibited`,
  },
  pointerCutByMove: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'A 32-bit move would keep half of a pointer.',
    sentence: (regno: number) => `R${regno} partial copy of pointer`,
  },
  arenaCastSpaces: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: "Address spaces are cast between the arena's (1) and the kernel's (0) alone.",
    sentence: () => `addr_space_cast insn can only convert between address space 1 and 0`,
  },
  arenaCastWithoutArena: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: "A cast into the arena's address space needs a map of type arena in the program.",
    sentence: () => `addr_space_cast insn can only be used in a program that has an associated arena`,
  },
  pointerSignExtended: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Sign extension would keep a part of a pointer.',
    sentence: (regno: number) => `R${regno} sign-extension part of pointer`,
  },
  divisionByZero: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'The divisor is the constant 0.',
    sentence: () => `div by zero`,
  },
  shiftTooWide: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: "The constant is not smaller than the operand's width in bits.",
    sentence: (imm: number) => `invalid shift ${imm}`,
  },
  pointersCombined: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Two pointers can be subtracted from each other at most.',
    sentence: (regno: number, operation: number) => `R${regno} pointer ${aluName(operation)} pointer prohibited`,
  },
  mayGotoFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'A may_goto jumps by its offset, and has no immediate operand.',
    sentence: (off: number, imm: number) => `invalid may_goto off ${off} imm ${imm}`,
  },
  jumpReservedFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Fields that this jump does not use must be zero.',
    sentence: () => `BPF_JMP/JMP32 uses reserved fields`,
  },
  pointerComparison: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: "Pointers of these kinds cannot be compared: the result would tell the kernel's addresses.",
    sentence: (regno: number) => `R${regno} pointer comparison prohibited`,
  },
  unknownJumpOpcode: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'The jump has no such condition.',
    sentence: (opcode: number) => `invalid BPF_JMP/JMP32 opcode ${opcode.toString(16)}`,
  },
  callbackWithoutInfo: {
    class: 'BTF',
    errno: EINVAL,
    means: 'The address of a function can only be loaded where the program has function information.',
    sentence: () => `missing btf func_info`,
  },
  callbackNotStatic: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'A callback must be a static function.',
    sentence: () => `callback function not static`,
  },
  callbackIsMain: {
    class: 'ARGUMENT_TYPE',
    errno: EINVAL,
    means: 'The main program cannot be a callback.',
    sentence: () => `callback function cannot be the main program`,
  },
  immediateLoadSize: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Only 64-bit constants can be loaded in this way.',
    sentence: () => `invalid BPF_LD_IMM insn`,
  },
  immediateLoadFields: {
    class: 'MALFORMED_INSTRUCTION',
    errno: EINVAL,
    means: 'Fields that a 64-bit constant load does not use must be zero.',
    sentence: () => `BPF_LD_IMM64 uses reserved fields`,
  },
  pointerArithmetic32: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Arithmetic on the low half of a pointer loses the pointer.',
    sentence: (regno: number) => `R${regno} 32-bit pointer arithmetic prohibited`,
  },
  arithmeticOnNullable: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'A pointer that may be null must be compared with null before it is moved.',
    sentence: (regno: number, type: number) =>
      `R${regno} pointer arithmetic on ${regTypeName(type)} prohibited, null-check it first`,
  },
  arithmeticOnFixedPointer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'A pointer of this kind cannot be moved.',
    sentence: (regno: number, type: number) => `R${regno} pointer arithmetic on ${regTypeName(type)} prohibited`,
  },
  scalarMinusPointer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'A pointer cannot be subtracted from a number.',
    sentence: (regno: number) => `R${regno} tried to subtract pointer from scalar`,
  },
  stackPointerSubtraction: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'A stack pointer is moved down by adding a negative number.',
    sentence: (regno: number) => `R${regno} subtraction from stack pointer prohibited`,
  },
  bitwiseOnPointer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'AND, OR and XOR with a pointer make no pointer.',
    sentence: (regno: number, operation: number) =>
      `R${regno} bitwise operator ${aluName(operation)} on pointer prohibited`,
  },
  operatorOnPointer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Pointers can be added to and subtracted from, nothing else.',
    sentence: (regno: number, operation: number) =>
      `R${regno} pointer arithmetic with ${aluName(operation)} operator prohibited`,
  },
  mapPointerLeavesValue: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: "Without CAP_PERFMON a pointer into a map's value must stay inside of it.",
    sentence: (regno: number) => `R${regno} pointer arithmetic of map value goes out of range, prohibited for !root`,
  },
  stackPointerVaries: {
    class: 'MEMORY_ACCESS',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON a stack pointer must be moved by a known distance.',
    sentence: (regno: number, reg: ReadonlyReg, off: number) =>
      `R${regno} variable stack access prohibited for !root, var_off=${tnumText(reg)} off=${off}`,
  },
  stackPointerLeavesStack: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON a stack pointer must stay inside of the stack.',
    sentence: (regno: number, off: number) =>
      `R${regno} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}`,
  },
  mixedSigns: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON the direction in which a pointer moves must be known.',
    sentence: (regno: number) =>
      `R${regno} has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for !root`,
  },
  notPushed: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'The path on which the distance is cut to zero could not be put off.',
    sentence: (regno: number) =>
      `R${regno} could not be pushed for speculative verification, pointer arithmetic with it prohibited for !root`,
  },
  unmaskablePointer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON pointers to the stack and into map values alone move by unknown distances.',
    sentence: (regno: number) =>
      `R${regno} has pointer with unsupported alu operation, pointer arithmetic with it prohibited for !root`,
  },
  beyondPointerBounds: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means: 'Without CAP_PERFMON a pointer must stay inside of its object.',
    sentence: (regno: number, adds: boolean) =>
      `R${regno} tried to ${adds ? 'add' : 'sub'} beyond pointer bounds, pointer arithmetic with it prohibited for !root`,
  },
  masksDiffer: {
    class: 'POINTER_ARITHMETIC',
    errno: EACCES,
    register: true,
    means:
      'Without CAP_PERFMON one instruction moves one kind of pointer by one distance: the mask is fixed in the code.',
    sentence: (regno: number, adds: boolean) =>
      `R${regno} tried to ${adds ? 'add' : 'sub'} from different maps, paths or scalars, pointer arithmetic with it prohibited for !root`,
  },
  movedTooFar: {
    class: 'POINTER_ARITHMETIC',
    errno: EINVAL,
    means: 'The distance is so large that offsets could overflow.',
    sentence: (type: number, hi: number, lo: number) =>
      `math between ${regTypeName(type)} pointer and ${decimalS(hi, lo)} is not allowed`,
  },
  offsetTooLarge: {
    class: 'POINTER_ARITHMETIC',
    errno: EINVAL,
    means: 'The pointer’s offset is so large that offsets could overflow.',
    sentence: (type: number, off: number) => `${regTypeName(type)} pointer offset ${off} is not allowed`,
  },
  movedUnbounded: {
    class: 'POINTER_ARITHMETIC',
    errno: EINVAL,
    means: 'The distance has no lower bound.',
    sentence: (type: number) =>
      `math between ${regTypeName(type)} pointer and register with unbounded min value is not allowed`,
  },
  leastTooLow: {
    class: 'POINTER_ARITHMETIC',
    errno: EINVAL,
    means: 'The smallest distance is so large that offsets could overflow.',
    sentence: (type: number, hi: number, lo: number) =>
      `value ${decimalS(hi, lo)} makes ${regTypeName(type)} pointer be out of bounds`,
  },
});
