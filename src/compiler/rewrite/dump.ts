/**
 * The translated program as the kernel shows it (bpf_insn_prepare_dump: what `bpftool prog dump xlated` prints).
 *
 * The kernel hides its internal opcodes: PROBE_MEM and PROBE_MEM32 are plain accesses again, tail calls are calls (other
 * internal modes it forgets to hide). Calls between functions show the callee's number in the immediate and the distance
 * in the offset; addresses of functions show distance and number in the two immediates. Maps show as maps.
 */
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import type { SymbolRef } from './program.js';
import { functionAt, type Draft } from './draft.js';
import * as helper from '../targets/helper-ids.js';
import { branchTarget, refersToFunction } from './sequence.js';

export interface Dump {
  readonly insns: Instructions;
  /** Slots whose immediates are addresses: those of the draft but for maps. */
  readonly symbols: ReadonlyMap<number, SymbolRef>;
}

export function dumpTranslated(draft: Draft, arenaMap: number): Dump {
  const insns = draft.insns.clone();
  for (let i = 0; i < insns.length; i++) {
    if (draft.functions.length > 1 && refersToFunction(draft.insns, i)) showFunction(draft, insns, i);
    else insns.setOpcode(i, shownOpcode(insns.opcode(i)));
    if (draft.insns.opcode(i) === (isa.JMP | isa.TAIL_CALL)) insns.setImm(i, helper.TAIL_CALL);
    if (insns.opcode(i) === isa.LD_IMM64) i++;
  }
  const symbols = new Map<number, SymbolRef>();
  for (const [i, symbol] of draft.symbols) {
    if (insns.opcode(i) === isa.LD_IMM64) insns.setSrc(i, shownSource(symbol, arenaMap));
    if (insns.opcode(i) !== isa.LD_IMM64 || insns.src(i) === 0) symbols.set(i, symbol);
    else if (symbol.kind === 'map') setImmediates(insns, i, symbol.index, 0);
    else if (symbol.kind === 'mapValue') setImmediates(insns, i, symbol.index, symbol.addend);
  }
  return { insns, symbols };
}

function shownOpcode(opcode: number): number {
  if (opcode === (isa.JMP | isa.TAIL_CALL)) return isa.JMP | isa.CALL;
  const cls = opcode & isa.CLASS_MASK;
  const mode = opcode & isa.MODE_MASK;
  const plain = cls | isa.MEM | (opcode & isa.SIZE_MASK);
  if (cls === isa.LDX && mode === isa.PROBE_MEM) return plain;
  const isAccess = cls === isa.LDX || cls === isa.ST || cls === isa.STX;
  return isAccess && mode === isa.PROBE_MEM32 ? plain : opcode;
}

function showFunction(draft: Draft, insns: Instructions, i: number): void {
  const callee = functionAt(draft, branchTarget(draft.insns, i));
  const distance = draft.insns.imm(i);
  if (insns.opcode(i) === isa.LD_IMM64) {
    setImmediates(insns, i, distance, callee);
    return;
  }
  insns.setOff(i, distance);
  insns.setImm(i, callee);
}

/** The kernel recognises a map by its address, and an array (not an arena) by that of its values. */
function shownSource(symbol: SymbolRef, arenaMap: number): number {
  if (symbol.kind === 'map') return isa.PSEUDO_MAP_FD;
  return symbol.kind === 'mapValue' && symbol.index !== arenaMap ? isa.PSEUDO_MAP_VALUE : 0;
}

function setImmediates(insns: Instructions, i: number, first: number, second: number): void {
  insns.setImm(i, first);
  insns.setImm(i + 1, second);
}
