/** Machine code as text, with the BPF instruction and the source line that it comes from beside it. */
import { disassemble, type DisassemblyNames } from '../isa/disassemble.js';
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import type { CompiledFunction, ExceptionEntry, JitFunction, SymbolRef } from '../jit/program.js';
import type { MachineInstruction } from './machine-code.js';
import { symbolName } from './object/symbol-names.js';

/** A BPF instruction as the JIT was given it, and where its code begins. */
export interface ListedInstruction {
  /** In bytes from the function's start. */
  readonly offset: number;
  /** Slot of the function's instructions. */
  readonly slot: number;
  readonly text: string;
}

/** One machine instruction with what it comes from. */
export interface ListedCode extends MachineInstruction {
  /** The BPF instructions whose code begins here: several where some have none. */
  readonly instructions: readonly ListedInstruction[];
  /** `file:line text`, where a source line begins here. */
  readonly source: string | null;
  /** What happens where this instruction faults. */
  readonly exception: ExceptionEntry | null;
}

interface SourceLine {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The BPF side of a listing. `maps` name the program's maps, in the order its symbols count them. */
export function listInstructions(
  fn: JitFunction,
  code: CompiledFunction,
  maps: readonly { readonly name: string }[],
): ListedInstruction[] {
  const listed: ListedInstruction[] = [];
  const insns = withoutProbes(fn.instructions);
  const names = namesOf(fn, maps);
  for (let slot = 0; slot < insns.length; slot++) {
    listed.push({ offset: code.offsets[slot]!, slot, text: instructionText(fn, insns, slot, names) });
    if (insns.opcode(slot) === isa.LD_IMM64) slot++;
  }
  return listed;
}

/** A listing of a function's code, whose machine instructions are `code` cut (`cutCode`). */
export function listCode(
  compiled: CompiledFunction,
  code: readonly MachineInstruction[],
  instructions: readonly ListedInstruction[],
  lines: readonly SourceLine[],
): ListedCode[] {
  const begins = new Map<number, ListedInstruction[]>();
  for (const one of instructions) begins.set(one.offset, [...(begins.get(one.offset) ?? []), one]);
  const sources = new Map(lines.map((one) => [one.offset, `${one.file}:${one.line} ${one.text}`.trimEnd()]));
  const exceptions = new Map(compiled.exceptionTable.map((one) => [one.offset, one]));
  return code.map((one) => ({
    ...one,
    instructions: begins.get(one.offset) ?? [],
    source: sources.get(one.offset) ?? null,
    exception: exceptions.get(one.offset) ?? null,
  }));
}

/** The same instructions with the kernel's internal access modes as the ordinary ones they behave like. */
function withoutProbes(instructions: Instructions): Instructions {
  const out = instructions.clone();
  for (let i = 0; i < out.length; i++) {
    const opcode = out.opcode(i);
    if (opcode === isa.LD_IMM64) i++;
    else out.setOpcode(i, ordinaryMode(opcode));
  }
  return out;
}

function ordinaryMode(opcode: number): number {
  const cls = opcode & isa.CLASS_MASK;
  if (cls !== isa.LDX && cls !== isa.ST && cls !== isa.STX) return opcode;
  const rest = opcode & ~isa.MODE_MASK;
  switch (opcode & isa.MODE_MASK) {
    case isa.PROBE_MEM:
    case isa.PROBE_MEM32:
      return rest | isa.MEM;
    case isa.PROBE_MEMSX:
      return rest | isa.MEMSX;
    case isa.PROBE_ATOMIC:
      return rest | isa.ATOMIC;
    default:
      return opcode;
  }
}

function symbolText(symbol: SymbolRef, maps: readonly { readonly name: string }[]): string {
  const addend = 'addend' in symbol && symbol.addend !== 0 ? `+${symbol.addend}` : '';
  return symbolName(symbol, maps, 'program') + addend;
}

function namesOf(fn: JitFunction, maps: readonly { readonly name: string }[]): DisassemblyNames {
  return {
    helper: () => null,
    kernelFunction: (id) => String(id),
    immediate: (slot) => {
      const symbol = fn.symbols.get(slot);
      if (symbol !== undefined) return symbolText(symbol, maps);
      const value = (BigInt(fn.instructions.imm(slot + 1) >>> 0) << 32n) | BigInt(fn.instructions.imm(slot) >>> 0);
      return `0x${value.toString(16)}`;
    },
  };
}

function instructionText(fn: JitFunction, insns: Instructions, slot: number, names: DisassemblyNames): string {
  const opcode = insns.opcode(slot);
  const symbol = fn.symbols.get(slot);
  if (opcode === (isa.JMP | isa.CALL) && symbol !== undefined) return `call ${symbolText(symbol, [])}`;
  if (opcode === (isa.JMP | isa.TAIL_CALL)) return 'tail_call';
  return disassemble(insns, slot, names)
    .replace(/^\([0-9a-f]{2}\) /, '')
    .trim();
}
