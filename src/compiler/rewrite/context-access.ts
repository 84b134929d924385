/**
 * Turns accesses to what the kernel shows programs into accesses to what it keeps (convert_ctx_access, since Linux 3.19).
 *
 * A program sees contexts such as `struct __sk_buff` or `struct bpf_sock`; loads and stores of their fields become the
 * instructions that reach the field of the kernel's own structure. The verifier noted which layout allowed the access;
 * the profile knows each layout's conversions.
 *
 * Narrow loads (since 4.13): a load of part of a field is converted as one of the whole field, then shifted and masked:
 *
 *     r1 = *(u8 *)(r6 + field + 1)   →   load the field into r1;  w1 >>= 8;  w1 &= 0xff
 *
 * Sign-extending loads (since 6.6) are converted as plain ones and extended at the end.
 */
import * as isa from '../isa/opcodes.js';
import { Instructions } from '../isa/instructions.js';
import type { ContextLayout } from '../targets/profile.js';
import type { Facts } from '../verify/facts.js';
import type { VerifiedProgram } from '../verify/verify.js';
import type { Draft } from './draft.js';
import { Sequence } from './sequence.js';

/** The conversion of the load or store at `i`, or null where it stays as it is. */
export function convertContextAccess(draft: Draft, input: VerifiedProgram, i: number): Sequence | null {
  const facts = draft.facts[i]!;
  const layout = facts.context;
  if (layout === null) return null;
  const { insns } = draft;
  const opcode = insns.opcode(i);
  const signExtends = (opcode & isa.MODE_MASK) === isa.MEMSX;
  const size = isa.accessBytes(opcode);
  const sequence = convert(insns, i, facts, layout, input.contextNotes);
  if (sequence === null) return null;

  const narrow = size < facts.ctxFieldSize && size < loadedSize(layout, insns.off(i), size, facts);
  if (narrow) {
    const { ctxFieldSize } = facts;
    const shift = input.profile.byteOrder.bitsBelow(insns.off(i) & (ctxFieldSize - 1), size, ctxFieldSize);
    cutOut(sequence, insns.dst(i), shift, size, ctxFieldSize);
  }
  if (signExtends) sequence.emit(isa.ALU64 | isa.MOV | isa.X, insns.dst(i), insns.dst(i), size * 8, 0);
  return sequence;
}

/** Bytes of the kernel's field that the conversion loads, which may be less than the field that programs see. */
function loadedSize(layout: ContextLayout, off: number, size: number, facts: Facts): number {
  const target = layout.access(off, size, false)?.targetSize ?? 0;
  return target === 0 ? facts.ctxFieldSize : target;
}

function convert(insns: Instructions, i: number, facts: Facts, layout: ContextLayout, notes: number): Sequence | null {
  const { opcode, off } = widened(insns.opcode(i), insns.off(i), facts.ctxFieldSize);
  const code = layout.convert(opcode, insns.dst(i), insns.src(i), off, insns.imm(i), notes);
  return code === null ? null : new Sequence().raw(Instructions.from(code));
}

/** The access to the whole field that a narrower load lies in. */
function widened(opcode: number, off: number, fieldSize: number): { opcode: number; off: number } {
  const cls = opcode & isa.CLASS_MASK;
  if (isa.accessBytes(opcode) >= fieldSize) return { opcode: cls | isa.MEM | (opcode & isa.SIZE_MASK), off };
  const size = fieldSize === 8 ? isa.DW : fieldSize === 4 ? isa.W : isa.H;
  return { opcode: isa.LDX | isa.MEM | size, off: off & ~(fieldSize - 1) };
}

/** Leaves `size` bytes of the field in `dst`: those above its lowest `shift` bits. */
function cutOut(sequence: Sequence, dst: number, shift: number, size: number, fieldSize: number): void {
  if (shift !== 0) {
    if (fieldSize <= 4) sequence.alu32Imm(isa.RSH, dst, shift);
    else sequence.alu64Imm(isa.RSH, dst, shift);
  }
  sequence.alu32Imm(isa.AND, dst, size === 4 ? -1 : (1 << (size * 8)) - 1);
}
