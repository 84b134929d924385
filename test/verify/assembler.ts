/**
 * A small assembler for tests. Its notation is that of the kernel's log, so that a program reads as it is printed:
 *
 *     r1 = *(u64 *)(r10 -8)      if w1 s> 0x5 goto pc+2      call bpf_map_lookup_elem#1      call pc+3      call kernel#1234
 *
 * and beside it `r1 = map[0]`, `r1 = map[0]+8` (into its value), `r1 = 0x123456789 ll`, `r2 = func pc+4`.
 * Immediates are decimal or hexadecimal. An unknown line throws: a test's own mistake.
 */
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as op from '../../src/compiler/isa/opcodes.js';

type Slot = readonly [opcode: number, dst: number, src: number, off: number, imm: number];

const ALU: Readonly<Record<string, number>> = {
  '+=': op.ADD,
  '-=': op.SUB,
  '*=': op.MUL,
  '/=': op.DIV,
  '|=': op.OR,
  '&=': op.AND,
  '<<=': op.LSH,
  '>>=': op.RSH,
  '%=': op.MOD,
  '^=': op.XOR,
  '=': op.MOV,
  's>>=': op.ARSH,
  's/=': op.DIV,
  's%=': op.MOD,
};
const JUMP: Readonly<Record<string, number>> = {
  '==': op.JEQ,
  '>': op.JGT,
  '>=': op.JGE,
  '&': op.JSET,
  '!=': op.JNE,
  's>': op.JSGT,
  's>=': op.JSGE,
  '<': op.JLT,
  '<=': op.JLE,
  's<': op.JSLT,
  's<=': op.JSLE,
};
const SIZE: Readonly<Record<string, number>> = { '8': op.B, '16': op.H, '32': op.W, '64': op.DW };
const ATOMIC: Readonly<Record<string, number>> = {
  fetch_add: op.ADD | op.FETCH,
  fetch_or: op.OR | op.FETCH,
  fetch_and: op.AND | op.FETCH,
  fetch_xor: op.XOR | op.FETCH,
  xchg: op.XCHG,
  cmpxchg: op.CMPXCHG,
};

const NUMBER = '(-?(?:0x[0-9a-f]+|\\d+))';
const MEMORY = '\\*\\(([us])(8|16|32|64) \\*\\)\\(r(\\d+) ?([+-]\\d+)\\)';

type Build = (m: readonly string[]) => readonly Slot[];

/** A 32-bit immediate, taken modulo 2^32. */
function imm(text: string): number {
  return Number(text) | 0;
}

function wide(dst: number, src: number, value: bigint): readonly Slot[] {
  const low = Number(BigInt.asIntN(32, value));
  return [
    [op.LD_IMM64, dst, src, 0, low],
    [0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n))],
  ];
}

const FORMS: readonly (readonly [RegExp, Build])[] = [
  [/^exit$/, () => [[op.JMP | op.EXIT, 0, 0, 0, 0]]],
  [/^goto pc([+-]\d+)$/, ([, off]) => [[op.JMP | op.JA, 0, 0, Number(off), 0]]],
  [/^gotol pc([+-]\d+)$/, ([, off]) => [[op.JMP32 | op.JA, 0, 0, 0, Number(off)]]],
  [/^may_goto pc([+-]\d+)$/, ([, off]) => [[op.JMP | op.JCOND, 0, 0, Number(off), 0]]],
  [/^call bpf_\w+#(\d+)$/, ([, id]) => [[op.JMP | op.CALL, 0, 0, 0, Number(id)]]],
  [/^call kernel#(\d+)$/, ([, id]) => [[op.JMP | op.CALL, 0, op.PSEUDO_KFUNC_CALL, 0, Number(id)]]],
  [/^call pc([+-]\d+)$/, ([, off]) => [[op.JMP | op.CALL, 0, op.PSEUDO_CALL, 0, Number(off)]]],
  [/^r(\d+) = map\[(\d+)\]$/, ([, r, map]) => wide(Number(r), op.PSEUDO_MAP_FD, BigInt(map!))],
  [
    /^r(\d+) = map\[(\d+)\]\+(\d+)$/,
    ([, r, map, off]) => wide(Number(r), op.PSEUDO_MAP_VALUE, (BigInt(off!) << 32n) | BigInt(map!)),
  ],
  [new RegExp(`^r(\\d+) = ${NUMBER} ll$`), ([, r, value]) => wide(Number(r), 0, BigInt(value!))],
  [/^r(\d+) = func pc([+-]\d+)$/, ([, r, off]) => wide(Number(r), op.PSEUDO_FUNC, BigInt(imm(off!) >>> 0))],
  [
    new RegExp(`^r(\\d+) = ${MEMORY}$`),
    ([, r, sign, bits, base, off]) => [
      [op.LDX | SIZE[bits!]! | (sign === 's' ? op.MEMSX : op.MEM), Number(r), Number(base), Number(off), 0],
    ],
  ],
  [
    new RegExp(`^${MEMORY} = r(\\d+)$`),
    ([, , bits, base, off, r]) => [[op.STX | op.MEM | SIZE[bits!]!, Number(base), Number(r), Number(off), 0]],
  ],
  [
    new RegExp(`^${MEMORY} = ${NUMBER}$`),
    ([, , bits, base, off, value]) => [[op.ST | op.MEM | SIZE[bits!]!, Number(base), 0, Number(off), imm(value!)]],
  ],
  [
    new RegExp(`^lock ${MEMORY} (\\+=|\\|=|&=|\\^=) r(\\d+)$`),
    ([, , bits, base, off, kind, r]) => [
      [op.STX | op.ATOMIC | SIZE[bits!]!, Number(base), Number(r), Number(off), ALU[kind!]!],
    ],
  ],
  [
    /^r\d+ = atomic(?:64)?_(\w+)\(\(u(32|64) \*\)\(r(\d+) ([+-]\d+)\), (?:r0, )?r(\d+)\)$/,
    ([, kind, bits, base, off, r]) => [
      [op.STX | op.ATOMIC | SIZE[bits!]!, Number(base), Number(r), Number(off), ATOMIC[kind!]!],
    ],
  ],
  [
    new RegExp(`^r0 = \\*\\(u(8|16|32) \\*\\)skb\\[${NUMBER}\\]$`),
    ([, bits, off]) => [[op.LD | op.ABS | SIZE[bits!]!, 0, 0, 0, imm(off!)]],
  ],
  [
    /^r0 = \*\(u(8|16|32) \*\)skb\[r(\d+) \+ (\d+)\]$/,
    ([, bits, r, off]) => [[op.LD | op.IND | SIZE[bits!]!, 0, Number(r), 0, imm(off!)]],
  ],
  [
    /^r(\d+) = (be|le|bswap)(16|32|64) r\1$/,
    ([, r, kind, bits]) => [
      [(kind === 'bswap' ? op.ALU64 : op.ALU) | op.END | (kind === 'be' ? op.X : 0), Number(r), 0, 0, Number(bits)],
    ],
  ],
  [/^([rw])(\d+) = -[rw]\2$/, ([, w, r]) => [[(w === 'w' ? op.ALU : op.ALU64) | op.NEG, Number(r), 0, 0, 0]]],
  [
    /^([rw])(\d+) (s?[^ ]*=) (?:\(s(8|16|32)\))?[rw](\d+)$/,
    ([, w, dst, kind, bits, src]) => [
      [
        (w === 'w' ? op.ALU : op.ALU64) | ALU[kind!]! | op.X,
        Number(dst),
        Number(src),
        kind === 's/=' || kind === 's%=' ? 1 : Number(bits ?? 0),
        0,
      ],
    ],
  ],
  [
    new RegExp(`^([rw])(\\d+) (s?[^ ]*=) ${NUMBER}$`),
    ([, w, dst, kind, value]) => [
      [
        (w === 'w' ? op.ALU : op.ALU64) | ALU[kind!]! | op.K,
        Number(dst),
        0,
        kind === 's/=' || kind === 's%=' ? 1 : 0,
        imm(value!),
      ],
    ],
  ],
  [
    /^if ([rw])(\d+) (\S+) [rw](\d+) goto pc([+-]\d+)$/,
    ([, w, dst, kind, src, off]) => [
      [(w === 'w' ? op.JMP32 : op.JMP) | JUMP[kind!]! | op.X, Number(dst), Number(src), Number(off), 0],
    ],
  ],
  [
    new RegExp(`^if ([rw])(\\d+) (\\S+) ${NUMBER} goto pc([+-]\\d+)$`),
    ([, w, dst, kind, value, off]) => [
      [(w === 'w' ? op.JMP32 : op.JMP) | JUMP[kind!]! | op.K, Number(dst), 0, Number(off), imm(value!)],
    ],
  ],
];

function assembleLine(line: string): readonly Slot[] {
  for (const [form, build] of FORMS) {
    const match = form.exec(line);
    if (match !== null) return build(match);
  }
  throw new Error(`no such instruction: ${line}`);
}

/** Lines of text to instructions. */
export function assemble(lines: readonly string[]): Instructions {
  const slots = lines.flatMap((line) => assembleLine(line.trim()));
  const insns = Instructions.alloc(slots.length);
  slots.forEach((slot, i) => insns.set(i, ...slot));
  return insns;
}
