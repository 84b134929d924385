/** BPF opcode fields (RFC 9669 and the kernel's internal classes up to Linux 6.12). */

/** Instruction classes: opcode bits 0–2. */
export const CLASS_MASK = 0x07;
export const LD = 0x00;
export const LDX = 0x01;
export const ST = 0x02;
export const STX = 0x03;
export const ALU = 0x04;
export const JMP = 0x05;
export const JMP32 = 0x06;
export const ALU64 = 0x07;

/** Access sizes: opcode bits 3–4 of a load or store. */
export const SIZE_MASK = 0x18;
export const W = 0x00;
export const H = 0x08;
export const B = 0x10;
export const DW = 0x18;

/** Access modes: opcode bits 5–7 of a load or store. */
export const MODE_MASK = 0xe0;
export const IMM = 0x00;
export const ABS = 0x20;
export const IND = 0x40;
export const MEM = 0x60;
export const MEMSX = 0x80;
export const ATOMIC = 0xc0;
/** Modes that only the kernel itself uses, between the verifier and the JIT (include/linux/filter.h, 6.12). */
export const PROBE_MEM = 0x20;
export const PROBE_MEMSX = 0x40;
export const PROBE_MEM32 = 0xa0;
export const PROBE_ATOMIC = 0xe0;

/** Operand source: opcode bit 3 of arithmetic and jumps. */
export const K = 0x00;
export const X = 0x08;

/** Arithmetic operations: opcode bits 4–7. */
export const OP_MASK = 0xf0;
export const ADD = 0x00;
export const SUB = 0x10;
export const MUL = 0x20;
export const DIV = 0x30;
export const OR = 0x40;
export const AND = 0x50;
export const LSH = 0x60;
export const RSH = 0x70;
export const NEG = 0x80;
export const MOD = 0x90;
export const XOR = 0xa0;
export const MOV = 0xb0;
export const ARSH = 0xc0;
export const END = 0xd0;

/** Jumps: opcode bits 4–7. */
export const JA = 0x00;
export const JEQ = 0x10;
export const JGT = 0x20;
export const JGE = 0x30;
export const JSET = 0x40;
export const JNE = 0x50;
export const JSGT = 0x60;
export const JSGE = 0x70;
export const CALL = 0x80;
export const EXIT = 0x90;
export const JLT = 0xa0;
export const JLE = 0xb0;
export const JSLT = 0xc0;
export const JSLE = 0xd0;
export const JCOND = 0xe0;
/** Internal: a tail call, after the rewrites (BPF_TAIL_CALL, include/linux/filter.h). */
export const TAIL_CALL = 0xf0;
/** Internal: a speculation barrier (BPF_ST | BPF_NOSPEC). */
export const NOSPEC = 0xc0;

/** Atomic operations, in the immediate of STX | ATOMIC. */
export const FETCH = 0x01;
export const XCHG = 0xe0 | FETCH;
export const CMPXCHG = 0xf0 | FETCH;

/** LD_IMM64: two slots wide. */
export const LD_IMM64 = LD | DW | IMM;

/** What the source register of LD_IMM64 says of its immediate. */
export const PSEUDO_MAP_FD = 1;
export const PSEUDO_MAP_VALUE = 2;
export const PSEUDO_BTF_ID = 3;
export const PSEUDO_FUNC = 4;
export const PSEUDO_MAP_IDX = 5;
export const PSEUDO_MAP_IDX_VALUE = 6;

/** What the source register of a call says of its immediate. */
export const PSEUDO_CALL = 1;
export const PSEUDO_KFUNC_CALL = 2;

/** The offset of a register-to-register MOV that casts between address spaces (BPF_ADDR_SPACE_CAST). */
export const ADDR_SPACE_CAST = 1;
/** The internal offset and immediate of a MOV that adds the per-CPU base (BPF_ADDR_PERCPU). */
export const ADDR_PERCPU = -1;

/** Registers. */
export const R0 = 0;
export const R1 = 1;
export const R2 = 2;
export const R3 = 3;
export const R4 = 4;
export const R5 = 5;
export const R6 = 6;
export const R7 = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
/** The hidden register that rewrites and blinding use (BPF_REG_AX). */
export const AX = 11;

/** Most instructions of a privileged program, and the verifier's own budget (BPF_COMPLEXITY_LIMIT_INSNS). */
export const MAX_INSNS = 1_000_000;
/** Deepest stack, in bytes. */
export const MAX_STACK = 512;

/** Bytes that a load or store of this opcode moves. */
export function accessBytes(opcode: number): 1 | 2 | 4 | 8 {
  switch (opcode & SIZE_MASK) {
    case B:
      return 1;
    case H:
      return 2;
    case W:
      return 4;
    default:
      return 8;
  }
}
