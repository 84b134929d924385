/**
 * Every encoder with every operation code it takes, and at the edges of its fields, beside the text that an assembler has
 * for the instruction. encodings.json has what GNU as 2.40 made of the texts (`-march=z13`); record-encodings.ts asks it.
 */
import type { CodeBuffer } from '../../../src/compiler/jit/s390x/code-buffer.js';
import * as f from '../../../src/compiler/jit/s390x/encode/formats.js';
import * as op from '../../../src/compiler/jit/s390x/encode/opcodes.js';

export type Encoding = readonly [emit: (c: CodeBuffer) => void, text: string];

/** The operation codes by format, in the manual's names. */
function named<T>(names: readonly (keyof typeof op)[]): readonly (readonly [string, T])[] {
  return names.map((name) => [name.toLowerCase(), op[name] as T] as const);
}

const RR = named<op.Rr>(['BASR', 'LCR', 'NR', 'CLR', 'OR', 'XR', 'LR', 'CR', 'AR', 'SR']);
const RRE = named<op.Rre>([
  'MSR', 'LTGR', 'LCGR', 'LGR', 'LGBR', 'LGHR', 'AGR', 'SGR', 'MSGR', 'LRVGR', 'LGFR', 'LLGFR', 'LRVR', 'CGR', 'CLGR',
  'LBR', 'LHR', 'NGR', 'OGR', 'XGR', 'LLGCR', 'LLGHR',
]); // prettier-ignore
/** Their first register is the even one of a pair. */
const DIVISIONS = named<op.Rre>(['DSGR', 'DSGFR', 'DLGR', 'DLR']);
const RRF = named<op.Rrf>(['NGRK', 'NRK']);
const SHIFTS = named<op.Rs>(['SRL', 'SLL', 'SRA']);
const RXY = named<op.Rxy>([
  'LTG', 'LG', 'LGF', 'LGH', 'LLGF', 'STG', 'STY', 'LY', 'STHY', 'STCY', 'LGB', 'NG', 'OG', 'XG', 'LLGC', 'LLGH',
]); // prettier-ignore
const MEMORY_DIVISIONS = named<op.Rxy>(['DSG', 'DSGF', 'DLG', 'DL']);
const RSY = named<op.Rsy>([
  'LMG', 'SRAG', 'SRLG', 'SLLG', 'CSY', 'STMG', 'CSG', 'LANG', 'LAOG', 'LAXG', 'LAALG', 'LAN', 'LAO', 'LAX', 'LAAL',
]); // prettier-ignore
const RI = named<op.Ri>(['LHI', 'LGHI', 'AGHI']);
/** Immediates that are signed, that are not, and distances. */
const RIL_SIGNED = named<op.Ril>(['LGFI', 'MSGFI', 'MSFI', 'AGFI', 'CGFI', 'CFI']);
const RIL_UNSIGNED = named<op.Ril>(['XILF', 'IIHF', 'NILF', 'OILF', 'LLILF', 'ALGFI', 'ALFI']);
const RIL_DISTANCE = named<op.Ril>(['LARL', 'BRASL', 'LGRL', 'LGFRL', 'LRL', 'EXRL']);
const COMPARE_AND_BRANCH = named<op.Rie>(['CGRJ', 'CLGRJ', 'CRJ', 'CLRJ']);
const SS = named<op.Ss>(['MVC', 'XC']);

/** Registers that show which field is which. */
const PAIRS = [
  [1, 14],
  [15, 2],
] as const;
const DISPLACEMENTS = [0, 1, 0xfff, 0x1000, 0x7ffff, -1, -0x80000];

export const ENCODINGS: readonly Encoding[] = [
  ...RR.flatMap(([name, code]) =>
    PAIRS.map(([r1, r2]): Encoding => [(c) => f.rr(c, code, r1, r2), `${name} %r${r1},%r${r2}`]),
  ),
  ...RRE.flatMap(([name, code]) =>
    PAIRS.map(([r1, r2]): Encoding => [(c) => f.rre(c, code, r1, r2), `${name} %r${r1},%r${r2}`]),
  ),
  ...DIVISIONS.map(([name, code]): Encoding => [(c) => f.rre(c, code, 0, 13), `${name} %r0,%r13`]),
  ...RRF.map(([name, code]): Encoding => [(c) => f.rrf(c, code, 1, 2, 15), `${name} %r1,%r2,%r15`]),
  ...SHIFTS.flatMap(([name, code]): Encoding[] => [
    [(c) => f.rs(c, code, 3, 12, 0), `${name} %r3,0(%r12)`],
    [(c) => f.rs(c, code, 3, 0, 31), `${name} %r3,31`],
    [(c) => f.rs(c, code, 15, 1, 4095), `${name} %r15,4095(%r1)`],
  ]),
  [(c) => f.rs(c, op.LA, 13, 15, 64), 'la %r13,64(%r15)'],
  ...RXY.flatMap(([name, code]) =>
    DISPLACEMENTS.map((d): Encoding => [(c) => f.rxy(c, code, 4, 10, 1, d), `${name} %r4,${d}(%r10,%r1)`]),
  ),
  ...MEMORY_DIVISIONS.map(([name, code]): Encoding => [
    (c) => f.rxy(c, code, 0, 0, 11, 0x12345),
    `${name} %r0,${0x12345}(%r11)`,
  ]),
  [(c) => f.rxy(c, op.LG, 4, 10, 0, 8), 'lg %r4,8(%r10,%r0)'],
  ...RSY.flatMap(([name, code]) =>
    DISPLACEMENTS.map((d): Encoding => [(c) => f.rsy(c, code, 6, 15, 11, d), `${name} %r6,%r15,${d}(%r11)`]),
  ),
  ...RI.flatMap(([name, code]) =>
    [0, 1, -1, 0x7fff, -0x8000].map((n): Encoding => [(c) => f.ri(c, code, 9, n), `${name} %r9,${n}`]),
  ),
  ...RIL_SIGNED.flatMap(([name, code]) =>
    [0, 1, -1, 0x7fffffff, -0x80000000].map((n): Encoding => [(c) => f.ril(c, code, 9, n), `${name} %r9,${n}`]),
  ),
  ...RIL_UNSIGNED.flatMap(([name, code]) =>
    [0, 1, -1, 0x7fffffff, -0x80000000].map((n): Encoding => [(c) => f.ril(c, code, 9, n), `${name} %r9,${n >>> 0}`]),
  ),
  ...RIL_DISTANCE.flatMap(([name, code]) =>
    [0, 5, -5, 0x7fffffff, -0x80000000].map((n): Encoding => [
      (c) => f.ril(c, code, 1, n),
      `${name} %r1,${place(2 * n)}`,
    ]),
  ),
  ...[0, 4, 8, 15].flatMap((mask): Encoding[] => [
    [(c) => f.branchShort(c, mask, 0x7fff), `brc ${mask},${place(0xfffe)}`],
    [(c) => f.branchShort(c, mask, -0x8000), `brc ${mask},${place(-0x10000)}`],
    [(c) => f.branchLong(c, mask, 0x7fffffff), `brcl ${mask},${place(0xfffffffe)}`],
    [(c) => f.branchLong(c, mask, -0x80000000), `brcl ${mask},${place(-0x100000000)}`],
    [(c) => f.branchRegister(c, mask, 14), `bcr ${mask},%r14`],
  ]),
  [(c) => f.branchRegister(c, 14, 0), 'bcr 14,%r0'],
  [(c) => f.branchTo(c, 1, 12), 'bc 15,12(%r1)'],
  [(c) => f.branchTo(c, 15, 4095), 'bc 15,4095(%r15)'],
  ...COMPARE_AND_BRANCH.flatMap(([name, code]) =>
    [8, 7, 2, 10, 4, 12].flatMap((mask): Encoding[] => [
      [(c) => f.compareAndBranch(c, code, 1, 14, mask, 0x7fff), `${name} %r1,%r14,${mask},${place(0xfffe)}`],
      [(c) => f.compareAndBranch(c, code, 15, 2, mask, -0x8000), `${name} %r15,%r2,${mask},${place(-0x10000)}`],
    ]),
  ),
  [(c) => f.compareNumberAndBranch(c, op.CLIJ, 1, 32, 2, 0x1234), `clij %r1,32,2,${place(0x2468)}`],
  [(c) => f.compareNumberAndBranch(c, op.CLIJ, 14, 255, 10, -2), `clij %r14,255,10,${place(-4)}`],
  [(c) => f.insertBits(c, 7, 0, 0, 31), 'risbg %r7,%r0,0,31,0'],
  [(c) => f.insertBits(c, 1, 14, 32, 63), 'risbg %r1,%r14,32,63,0'],
  ...SS.flatMap(([name, code]): Encoding[] => [
    [(c) => f.ss(c, code, 4, 15, 64, 15, 240), `${name} 64(4,%r15),240(%r15)`],
    [(c) => f.ss(c, code, 256, 1, 0, 14, 4095), `${name} 0(256,%r1),4095(%r14)`],
  ]),
];

/** A place `bytes` from the instruction, as the assembler has it. */
function place(bytes: number): string {
  return bytes < 0 ? `.-${-bytes}` : `.+${bytes}`;
}
