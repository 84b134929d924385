/** Calls of kernel functions and of the program's own, and jumps into the kernel. All are relative to the function's own address. */
import { PSEUDO_CALL } from '../../../isa/opcodes.js';
import { addOffset, type Address } from '../../address.js';
import { BEHIND_DISTANCE, countCall } from '../encode/call-depth.js';
import { call, longJump } from '../encode/control.js';
import { loadFar } from '../encode/memory.js';
import { RAX, RBP } from '../encode/registers.js';
import type { SymbolRef } from '../../program.js';
import type { FunctionState } from '../state.js';

/** What the immediates of calls count from. */
const CALL_BASE = '__bpf_call_base';
/** The structure in which each CPU keeps what is used most, with the count of calls. */
const PER_CPU = 'pcpu_hot';
const DISTANCE_BYTES = 4;

/** Where a function keeps the pointer to the count of tail calls, from its frame pointer. */
export function tailCountPointer(s: FunctionState): number {
  return -16 - s.stackBytes;
}

/** Lowers a call; false where nothing says what it calls. */
export function lowerCall(s: FunctionState, i: number): boolean {
  const { instructions, symbols } = s.fn;
  const symbol = symbols.get(i);
  if (symbol !== undefined) {
    callFunction(s, null, symbol);
    return true;
  }
  const { link } = s.options;
  const imm = instructions.imm(i);
  if (link === null) return false;
  if (instructions.src(i) === PSEUDO_CALL && s.hasOthers) {
    const index = instructions.off(i);
    callFunction(s, link.functions[index] ?? null, { kind: 'function', index });
    return true;
  }
  // The kernel refuses a call of __bpf_call_base itself: nobody has filled in what to call.
  if (imm === 0) return false;
  callFunction(s, addOffset(link.callBase, imm), { kind: 'kernel', name: CALL_BASE, addend: imm });
  return true;
}

/** Calls `target`, or what a linker makes of `symbol` where that address is null. */
function callFunction(s: FunctionState, target: Address | null, symbol: SymbolRef): void {
  const { cpu, offsets, countsItself } = s.options;
  // A function that may do tail calls is handed where they are counted.
  if (s.fn.tailCallReachable) loadFar(s.code, RAX, RBP, tailCountPointer(s));
  if (cpu.stuffing && offsets.callDepth >= 0 && !countsItself(target, symbol)) countThisCall(s);
  call(s.code, 0);
  reach(s, target, symbol, 0);
}

/** Counts a call in the CPU's own count, for the return stack buffer to be filled before it runs out. */
function countThisCall(s: FunctionState): void {
  const { options } = s;
  const symbol: SymbolRef = { kind: 'kernel', name: PER_CPU, addend: options.offsets.callDepth };
  const base = options.link?.symbol(PER_CPU) ?? null;
  countCall(s.code, 0);
  reach(s, base === null ? null : addOffset(base, options.offsets.callDepth), symbol, BEHIND_DISTANCE);
}

function addendOf(symbol: SymbolRef): number {
  return 'addend' in symbol ? symbol.addend : 0;
}

/**
 * The 32 bits that stand `behind` bytes before the end become the distance from there to `target`; where that or the function's own address is
 * not known, a linker's.
 */
function reach(s: FunctionState, target: Address | null, symbol: SymbolRef, behind: number): void {
  const at = s.code.length - DISTANCE_BYTES - behind;
  if (target !== null && s.address !== null) s.leadTo(at, behind === 0 ? target : addOffset(target, -behind));
  else s.relocate(at, 'R_X86_64_PC32', symbol, addendOf(symbol) - DISTANCE_BYTES - behind);
}

/** A jump to a function of the kernel. */
export function jumpToKernel(s: FunctionState, name: string): void {
  longJump(s.code, 0);
  reach(s, s.options.link?.symbol(name) ?? null, { kind: 'kernel', name, addend: 0 }, 0);
}
