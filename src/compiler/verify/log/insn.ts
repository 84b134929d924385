/** Instructions as the log shows them. */
import { disassemble } from '../../isa/disassemble.js';
import type { DisassemblyNames } from '../../isa/disassemble.js';
import * as op from '../../isa/opcodes.js';
import { functionBtf } from '../kernel/functions.js';
import type { Env } from '../env.js';
import { hex64 } from './numbers.js';

/** Names of what the program calls, and addresses of what it loads. */
function namesOf(env: Env): DisassemblyNames {
  return {
    helper: (id) => env.profile.helperName(id),
    kernelFunction: (id, off) => {
      const btf = functionBtf(env, off);
      if (btf === null) return '<error>';
      return btf.has(id) ? btf.typeName(id) : '';
    },
    immediate: (i) => immediateText(env, i),
  };
}

/** LD_IMM64's value. Maps lie where only a running kernel knows: their addresses are shown as 0. */
function immediateText(env: Env, i: number): string {
  const { insns } = env;
  const src = insns.src(i);
  const facts = env.facts[i]!;
  if (!env.allowPtrLeaks && (src === op.PSEUDO_BTF_ID || facts.immMapIndex >= 0)) return '0x0';
  if (src === op.PSEUDO_BTF_ID && facts.btfVarBtf !== null) {
    const address = env.profile.symbols.address(facts.btfVarBtf.typeName(facts.btfVarId));
    if (address !== null) return hex64(address[0] | 0, address[1] | 0);
  }
  if (facts.immMapIndex >= 0) return hex64(facts.immAddressHi, facts.immAddressLo);
  return hex64(insns.imm(i + 1), insns.imm(i));
}

/** "(b7) r0 = 0\n". The walk comes by most instructions many times. */
export function insnText(env: Env, i: number): string {
  return (env.insnTexts[i] ??= disassembled(env, i));
}

function disassembled(env: Env, i: number): string {
  return disassemble(env.insns, i, (env.disassemblyNames ??= namesOf(env)));
}
