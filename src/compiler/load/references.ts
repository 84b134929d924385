/** Puts maps, variables and kernel symbols into the instructions that refer to them (bpf_object__relocate_data, libbpf 1.5). */
import type { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import { POISON_KFUNC_BASE, POISON_MAP_BASE } from './explain-log.js';
import { EINVAL, refuse } from './failure.js';
import type { Extern, ObjectProgram, Refusal, Relocation } from './model.js';

/** Resolves one reference of a function's own copy of its instructions. */
export function resolveReference(
  program: ObjectProgram,
  insns: Instructions,
  { instruction: i, target }: Relocation,
): Refusal | null {
  switch (target.kind) {
    case 'map':
      if (!target.map.autocreate) return poisonMap(insns, i, target.map.index);
      insns.setSrc(i, op.PSEUDO_MAP_FD);
      insns.setImm(i, target.map.index);
      return null;
    case 'data':
      insns.setImm(i + 1, (insns.imm(i) + target.offset) | 0);
      if (!target.map.autocreate) return poisonMap(insns, i, target.map.index);
      insns.setSrc(i, op.PSEUDO_MAP_VALUE);
      insns.setImm(i, target.map.index);
      return null;
    case 'extern-load':
      return resolveExternLoad(insns, i, target.extern);
    case 'extern-call':
      return resolveExternCall(insns, i, target.extern);
    case 'subprogram-address':
      if (insns.src(i) === op.PSEUDO_FUNC) return null;
      return refuse('RELOCATION', `prog '${program.name}': relo at insn #${i}: bad insn`, EINVAL, {
        symbol: program.name,
        instruction: i,
      });
    case 'call':
      return null;
  }
}

function poisonMap(insns: Instructions, i: number, mapIndex: number): null {
  for (const slot of [i, i + 1]) insns.set(slot, op.JMP | op.CALL, 0, 0, 0, POISON_MAP_BASE + mapIndex);
  return null;
}

function resolveExternLoad(insns: Instructions, i: number, extern: Extern): null {
  if (extern.kconfig !== null) {
    insns.setSrc(i, op.PSEUDO_MAP_VALUE);
    insns.setImm(i, extern.mapIndex);
    insns.setImm(i + 1, extern.kconfig.offset);
  } else if (extern.typeId !== 0 && extern.isSet) {
    insns.setSrc(i, op.PSEUDO_BTF_ID);
    insns.setImm(i, extern.kernelId);
    insns.setImm(i + 1, extern.moduleNumber);
  } else {
    const [high, low] = extern.address;
    insns.setImm(i, low | 0);
    insns.setImm(i + 1, high | 0);
  }
  return null;
}

function resolveExternCall(insns: Instructions, i: number, extern: Extern): null {
  if (!extern.isSet) {
    insns.set(i, op.JMP | op.CALL, 0, 0, 0, POISON_KFUNC_BASE + extern.index);
    return null;
  }
  insns.setSrc(i, op.PSEUDO_KFUNC_CALL);
  insns.setImm(i, extern.kernelId);
  insns.setOff(i, extern.callOffset);
  return null;
}
