/** Where the order of bytes has meaning to the verifier and the rewrites: the same programs for twins of either order. */
import t from 'tap';
import { compile } from '../../src/compiler/compile.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { BPF_PROG_TYPE_SCHED_CLS } from '../../src/compiler/targets/uapi.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { loadProfile } from '../../src/service/targets.js';
import { bigEndianProfile } from '../objects/big-endian.js';

type Row = readonly [opcode: number, dst: number, src: number, off: number, imm: number];

const little = loadProfile();
const big = bigEndianProfile();
const EXIT: Row = [isa.JMP | isa.EXIT, 0, 0, 0, 0];
/** struct __sk_buff. */
const MARK = 8;

function ask(profile: Profile, rows: readonly Row[]): { log: string; translated: string[] } {
  const insns = Instructions.alloc(rows.length);
  rows.forEach((row, i) => {
    insns.set(i, ...row);
  });
  const program = {
    ...{ name: 't', type: BPF_PROG_TYPE_SCHED_CLS, expectedAttachType: 0, license: 'GPL', flags: 0 },
    ...{ attachTo: '', attachBtfId: 0, maps: [] },
    ...{ btf: new Uint8Array(0), funcInfo: new Uint8Array(0), lineInfo: new Uint8Array(0) },
    instructions: insns.toWire(profile.byteOrder),
  };
  const options = { object: null, programs: [], cpu: {}, logLevel: 2, legacyMaps: false, link: null };
  const answer = compile({ program, ...options }, profile).programs[0]!;
  t.equal(answer.errno, 0, answer.log);
  const translated = Instructions.from(answer.translated, profile.byteOrder);
  const text = (i: number): string => {
    const [opcode, dst, src] = [translated.opcode(i), translated.dst(i), translated.src(i)];
    return `${opcode.toString(16)} r${dst} r${src} ${translated.imm(i)}`;
  };
  return { log: answer.log, translated: Array.from({ length: translated.length }, (_, i) => text(i)) };
}

t.test('the low half of a spilled number comes back from where the order has it', async (t) => {
  const fill = (off: number): readonly Row[] => [
    [isa.ST | isa.MEM | isa.DW, 10, 0, -8, 7],
    [isa.LDX | isa.MEM | isa.W, 0, 10, off, 0],
    EXIT,
  ];
  const known = (profile: Profile, off: number): boolean => / ; R0_w=7 /.test(ask(profile, fill(off)).log);
  t.strictSame([known(little, -8), known(little, -4)], [true, false]);
  t.strictSame([known(big, -8), known(big, -4)], [false, true]);
});

t.test('a spill of less than a slot is filled from its own low part', async (t) => {
  const fill = (size: number, off: number): readonly Row[] => [
    [isa.ST | isa.MEM | isa.W, 10, 0, -8, 7],
    [isa.LDX | isa.MEM | size, 0, 10, off, 0],
    EXIT,
  ];
  const known = (profile: Profile, size: number, off: number): boolean =>
    / ; R0_w=7 /.test(ask(profile, fill(size, off)).log);
  t.strictSame(
    [-8, -7, -6, -5].map((off) => known(little, isa.B, off)),
    [true, false, false, false],
  );
  t.strictSame(
    [-8, -7, -6, -5].map((off) => known(big, isa.B, off)),
    [false, false, false, true],
  );
  t.ok(known(little, isa.W, -8) && known(big, isa.W, -8), 'all of it comes back either way');
});

t.test('narrow loads of a context are cut out of the field from the end that the order says', async (t) => {
  const shifts = (profile: Profile): number[] =>
    [0, 1, 2, 3].map((at) => {
      const { translated } = ask(profile, [[isa.LDX | isa.MEM | isa.B, 0, 1, MARK + at, 0], EXIT]);
      t.equal(translated.at(-2), '54 r0 r0 255');
      const shift = translated.find((line) => line.startsWith('74 r0'));
      return shift === undefined ? 0 : Number(shift.split(' ').at(-1));
    });
  t.strictSame(shifts(little), [0, 8, 16, 24]);
  t.strictSame(shifts(big), [24, 16, 8, 0]);
});

t.test('a JIT that wants it gets its results zero-extended', async (t) => {
  const wanting = Object.create(little, {
    behaviour: { value: { ...little.behaviour, zeroExtendsResults: true } },
  }) as Profile;
  const rows: readonly Row[] = [
    [isa.ALU | isa.MOV, 0, 0, 0, 1], // of which all is returned
    [isa.ALU | isa.MOV, 2, 0, 0, 1], // which nobody reads
    EXIT,
  ];
  t.strictSame(ask(little, rows).translated, ['b4 r0 r0 1', 'b4 r2 r0 1', '95 r0 r0 0']);
  t.strictSame(ask(wanting, rows).translated, ['b4 r0 r0 1', 'bc r0 r0 1', 'b4 r2 r0 1', '95 r0 r0 0']);
});

t.test('without a JIT there is no code, and calls of functions go to the interpreter of their stack', async (t) => {
  // Kernels with a JIT alone have no interpreters, nor names for them.
  const addresses: Readonly<Record<string, number>> = { __bpf_call_base_args: 0x1000, __bpf_prog_run_args64: 0x0c00 };
  const address = (name: string): readonly [number, number] => [0, addresses[name] ?? 0];
  const interpreting = Object.create(little, {
    behaviour: { value: { ...little.behaviour, interpretsPrograms: true } },
    symbols: { value: { address, otherAddress: () => null, size: 2 } },
  }) as Profile;
  const rows: readonly Row[] = [
    [isa.JMP | isa.CALL, 0, isa.PSEUDO_CALL, 0, 1],
    EXIT,
    [isa.ST | isa.MEM | isa.DW, 10, 0, -40, 0],
    [isa.ALU64 | isa.MOV, 0, 0, 0, 0],
    EXIT,
  ];
  t.equal(ask(interpreting, rows).translated[0], '85 r0 r1 -1024');
});
