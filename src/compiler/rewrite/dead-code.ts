/**
 * Dead branches and dead code go, for processes with CAP_BPF (since Linux 5.1).
 *
 * The verifier walks only what can run. A conditional jump with one side never walked becomes unconditional; what was
 * never walked is taken out, functions with all of their code; and so are the `ja +0` that were there or have arisen.
 *
 * For others it stays, as jumps to themselves: should the verifier be wrong, or a processor guess wrong, nothing runs
 * there (since Linux 4.15).
 */
import * as isa from '../isa/opcodes.js';
import type { Instructions } from '../isa/instructions.js';
import { type Draft } from './draft.js';
import { remove } from './remove.js';
import { isJump } from './sequence.js';

export function removeDeadCode(draft: Draft): void {
  wireDeadBranches(draft);
  const { facts } = draft;
  remove(draft, (i) => facts[i]!.seen === 0);
  const { insns } = draft;
  remove(draft, (i) => isNop(insns, i));
}

export function trapDeadCode(draft: Draft): void {
  const { insns, facts, symbols } = draft;
  for (let i = 0; i < insns.length; i++) {
    if (facts[i]!.seen !== 0) continue;
    insns.set(i, isa.JMP | isa.JA, 0, 0, -1, 0);
    symbols.delete(i);
  }
}

function wireDeadBranches(draft: Draft): void {
  const { insns, facts } = draft;
  for (let i = 0; i < insns.length; i++) {
    const opcode = insns.opcode(i);
    if (!isJump(opcode) || (opcode & isa.OP_MASK) === isa.JA) continue;
    const off = insns.off(i);
    if (facts[i + 1]?.seen === 0) insns.set(i, isa.JMP | isa.JA, 0, 0, off, 0);
    else if (facts[i + 1 + off]?.seen === 0) insns.set(i, isa.JMP | isa.JA, 0, 0, 0, 0);
  }
}

function isNop(insns: Instructions, i: number): boolean {
  return (
    insns.opcode(i) === (isa.JMP | isa.JA) &&
    insns.off(i) === 0 &&
    insns.imm(i) === 0 &&
    insns.dst(i) === 0 &&
    insns.src(i) === 0
  );
}
