/** What the verifier itself would call its own bug while it looks for what must be precise. */
import { regTypeName } from '../log/register.js';
import { EFAULT } from '../errno.js';
import { catalogue } from './refusal.js';

export const PRECISION = catalogue({
  backtrackEntry: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier has entered too many functions.',
    sentence: (frame: number) => `BUG subprog enter from frame ${frame}`,
  },
  backtrackExit: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier has left the main program.',
    sentence: () => `BUG subprog exit from frame 0`,
  },
  backtrackRegisters: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier is left with arguments of a call.',
    sentence: (registers: number) => `BUG regs ${registers.toString(16)}`,
  },
  backtrackSlots: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier is left with stack slots of a call.',
    sentence: (slots: string) => `BUG stack slots ${slots}`,
  },
  livenessType: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'A register is read that is in an impossible state.',
    sentence: (type: number, value: number, off: number) =>
      `verifier BUG type ${regTypeName(type)} var_off ${value} off ${off}`,
  },
  precisionEntry: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: "Following precision back, the verifier is left with registers at a function's entry.",
    sentence: (subprog: number, wanted: number, slots: string) =>
      `BUG backtracking func entry subprog ${subprog} reg_mask ${wanted.toString(16)} stack_mask ${slots}`,
  },
  precisionSlot: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier was led to a stack slot that does not exist.',
    sentence: (slot: number, count: number) => `BUG backtracking (stack slot ${slot}, total slots ${count})`,
  },
  precisionInstruction: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    means: 'Following precision back, the verifier has left the program.',
    sentence: (i: number) => `BUG backtracking idx ${i}`,
  },
  backtrackCall: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'Following precision back, the verifier has come to a call of no function.',
    sentence: () => 'no function starts where the call leads',
  },
  preciseNoScalar: {
    class: 'VERIFIER_BUG',
    errno: EFAULT,
    silent: true,
    means: 'What is to be precise is no number.',
    sentence: () => 'a register that is no number was to be precise',
  },
});
