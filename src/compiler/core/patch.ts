/** Writes what a relocation resolved to into its instruction (bpf_core_patch_insn). */
import type { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import type { Resolution } from './calculate.js';

const EINVAL = -22;
const ERANGE = -34;

/** What stays of an instruction that must not be reached: a call of a helper that no kernel has ("bad relo"). */
export const POISON_HELPER = 195_896_080;

export interface PatchFailure {
  readonly message: string;
  readonly errno: number;
}

/** Patches instruction `i`; answers null, or what is wrong with it. The caller has checked that an LD_IMM64 has its second slot. */
export function patchInstruction(insns: Instructions, i: number, resolution: Resolution): PatchFailure | null {
  const opcode = insns.opcode(i);
  switch (opcode & op.CLASS_MASK) {
    case op.ALU:
    case op.ALU64:
      return (opcode & op.X) === 0 ? patchImmediate(insns, i, resolution) : unrecognized(insns, i);
    case op.LDX:
    case op.ST:
    case op.STX:
      return patchAccess(insns, i, resolution);
    case op.LD:
      return patchWideImmediate(insns, i, resolution);
    default:
      return unrecognized(insns, i);
  }
}

function unrecognized(insns: Instructions, i: number): PatchFailure {
  const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
  const fields = `code:${hex(insns.opcode(i))}, src:${hex(insns.src(i))}, dst:${hex(insns.dst(i))}, off:${hex(insns.off(i))}, imm:${hex(insns.imm(i))}`;
  return { message: `trying to relocate unrecognized insn #${i}, ${fields}`, errno: EINVAL };
}

function unexpected(i: number, what: string, got: bigint | number, resolution: Resolution): PatchFailure {
  const { original, value } = resolution;
  const message = `unexpected insn #${i} (${what}) value: got ${got}, exp ${original} -> ${value}`;
  return { message, errno: EINVAL };
}

function poison(insns: Instructions, i: number): null {
  const slots = insns.opcode(i) === op.LD_IMM64 ? 2 : 1;
  for (let k = 0; k < slots; k++) insns.set(i + k, op.JMP | op.CALL, 0, 0, 0, POISON_HELPER);
  return null;
}

function patchImmediate(insns: Instructions, i: number, resolution: Resolution): PatchFailure | null {
  if (resolution.poison) return poison(insns, i);
  const imm = insns.imm(i);
  if (resolution.validate && BigInt.asUintN(64, BigInt(imm)) !== resolution.original) {
    return unexpected(i, 'ALU/ALU64', imm >>> 0, resolution);
  }
  insns.setImm(i, Number(BigInt.asIntN(32, resolution.value)));
  return null;
}

function patchAccess(insns: Instructions, i: number, resolution: Resolution): PatchFailure | null {
  if (resolution.poison) return poison(insns, i);
  const off = insns.off(i);
  if (resolution.validate && BigInt.asUintN(64, BigInt(off)) !== resolution.original) {
    return unexpected(i, 'LDX/ST/STX', off >>> 0, resolution);
  }
  if (resolution.value > 0x7fffn) {
    return { message: `insn #${i} (LDX/ST/STX) value too big: ${resolution.value}`, errno: ERANGE };
  }
  if (resolution.sizeMismatch) return poison(insns, i);
  insns.setOff(i, Number(resolution.value));
  return resolution.size === resolution.originalSize ? null : resizeAccess(insns, i, resolution);
}

function resizeAccess(insns: Instructions, i: number, { originalSize, size }: Resolution): PatchFailure | null {
  const opcode = insns.opcode(i);
  const bytes = op.accessBytes(opcode);
  if (bytes !== originalSize) {
    const message = `insn #${i} (LDX/ST/STX) unexpected mem size: got ${bytes}, exp ${originalSize}`;
    return { message, errno: EINVAL };
  }
  const bits = sizeBits(size);
  if (bits < 0) return { message: `insn #${i} (LDX/ST/STX) invalid new mem size: ${size}`, errno: EINVAL };
  insns.setOpcode(i, (opcode & ~op.SIZE_MASK) | bits);
  return null;
}

function sizeBits(bytes: number): number {
  switch (bytes) {
    case 8:
      return op.DW;
    case 4:
      return op.W;
    case 2:
      return op.H;
    case 1:
      return op.B;
    default:
      return -1;
  }
}

function patchWideImmediate(insns: Instructions, i: number, resolution: Resolution): PatchFailure | null {
  if (!isPlainWideLoad(insns, i)) {
    return { message: `insn #${i} (LDIMM64) has unexpected form`, errno: EINVAL };
  }
  if (resolution.poison) return poison(insns, i);
  const imm = BigInt(insns.imm(i) >>> 0) | (BigInt(insns.imm(i + 1) >>> 0) << 32n);
  if (resolution.validate && imm !== resolution.original) return unexpected(i, 'LDIMM64', imm, resolution);
  insns.setImm(i, Number(BigInt.asIntN(32, resolution.value)));
  insns.setImm(i + 1, Number(BigInt.asIntN(32, resolution.value >> 32n)));
  return null;
}

function isPlainWideLoad(insns: Instructions, i: number): boolean {
  if (insns.opcode(i) !== op.LD_IMM64 || insns.src(i) !== 0 || insns.off(i) !== 0) return false;
  return insns.opcode(i + 1) === 0 && insns.dst(i + 1) === 0 && insns.src(i + 1) === 0 && insns.off(i + 1) === 0;
}
