/**
 * The arm64 JIT, to the byte what Linux 6.12 generates.
 *
 * A function's code is
 *
 *     prologue · one piece per BPF instruction · epilogue · long-jump stub
 *
 * and depends on addresses in two ways: 64-bit immediates take as many instructions as their value needs, and a call is
 * one BL within 128 MiB and four instructions beyond. Neither depends on where in the function a branch goes, so one walk
 * places everything; forward branches are filled in at the end. The kernel walks several times; that shows in two
 * places. It sets the exception table's place after its first walk, in which every call counts four instructions; and it
 * refuses a branch that does not fit in any walk (`passes.ts`).
 *
 * With a `link`, instructions carry their final immediates, as the kernel hands them to its JIT (link/resolve.ts fills
 * them in): calls count from __bpf_call_base, LD_IMM64 holds the address. An immediate that still stands for a symbol
 * becomes a fixed sequence with relocations (docs/relocations.md); without a link, all do.
 */
import * as isa from '../../isa/opcodes.js';
import { fail, ok, type Failure, type Outcome } from '../../outcome.js';
import type { CompiledFunction, JitProgram } from '../program.js';
import { exceptionEntries } from './exception-table.js';
import { lowerAlu } from './lower/alu.js';
import { lowerAtomic } from './lower/atomic.js';
import { lowerCall, lowerTailCall } from './lower/call.js';
import { loadKernelAddress, loadSymbol, loadWideNumber } from './lower/constants.js';
import { emitEpilogue, emitPrologue } from './lower/frame.js';
import { lowerExit, lowerJump, resolveJumps } from './lower/jump.js';
import { lowerLoad, lowerStore, lowerStoreNumber } from './lower/memory.js';
import { estimatedWords, fitsFirstPasses } from './passes.js';
import { MACHINE_REGISTER } from './registers.js';
import { FunctionState, LONGEST_LOWERING, type JitOptions } from './state.js';
import { emitStub, STUB_TARGET_BYTES, withStub } from './stub.js';

export type { JitOptions } from './state.js';

/** Not supported (kernel-internal), what the kernel answers where its JIT gives up. */
const ENOTSUPP = -524;

/**
 * Compiles every function of a program. Fails with UNSUPPORTED_INSTRUCTION or BRANCH_TOO_FAR where the kernel's JIT would
 * give up.
 */
export function compileProgram(program: JitProgram, options: JitOptions): Outcome<readonly CompiledFunction[]> {
  const compiled: CompiledFunction[] = [];
  const isAlone = program.functions.length === 1;
  for (let f = 0; f < program.functions.length; f++) {
    const state = new FunctionState(program.functions[f]!, f, options, program.arenaMap, isAlone);
    const result = compileFunction(state);
    if (!result.ok) return result;
    compiled.push(result.value);
  }
  return ok(compiled);
}

function compileFunction(s: FunctionState): Outcome<CompiledFunction> {
  s.code.reserve(LONGEST_LOWERING);
  emitPrologue(s);
  const broken = emitBody(s);
  if (broken !== null) return fail(broken);
  s.code.reserve(LONGEST_LOWERING);
  emitEpilogue(s);
  const estimate = withStub(estimatedWords(s, s.code.length));
  emitStub(s);
  if (!fitsFirstPasses(s, estimate) || !resolveJumps(s)) return fail(tooFar(s));
  const table = s.faults.length === 0 ? 0 : 4 * estimate + STUB_TARGET_BYTES;
  return ok({
    name: s.fn.name,
    code: s.code.toBytes(),
    exceptionTable: exceptionEntries(s.faults, table),
    exceptionTableOffset: table,
    relocations: s.relocations,
    offsets: s.starts.map((word) => word * 4),
  });
}

/** Lowers every slot and notes where each begins; answers what it could not lower. */
function emitBody(s: FunctionState): Failure | null {
  const { instructions } = s.fn;
  const { starts, code } = s;
  const count = instructions.length;
  for (let i = 0; i < count; i++) {
    starts[i] = code.length;
    code.reserve(LONGEST_LOWERING);
    const opcode = instructions.opcode(i);
    if (opcode === isa.LD_IMM64) {
      loadConstant(s, i);
      starts[++i] = code.length;
    } else if (!lowerInstruction(s, i, opcode)) return unsupported(s, i, opcode);
  }
  starts[count] = code.length;
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
      // Firmware handles speculative store bypass on arm64: the barrier is no instruction.
      return opcode === (isa.ST | isa.NOSPEC) || lowerStoreNumber(s, i, opcode);
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
      lowerTailCall(s);
      return true;
    case isa.JMP | isa.EXIT:
      lowerExit(s, i);
      return true;
    case isa.JMP32 | isa.JA:
      return s.options.longJumps && lowerJump(s, i, opcode);
    default:
      return lowerJump(s, i, opcode);
  }
}

/** LD_IMM64. A function's address has a fixed length, since functions are placed while others are compiled. */
function loadConstant(s: FunctionState, i: number): void {
  const { instructions, symbols } = s.fn;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const symbol = symbols.get(i);
  const value = { hi: instructions.imm(i + 1), lo: instructions.imm(i) };
  if (symbol !== undefined) loadSymbol(s, rd, symbol);
  else if (instructions.src(i) === isa.PSEUDO_FUNC) loadKernelAddress(s, rd, value);
  else loadWideNumber(s, rd, value.hi, value.lo);
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
  const message = 'a branch goes further than its instruction reaches';
  return { stage: 'JIT', code: 'BRANCH_TOO_FAR', message, errno: ENOTSUPP, subprogram: s.fn.name };
}
