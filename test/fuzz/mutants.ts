/**
 * Mutants: golden programs of ours (test/golden/verify, test/golden/rewrite) with a few instructions changed, so that
 * what only whole objects reach — function and line information, global functions, callbacks, iterators, dynptrs, kernel
 * functions, every program type — is reached by something just barely wrong. Their maps are plain ones: without BTF and
 * contents, since those are all that a raw job of the oracle can make.
 */
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { loadObject } from '../../src/compiler/load/object.js';
import type { MapSpec, Program } from '../../src/compiler/load/program.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { goldenNames, readGoldenObject } from '../golden/golden.js';
import { Random } from './random.js';

const FOLDERS = ['verify', 'rewrite'];
/** Maps that need more than the numbers of a raw job: an inner map, BTF, an address to lie at. */
const NEEDS_MORE = new Set([12, 13, 24, 26, 28, 29, 32, 33]);

/** The oracle's raw jobs take no more maps. */
const MAX_MAPS = 16;
/** Longer programs (test/golden/rewrite has them) say nothing new. */
const MAX_INSTRUCTIONS = 300;

const IMMEDIATES = [0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 47, 48, 63, 64, 255, 4095, -1, -8, -16, 0x7fffffff, -0x80000000];
const ALU = [isa.ADD, isa.SUB, isa.MUL, isa.DIV, isa.OR, isa.AND, isa.LSH, isa.RSH, isa.NEG, isa.MOD, isa.XOR, isa.MOV, isa.ARSH]; // prettier-ignore
const JUMPS = [isa.JEQ, isa.JGT, isa.JGE, isa.JSET, isa.JNE, isa.JSGT, isa.JSGE, isa.JLT, isa.JLE, isa.JSLT, isa.JSLE];
const ATOMICS = [isa.ADD, isa.ADD | isa.FETCH, isa.OR | isa.FETCH, isa.AND, isa.XOR | isa.FETCH, isa.XCHG, isa.CMPXCHG];
const SIZES = [isa.B, isa.H, isa.W, isa.DW];

let bases: readonly Program[] | null = null;

function plain(map: MapSpec): MapSpec {
  return { ...map, name: 'm', btf: null, btfKeyTypeId: 0, btfValueTypeId: 0, contents: null, frozen: false };
}

/** Every golden program that a raw job can stand for. */
function basePrograms(profile: Profile): readonly Program[] {
  return FOLDERS.flatMap((folder) =>
    goldenNames(folder).flatMap((name) => {
      const { programs } = loadObject(readGoldenObject(folder, name), profile, { programs: [], legacyMaps: false });
      return programs.flatMap(({ program }) => (program.ok && isPlain(program.value, profile) ? [program.value] : []));
    }),
  );
}

/** Linux 6.12's verifier itself faults where a work queue is asked for in a map without BTF. */
function usesWorkQueue({ instructions }: Program, { btf }: Profile): boolean {
  return slotsOf(instructions).some(
    (i) =>
      instructions.opcode(i) === (isa.JMP | isa.CALL) &&
      instructions.src(i) === isa.PSEUDO_KFUNC_CALL &&
      btf.typeName(instructions.imm(i)).startsWith('bpf_wq_'),
  );
}

function isPlain(program: Program, profile: Profile): boolean {
  const isOfKernel = program.attachBtf === null || program.attachBtf === profile.btf;
  const fits = program.maps.length <= MAX_MAPS && program.instructions.length <= MAX_INSTRUCTIONS;
  if (usesWorkQueue(program, profile)) return false;
  return (
    isOfKernel && fits && program.maps.every((map) => !NEEDS_MORE.has(map.type) && map.btfVmlinuxValueTypeId === 0)
  );
}

/** The slots that start an instruction. */
function slotsOf(insns: Instructions): number[] {
  const slots: number[] = [];
  for (let i = 0; i < insns.length; i++) {
    slots.push(i);
    if (insns.opcode(i) === isa.LD_IMM64) i++;
  }
  return slots;
}

class Mutator {
  private readonly slots: readonly number[];

  constructor(
    private readonly insns: Instructions,
    private readonly random: Random,
  ) {
    this.slots = slotsOf(insns);
  }

  /** Now and then the frame pointer, which few may be given. */
  private register(): number {
    return this.random.below(this.random.oneIn(8) ? 11 : 10);
  }

  private immediate(): number {
    return this.random.pick(IMMEDIATES);
  }

  /** An operation with a register or an immediate, at random. */
  private operate(i: number, cls: number, operation: number, off: number): void {
    const isUnary = operation === isa.NEG;
    if (!isUnary && this.random.oneIn(2))
      this.insns.set(i, cls | operation | isa.X, this.register(), this.register(), off, 0);
    else this.insns.set(i, cls | operation | isa.K, this.register(), 0, off, isUnary ? 0 : this.immediate());
  }

  private changeImmediate(i: number): void {
    const { insns, random } = this;
    const opcode = insns.opcode(i);
    if (opcode === isa.LD_IMM64) {
      if (insns.src(i) === isa.PSEUDO_MAP_VALUE) insns.setImm(i + 1, insns.imm(i + 1) + random.below(9) - 4);
    } else if (opcode === (isa.JMP | isa.CALL)) {
      if (insns.src(i) === 0) insns.setImm(i, 1 + random.below(211));
    } else insns.setImm(i, random.oneIn(2) ? this.immediate() : (insns.imm(i) + random.below(9) - 4) | 0);
  }

  private changeDestination(i: number): void {
    const { insns } = this;
    if ((insns.opcode(i) & isa.CLASS_MASK) === isa.JMP && insns.dst(i) === 0) return; // calls, exits, gotos have none
    insns.set(i, insns.opcode(i), this.register(), insns.src(i), insns.off(i), insns.imm(i));
  }

  private changeSource(i: number): void {
    const { insns } = this;
    const opcode = insns.opcode(i);
    const cls = opcode & isa.CLASS_MASK;
    const isMemory = cls === isa.LDX || cls === isa.STX;
    if (isMemory || (cls > isa.STX && (opcode & isa.X) !== 0 && (opcode & isa.OP_MASK) !== isa.END))
      insns.set(i, opcode, insns.dst(i), this.register(), insns.off(i), insns.imm(i));
  }

  private changeOffset(i: number): void {
    const { insns, random } = this;
    const cls = insns.opcode(i) & isa.CLASS_MASK;
    if (cls === isa.ALU || cls === isa.ALU64) insns.setOff(i, random.pick([0, 1, 8, 16, 32]));
    else insns.setOff(i, random.oneIn(3) ? random.pick([0, 1, -4, 8, -8, 16]) : insns.off(i) + random.below(17) - 8);
  }

  /** Another operation, width or size of the same class. */
  private changeOperation(i: number): void {
    const { insns, random } = this;
    const opcode = insns.opcode(i);
    const cls = opcode & isa.CLASS_MASK;
    if (cls === isa.ALU || cls === isa.ALU64) {
      const other = random.oneIn(3) ? cls ^ isa.ALU ^ isa.ALU64 : cls;
      insns.setOpcode(i, other | random.pick(ALU) | (opcode & isa.X));
    } else if ((cls === isa.JMP || cls === isa.JMP32) && JUMPS.includes(opcode & isa.OP_MASK)) {
      const other = random.oneIn(3) ? cls ^ isa.JMP ^ isa.JMP32 : cls;
      insns.setOpcode(i, other | random.pick(JUMPS) | (opcode & isa.X));
    } else if (cls === isa.LDX)
      insns.setOpcode(i, cls | random.pick(SIZES) | random.pick([isa.MEM, isa.MEM, isa.MEMSX]));
    else if (cls === isa.ST) insns.setOpcode(i, cls | random.pick(SIZES) | isa.MEM);
    else if (cls === isa.STX && random.oneIn(2)) insns.setOpcode(i, cls | random.pick(SIZES) | isa.MEM);
    else if (cls === isa.STX) {
      insns.setOpcode(i, cls | random.pick([isa.W, isa.DW]) | isa.ATOMIC);
      insns.setImm(i, random.pick(ATOMICS));
    }
  }

  /** Something new in its place. */
  private replace(i: number): void {
    const { insns, random } = this;
    const alu = random.pick([isa.ALU, isa.ALU64]);
    const slot = -8 * (1 + random.below(8)) + (random.oneIn(3) ? random.below(8) : 0);
    switch (random.below(8)) {
      case 0:
        return insns.set(i, isa.JMP | isa.JA, 0, 0, 0, 0);
      case 1:
        return this.operate(i, alu, random.pick(ALU), 0);
      case 2:
        return insns.set(i, alu | isa.MOV | isa.X, this.register(), this.register(), random.pick([0, 8, 16, 32]), 0);
      case 3:
        return insns.set(
          i,
          alu | isa.END | random.pick([isa.K, isa.X]),
          this.register(),
          0,
          0,
          random.pick([16, 32, 64]),
        );
      case 4:
        return insns.set(i, isa.LDX | isa.MEM | random.pick(SIZES), this.register(), isa.R10, slot, 0);
      case 5:
        return insns.set(i, isa.STX | isa.MEM | random.pick(SIZES), isa.R10, this.register(), slot, 0);
      case 6:
        return insns.set(i, isa.JMP | isa.JCOND, 0, 0, random.below(4), 0);
      default:
        return this.operate(i, random.pick([isa.JMP, isa.JMP32]), random.pick(JUMPS), random.below(5));
    }
  }

  private copyOther(i: number): void {
    const other = this.random.pick(this.slots);
    if (this.insns.opcode(other) !== isa.LD_IMM64) this.insns.copyFrom(this.insns, other, i, 1);
  }

  /** Changes one instruction; both slots of an LD_IMM64 stay what they are. */
  mutate(): void {
    const { insns, random } = this;
    const i = random.pick(this.slots);
    const isWide = insns.opcode(i) === isa.LD_IMM64;
    const kind = random.below(8);
    if (kind === 0) this.changeImmediate(i);
    else if (kind === 1 || isWide) this.changeDestination(i);
    else if (kind === 2) this.changeSource(i);
    else if (kind === 3) this.changeOffset(i);
    else if (kind === 4) this.changeOperation(i);
    else if (kind === 5) this.copyOther(i);
    else this.replace(i);
  }
}

/** The program of a seed. */
export function fuzzMutant(seed: number, profile: Profile): Program {
  bases ??= basePrograms(profile);
  const random = new Random(seed);
  const base = random.pick(bases);
  const instructions = base.instructions.clone();
  const mutator = new Mutator(instructions, random);
  for (let k = random.oneIn(3) ? 3 : 1; k > 0; k--) mutator.mutate();
  return { ...base, name: 't', instructions, maps: base.maps.map(plain) };
}
