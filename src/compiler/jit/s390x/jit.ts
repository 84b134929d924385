/**
 * The s390x JIT, to the byte what Linux 6.12 generates.
 *
 * Its code does not depend on addresses, which are all literals behind it (layout.ts), but on itself: branches and literals'
 * addressing are shorter where the distance is short, and the registers and frame that the prologue sets up are those that
 * the body uses. The kernel walks over a function four times: first with the longest forms, twice with what the walk before
 * found, and finally to write the code, where what has become shorter once more is filled up with nops. So do we, since
 * where it ends is not always the shortest.
 *
 * With a `link`, instructions carry their final immediates, as the kernel hands them to its JIT (link/resolve.ts fills
 * them in): calls count from __bpf_call_base, LD_IMM64 holds the address. An immediate that still stands for a symbol
 * becomes a literal with a relocation (docs/relocations.md); without a link, all do.
 */
import * as isa from '../../isa/opcodes.js';
import { fail, ok, type Failure, type Outcome } from '../../outcome.js';
import type { CompiledFunction, JitProgram } from '../program.js';
import { ENTRY_ALIGNMENT, exceptionEntries } from './exception-table.js';
import { align, type Layout } from './layout.js';
import { lowerAlu } from './lower/alu.js';
import { lowerAtomic } from './lower/atomic.js';
import { lowerCall } from './lower/call.js';
import { emitEpilogue, emitPrologue, skip } from './lower/frame.js';
import { lowerExit, lowerJump } from './lower/jump.js';
import { lowerLoad, lowerStore, lowerStoreNumber } from './lower/memory.js';
import { lowerTailCall } from './lower/tail-call.js';
import { isCovered } from './lower/zero-extension.js';
import { emitPlt } from './plt.js';
import { MACHINE_REGISTER } from './registers.js';
import { FunctionState, LONGEST_LOWERING, type JitOptions, type Walk } from './state.js';

export type { JitOptions } from './state.js';

/** Not supported (kernel-internal), what the kernel answers where its JIT gives up. */
const ENOTSUPP = -524;

const WALKS: readonly Walk[] = ['first', 'measuring', 'measuring', 'final'];

/**
 * Compiles every function of a program. Fails with UNSUPPORTED_INSTRUCTION, or with BRANCH_TOO_FAR where the kernel's
 * walks do not come to an end.
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
  for (const walk of WALKS) {
    s.walk = walk;
    const broken = walkFunction(s);
    if (broken !== null) return fail(broken);
  }
  const table = s.faults.length === 0 ? 0 : align(s.layout.size, ENTRY_ALIGNMENT);
  return ok({
    name: s.fn.name,
    code: s.code.toBytes(),
    exceptionTable: exceptionEntries(s.faults, table),
    exceptionTableOffset: table,
    relocations: s.relocations,
    offsets: s.starts,
  });
}

/** One walk; answers why it cannot be made. */
function walkFunction(s: FunctionState): Failure | null {
  s.code.length = 0;
  s.literals.clear();
  s.faults.length = 0;
  s.relocations.length = 0;
  if (s.arenaMap >= 0) addArenaAddress(s);
  s.code.reserve(LONGEST_LOWERING);
  emitPrologue(s);
  const broken = place(s, 0) ? emitBody(s) : tooFar(s);
  if (broken !== null) return broken;
  const exit = s.code.length;
  s.code.reserve(LONGEST_LOWERING);
  const thunk = emitEpilogue(s);
  const plt = emitPlt(s);
  s.layout = placeLiterals(s, exit, thunk, plt);
  return null;
}

/** Puts the literals behind the code; in the final walk they stay where the walk before has put them. */
function placeLiterals(s: FunctionState, exit: number, thunk: number, plt: number): Layout {
  const { code, literals } = s;
  const end = code.length;
  const literals32 = literals.bytes32 === 0 ? end : align(end, 4);
  const behind32 = literals32 + literals.bytes32;
  const literals64 = literals.bytes64 === 0 ? behind32 : align(behind32, 8);
  if (s.walk === 'final') literals.write(code, literals32, literals64, s.relocations);
  return { exit, thunk, plt, literals32, literals64, size: literals64 + literals.bytes64 };
}

/** Lowers every slot and notes where each begins; answers what it could not lower. */
function emitBody(s: FunctionState): Failure | null {
  const { instructions } = s.fn;
  const count = instructions.length;
  let i = 0;
  while (i < count) {
    const opcode = instructions.opcode(i);
    s.code.reserve(LONGEST_LOWERING);
    let next = i + 1;
    if (opcode === isa.LD_IMM64) {
      loadConstant(s, i);
      next++;
    } else {
      if (!lowerInstruction(s, i, opcode)) return unsupported(s, i, opcode);
      if (isCovered(instructions, next)) next++;
    }
    if (!place(s, next)) return tooFar(s);
    while (++i < next) s.starts[i] = s.starts[next]!;
  }
  return null;
}

/**
 * Notes that slot `slot` begins here. Code may become shorter from walk to walk; in the final one, nops keep what follows
 * in its place. False where it has become longer: then the kernel gives up.
 */
function place(s: FunctionState, slot: number): boolean {
  const before = s.starts[slot]!;
  if (s.walk === 'final' && s.code.length < before) skip(s, before - s.code.length);
  if (s.walk !== 'first' && s.code.length > before) return false;
  s.starts[slot] = s.code.length;
  return true;
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
      // Stores are not bypassed speculatively on s390x: the barrier is no instruction.
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
    default:
      return lowerJump(s, i, opcode);
  }
}

/** LD_IMM64: a literal of its own. */
function loadConstant(s: FunctionState, i: number): void {
  const { instructions, symbols } = s.fn;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const symbol = symbols.get(i);
  if (symbol !== undefined) s.loadSymbol(rd, symbol);
  else s.loadLiteral64(rd, instructions.imm(i + 1), instructions.imm(i));
}

/** Where the arena is mapped in the kernel: the first 64-bit literal, there whether anything uses it or not. */
function addArenaAddress(s: FunctionState): void {
  const arena = s.options.link?.arena ?? null;
  if (arena === null) s.literals.addSymbol({ kind: 'arena', index: s.arenaMap, side: 'kernel' });
  else s.literals.add64(arena.kernel.hi, arena.kernel.lo);
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
  const message = 'the code became longer while its branches were made shorter';
  return { stage: 'JIT', code: 'BRANCH_TOO_FAR', message, errno: ENOTSUPP, subprogram: s.fn.name };
}
