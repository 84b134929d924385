/** Instructions as text, in the notation of the kernel's verifier log and bpftool (kernel/bpf/disasm.c, Linux 6.12). */
import type { Instructions } from './instructions.js';
import * as op from './opcodes.js';

/** What only the program's surroundings know. */
export interface DisassemblyNames {
  /** A helper's name without "bpf_", or null. */
  helper(id: number): string | null;
  /** A kernel function's name by BTF id and the instruction's offset field. */
  kernelFunction(id: number, off: number): string;
  /** The immediate of the LD_IMM64 at a slot. */
  immediate(slot: number): string;
}

const ALU = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', 'neg', '%=', '^=', '=', 's>>=', 'endian'];
const SIGNED_ALU: Readonly<Record<number, string>> = { 3: 's/=', 9: 's%=' };
const ATOMIC: Readonly<Record<number, string>> = { 0: 'add', 4: 'or', 5: 'and', 10: 'xor' };
const SIGN_EXTENSION: Readonly<Record<number, string>> = { 8: '(s8)', 16: '(s16)', 32: '(s32)' };
const JUMPS = ['jmp', '==', '>', '>=', '&', '!=', 's>', 's>=', 'call', 'exit', '<', '<=', 's<', 's<='];
/** By size bits: W, H, B, DW. */
const SIZES = ['u32', 'u16', 'u8', 'u64'];
const SIGNED_SIZES = ['s32', 's16', 's8', '(null)'];
/** What the kernel's printf writes for a missing string. */
const NULL = '(null)';

/** The operator of an arithmetic operation (ADD, …): "+=". */
export function aluName(operation: number): string {
  return ALU[operation >> 4] ?? NULL;
}

/** "+4", "-8", "+0". */
function plus(n: number): string {
  return n < 0 ? String(n) : `+${n}`;
}

function operation(opcode: number, off: number): string {
  const index = opcode >> 4;
  if (off === 1 && SIGNED_ALU[index] !== undefined) return SIGNED_ALU[index];
  return ALU[index] ?? NULL;
}

function aluText(insns: Instructions, i: number): string {
  const opcode = insns.opcode(i);
  const off = insns.off(i);
  const imm = insns.imm(i);
  const is64 = (opcode & op.CLASS_MASK) === op.ALU64;
  const r = is64 ? 'r' : 'w';
  const dst = insns.dst(i);
  const src = insns.src(i);
  const kind = opcode & op.OP_MASK;
  if (kind === op.END) {
    const name = is64 ? 'bswap' : (opcode & op.X) !== 0 ? 'be' : 'le';
    return `r${dst} = ${name}${imm} r${dst}`;
  }
  if (kind === op.NEG) return `${r}${dst} = -${r}${dst}`;
  if (opcode === (op.ALU64 | op.MOV | op.X)) {
    if (off === op.ADDR_SPACE_CAST) return `r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
    if (off === op.ADDR_PERCPU) return `r${dst} = &(void __percpu *)(r${src})`;
  }
  if ((opcode & op.X) === 0) return `${r}${dst} ${operation(opcode, off)} ${imm}`;
  const extension = kind === op.MOV ? (SIGN_EXTENSION[off] ?? '') : '';
  return `${r}${dst} ${operation(opcode, off)} ${extension}${r}${src}`;
}

function atomicText(insns: Instructions, i: number): string | null {
  const opcode = insns.opcode(i);
  const imm = insns.imm(i);
  const size = SIZES[(opcode & op.SIZE_MASK) >> 3]!;
  const wide = (opcode & op.SIZE_MASK) === op.DW ? '64' : '';
  const place = `*)(r${insns.dst(i)} ${plus(insns.off(i))})`;
  const src = insns.src(i);
  if (imm === op.CMPXCHG) return `r0 = atomic${wide}_cmpxchg((${size} ${place}, r0, r${src})`;
  if (imm === op.XCHG) return `r${src} = atomic${wide}_xchg((${size} ${place}, r${src})`;
  const name = (imm & ~(op.OP_MASK | op.FETCH)) === 0 ? ATOMIC[imm >> 4] : undefined;
  if (name === undefined) return null;
  if ((imm & op.FETCH) === 0) return `lock *(${size} ${place} ${ALU[imm >> 4]!} r${src}`;
  return `r${src} = atomic${wide}_fetch_${name}((${size} ${place}, r${src})`;
}

/** Instructions that the kernel has no text for are printed without their opcode in front. */
function bug(prefix: string, opcode: number): string {
  return `BUG_${prefix}${hexByte(opcode)}`;
}

function hexByte(n: number): string {
  return n.toString(16).padStart(2, '0');
}

function storeText(insns: Instructions, i: number): string | null {
  const opcode = insns.opcode(i);
  const mode = opcode & op.MODE_MASK;
  const isRegister = (opcode & op.CLASS_MASK) === op.STX;
  if (mode === op.MEM) {
    const value = isRegister ? `r${insns.src(i)}` : String(insns.imm(i));
    return `*(${SIZES[(opcode & op.SIZE_MASK) >> 3]!} *)(r${insns.dst(i)} ${plus(insns.off(i))}) = ${value}`;
  }
  if (isRegister) return mode === op.ATOMIC ? atomicText(insns, i) : null;
  return mode === op.NOSPEC ? 'nospec' : null;
}

function loadText(insns: Instructions, i: number): string | null {
  const opcode = insns.opcode(i);
  const mode = opcode & op.MODE_MASK;
  if (mode !== op.MEM && mode !== op.MEMSX) return null;
  const size = (mode === op.MEM ? SIZES : SIGNED_SIZES)[(opcode & op.SIZE_MASK) >> 3]!;
  return `r${insns.dst(i)} = *(${size} *)(r${insns.src(i)} ${plus(insns.off(i))})`;
}

function ldText(insns: Instructions, i: number, names: DisassemblyNames): string | null {
  const opcode = insns.opcode(i);
  const size = SIZES[(opcode & op.SIZE_MASK) >> 3]!;
  const mode = opcode & op.MODE_MASK;
  if (mode === op.ABS) return `r0 = *(${size} *)skb[${insns.imm(i)}]`;
  if (mode === op.IND) return `r0 = *(${size} *)skb[r${insns.src(i)} + ${insns.imm(i)}]`;
  if (opcode === op.LD_IMM64) return `r${insns.dst(i)} = ${names.immediate(i)}`;
  return null;
}

function callText(insns: Instructions, i: number, names: DisassemblyNames): string {
  const src = insns.src(i);
  const imm = insns.imm(i);
  if (src === op.PSEUDO_CALL) return `call pc${plus(imm)}`;
  const helper = src === 0 ? names.helper(imm) : null;
  if (helper !== null) return `call bpf_${helper}#${imm}`;
  if (src === op.PSEUDO_KFUNC_CALL) return `call ${names.kernelFunction(imm, insns.off(i))}#${imm}`;
  return `call unknown#${imm}`;
}

function jumpText(insns: Instructions, i: number, names: DisassemblyNames): string {
  const opcode = insns.opcode(i);
  const imm = insns.imm(i);
  const off = plus(insns.off(i));
  if ((opcode & op.OP_MASK) === op.CALL) return callText(insns, i, names);
  if (opcode === (op.JMP | op.JA)) return `goto pc${off}`;
  if (opcode === (op.JMP | op.JCOND) && insns.src(i) === 0) return `may_goto pc${off}`;
  if (opcode === (op.JMP32 | op.JA)) return `gotol pc${plus(imm)}`;
  if (opcode === (op.JMP | op.EXIT)) return 'exit';
  const r = (opcode & op.CLASS_MASK) === op.JMP32 ? 'w' : 'r';
  const operand = (opcode & op.X) !== 0 ? `${r}${insns.src(i)}` : `0x${(imm >>> 0).toString(16)}`;
  return `if ${r}${insns.dst(i)} ${JUMPS[opcode >> 4] ?? NULL} ${operand} goto pc${off}`;
}

/** One instruction with its opcode in front and a line end: "(b7) r0 = 0\n". */
export function disassemble(insns: Instructions, i: number, names: DisassemblyNames): string {
  const opcode = insns.opcode(i);
  const text = bodyText(insns, i, names);
  return text.startsWith('BUG_') ? `${text}\n` : `(${hexByte(opcode)}) ${text}\n`;
}

function bodyText(insns: Instructions, i: number, names: DisassemblyNames): string {
  const opcode = insns.opcode(i);
  switch (opcode & op.CLASS_MASK) {
    case op.ALU:
    case op.ALU64:
      return aluText(insns, i);
    case op.STX:
      return storeText(insns, i) ?? bug('', opcode);
    case op.ST:
      return storeText(insns, i) ?? bug('st_', opcode);
    case op.LDX:
      return loadText(insns, i) ?? bug('ldx_', opcode);
    case op.LD:
      return ldText(insns, i, names) ?? bug('ld_', opcode);
    default:
      return jumpText(insns, i, names);
  }
}
