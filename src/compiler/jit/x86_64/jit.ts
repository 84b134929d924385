/**
 * The x86-64 JIT, to the byte what Linux 6.12 generates.
 *
 * A function's code is
 *
 *     prologue · one piece per BPF instruction, the first exit's with the epilogue
 *
 * Every piece but jumps has a length of its own: one walk lowers all of them, leaving jumps out. Then layout.ts finds out how long the jumps
 * are, in the kernel's way, and finish.ts puts everything into its place.
 *
 * With a `link`, instructions carry their final immediates, as the kernel hands them to its JIT (link/resolve.ts fills them in): calls count
 * from __bpf_call_base, LD_IMM64 holds the address. An immediate that still stands for a symbol becomes a fixed sequence with a relocation
 * (docs/relocations.md); without a link, all do.
 */
import * as isa from '../../isa/opcodes.js';
import { fail, ok, type Failure, type Outcome } from '../../outcome.js';
import type { CompiledFunction, JitProgram } from '../program.js';
import { loadFence } from './encode/control.js';
import { finish } from './finish.js';
import { layOut } from './layout.js';
import { lowerAlu } from './lower/alu.js';
import { lowerAtomic } from './lower/atomic.js';
import { lowerCall } from './lower/call.js';
import { loadSymbol, loadWideNumber } from './lower/constants.js';
import { emitPrologue } from './lower/frame.js';
import { lowerExit, lowerJump } from './lower/jump.js';
import { lowerLoad, lowerStore, lowerStoreNumber } from './lower/memory.js';
import { lowerTailCall } from './lower/tail-call.js';
import { MACHINE_REGISTER } from './registers.js';
import { FunctionState, LONGEST_LOWERING, type JitOptions } from './state.js';

/** Not supported (kernel-internal), what the kernel answers where its JIT gives up. */
const ENOTSUPP = -524;

/**
 * Compiles every function of a program. Fails with UNSUPPORTED_INSTRUCTION or BRANCH_TOO_FAR where the kernel's JIT would give up.
 */
export function compileProgram(program: JitProgram, options: JitOptions): Outcome<readonly CompiledFunction[]> {
  const compiled: CompiledFunction[] = [];
  const hasOthers = program.functions.length > 1;
  for (let f = 0; f < program.functions.length; f++) {
    const state = new FunctionState(program.functions[f]!, f, options, program.arenaMap, hasOthers);
    const result = compileFunction(state);
    if (!result.ok) return result;
    compiled.push(result.value);
  }
  return ok(compiled);
}

function compileFunction(s: FunctionState): Outcome<CompiledFunction> {
  emitPrologue(s);
  const broken = emitBody(s);
  if (broken !== null) return fail(broken);
  const layout = layOut(s);
  const finished = layout === null ? null : finish(s, layout);
  return finished === null ? fail(tooFar(s)) : ok(finished);
}

/** Lowers every slot and notes where each begins; answers what it could not lower. */
function emitBody(s: FunctionState): Failure | null {
  const { instructions } = s.fn;
  const { starts, jumpsBefore, jumpAt, code } = s;
  const count = instructions.length;
  for (let i = 0; i < count; i++) {
    starts[i] = code.length;
    jumpsBefore[i] = jumpAt.length;
    code.reserve(LONGEST_LOWERING);
    const opcode = instructions.opcode(i);
    if (opcode === isa.LD_IMM64) {
      loadConstant(s, i++);
      starts[i] = code.length;
      jumpsBefore[i] = jumpAt.length;
    } else if (!lowerInstruction(s, i, opcode)) return unsupported(s, i, opcode);
  }
  starts[count] = code.length;
  jumpsBefore[count] = jumpAt.length;
  return null;
}

/** False for an instruction that the JIT does not know. */
function lowerInstruction(s: FunctionState, i: number, opcode: number): boolean {
  switch (opcode & isa.CLASS_MASK) {
    case isa.ALU:
    case isa.ALU64:
      return lowerAlu(s, i, opcode);
    case isa.LDX:
      return lowerLoad(s, i, opcode);
    case isa.STX: {
      const mode = opcode & isa.MODE_MASK;
      return mode === isa.ATOMIC || mode === isa.PROBE_ATOMIC ? lowerAtomic(s, i, opcode) : lowerStore(s, i, opcode);
    }
    case isa.ST:
      if (opcode !== (isa.ST | isa.NOSPEC)) return lowerStoreNumber(s, i, opcode);
      loadFence(s.code);
      return true;
    case isa.JMP:
    case isa.JMP32:
      return lowerControl(s, i, opcode);
    default:
      return false;
  }
}

function lowerControl(s: FunctionState, i: number, opcode: number): boolean {
  switch (opcode) {
    case isa.JMP | isa.CALL:
      return lowerCall(s, i);
    case isa.JMP | isa.TAIL_CALL:
      lowerTailCall(s, i);
      return true;
    case isa.JMP | isa.EXIT:
      lowerExit(s, i);
      return true;
    default:
      return lowerJump(s, i, opcode);
  }
}

function loadConstant(s: FunctionState, i: number): void {
  const { instructions, symbols } = s.fn;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const symbol = symbols.get(i);
  if (symbol !== undefined) loadSymbol(s, rd, symbol);
  else loadWideNumber(s, rd, instructions.imm(i + 1), instructions.imm(i));
}

function unsupported(s: FunctionState, i: number, opcode: number): Failure {
  return {
    stage: 'JIT',
    code: 'UNSUPPORTED_INSTRUCTION',
    message: `the JIT has no code for opcode 0x${opcode.toString(16).padStart(2, '0')}`,
    errno: ENOTSUPP,
    instruction: s.fn.original[i] ?? -1,
    subprogram: s.fn.name,
  };
}

function tooFar(s: FunctionState): Failure {
  const message = 'jumps come to no rest, or a call goes further than its instruction reaches';
  return { stage: 'JIT', code: 'BRANCH_TOO_FAR', message, errno: ENOTSUPP, subprogram: s.fn.name };
}
