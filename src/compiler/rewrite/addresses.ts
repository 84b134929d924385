/**
 * What the LD_IMM64 of the program stand for (the verifier's resolve_pseudo_ldimm64, convert_pseudo_ld_imm64).
 *
 * Their source register says it: a map (1, 5), a place in a map's value (2, 6), a kernel variable or function (3), or a
 * function of the program (4), which keeps its distance in the immediate until the program is cut up.
 */
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import type { SymbolRef } from './program.js';
import type { Facts } from '../verify/facts.js';
import type { VerifiedProgram } from '../verify/verify.js';

/**
 * Slot of the LD_IMM64 → symbol, functions of the program left out. An arena's user address that is known already goes
 * straight into `insns`.
 */
export function resolveAddresses(input: VerifiedProgram, insns: Instructions): Map<number, SymbolRef> {
  const symbols = new Map<number, SymbolRef>();
  const { facts } = input;
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) !== isa.LD_IMM64) continue;
    if (isKnownArenaAddress(input, insns.src(i), facts[i]!)) setArenaAddress(insns, i, facts[i]!);
    else {
      const symbol = addressSymbol(insns.src(i), facts[i]!);
      if (symbol !== null) symbols.set(i, symbol);
    }
    i++;
  }
  return symbols;
}

function isKnownArenaAddress(input: VerifiedProgram, pseudo: number, facts: Facts): boolean {
  const isValue = pseudo === isa.PSEUDO_MAP_VALUE || pseudo === isa.PSEUDO_MAP_IDX_VALUE;
  return isValue && facts.immMapIndex === input.arenaMap && input.maps[input.arenaMap]?.spec.mapExtra !== 0n;
}

function setArenaAddress(insns: Instructions, i: number, facts: Facts): void {
  insns.setSrc(i, 0);
  insns.setImm(i, facts.immAddressLo);
  insns.setImm(i + 1, facts.immAddressHi);
}

function addressSymbol(pseudo: number, facts: Facts): SymbolRef | null {
  switch (pseudo) {
    case isa.PSEUDO_MAP_FD:
    case isa.PSEUDO_MAP_IDX:
      return { kind: 'map', index: facts.immMapIndex };
    case isa.PSEUDO_MAP_VALUE:
    case isa.PSEUDO_MAP_IDX_VALUE:
      return { kind: 'mapValue', index: facts.immMapIndex, addend: facts.immMapOff };
    case isa.PSEUDO_BTF_ID:
      return { kind: 'kernel', name: facts.btfVarBtf!.typeName(facts.btfVarId), addend: 0 };
    default:
      return null;
  }
}
