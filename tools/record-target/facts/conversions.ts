import { REGISTER_DST, REGISTER_SRC, type TemplateInstruction } from '../../../src/compiler/targets/data.js';
import { FIRST_INSTRUCTION, SCRATCH, type ProgramEmulator, type ProgramKind } from '../emulate/program.js';

const INSTRUCTION = SCRATCH + 0x100n;
const TARGET_SIZE = SCRATCH + 0x200n;
const OUTPUT = SCRATCH + 0x1000n;
/** Room for what a conversion writes. Its bit-fields are read before they are written: they start as zero. */
const OUTPUT_BYTES = 64 * 8;
/** Registers that a program's own loads and stores of its context can name: all but the frame pointer. */
const REGISTERS = 10;
/** An immediate that no conversion has of its own. */
const IMMEDIATE = 0x5a17_c3e9;

const CLASS_LDX = 1;
const CLASS_ST = 2;

export interface Conversion {
  readonly targetSize: number;
  /** ~template for all registers alike, or an index into `choices`. */
  readonly choice: number;
}

/** Turns the kernel's conversions into templates, shared by all layouts of a profile. */
export class TemplateTable {
  readonly templates: TemplateInstruction[][] = [];
  readonly choices: number[][] = [];
  private readonly templateIndex = new Map<string, number>();
  private readonly choiceIndex = new Map<string, number>();

  constructor(private readonly emulator: ProgramEmulator) {}

  /** What convert_ctx_access makes of an instruction, for every pair of registers. `notes` as is_valid_access left them. */
  async convert(
    convert: bigint,
    kind: ProgramKind,
    opcode: number,
    offset: number,
    notes: ReadonlyMap<number, number>,
  ): Promise<Conversion> {
    const kernelType = (opcode & 7) === CLASS_LDX ? 1n : 2n;
    const outputs: bigint[][] = [];
    let targetSize = 0;
    const sources = (opcode & 7) === CLASS_ST ? 1 : REGISTERS;
    for (let dst = 0; dst < REGISTERS; dst++) {
      for (let src = 0; src < sources; src++) {
        const wire = encode(opcode, dst, src, offset, (opcode & 7) === CLASS_ST ? IMMEDIATE : 0);
        const { cpu } = this.emulator;
        const count = await this.emulator.run(
          kind,
          () => {
            cpu.storeInstruction(INSTRUCTION, wire);
            cpu.store(TARGET_SIZE, 4, 0n);
            cpu.clear(OUTPUT, OUTPUT_BYTES);
            this.emulator.writeNotes(notes);
          },
          convert,
          [kernelType, INSTRUCTION, OUTPUT, this.emulator.program, TARGET_SIZE],
        );
        outputs.push(this.output(Number(count & 0xffff_ffffn)));
        targetSize = Number(cpu.load(TARGET_SIZE, 4));
      }
    }
    return { targetSize, choice: this.choose(outputs, sources) };
  }

  /** Instructions that gen_prologue puts in front of a program, without that program's first one; -1 for none. */
  async prologue(generate: bigint, kind: ProgramKind, directWrite: boolean): Promise<number> {
    const args = [OUTPUT, directWrite ? 1n : 0n, this.emulator.program];
    const zero = (): void => this.emulator.cpu.clear(OUTPUT, OUTPUT_BYTES);
    const count = await this.emulator.run(kind, zero, generate, args);
    const instructions = this.output(Number(count & 0xffff_ffffn));
    if (instructions.at(-1) === FIRST_INSTRUCTION) instructions.pop();
    return instructions.length === 0 ? -1 : this.add(instructions.map((wire) => symbolic(wire, -1, -1)));
  }

  private output(count: number): bigint[] {
    return Array.from({ length: count }, (_, i) => this.emulator.cpu.loadInstruction(OUTPUT + BigInt(8 * i)));
  }

  /** The fewest templates that explain what came out for each pair of registers. */
  private choose(outputs: readonly bigint[][], sources: number): number {
    const used: number[] = [];
    const picked = outputs.map((output, i) => {
      const dst = Math.floor(i / sources);
      const src = i % sources;
      const isStoreOfImmediate = sources === 1;
      const fits = used.find((t) => same(instantiate(this.templates[t]!, dst, src, IMMEDIATE), output));
      if (fits !== undefined) return fits;
      const template = this.bestTemplate(outputs, i, sources, isStoreOfImmediate);
      used.push(template);
      return template;
    });
    if (used.length === 1) return ~used[0]!;
    const runs: number[] = [];
    for (let i = 0; i < picked.length; i++) {
      if (i > 0 && picked[i] === picked[i - 1]) runs[runs.length - 1]!++;
      else runs.push(picked[i]!, 1);
    }
    const key = runs.join();
    let index = this.choiceIndex.get(key);
    if (index === undefined) {
      index = this.choices.length;
      this.choices.push(runs);
      this.choiceIndex.set(key, index);
    }
    return index;
  }

  /**
   * A register number in the output may be the instruction's own or a fixed one that happens to equal it. Of all
   * readings, the one that explains most pairs of registers is the template.
   */
  private bestTemplate(outputs: readonly bigint[][], at: number, sources: number, immediate: boolean): number {
    const dst = Math.floor(at / sources);
    const src = at % sources;
    const output = outputs[at]!;
    let best: TemplateInstruction[] | null = null;
    let bestCount = -1;
    for (const [d, s] of [
      [dst, src],
      [dst, -1],
      [-1, src],
      [-1, -1],
    ] as const) {
      for (const preferSource of [false, true]) {
        const template = output.map((wire) => symbolic(wire, d, immediate ? -1 : s, preferSource));
        const count = outputs.filter((other, i) =>
          same(instantiate(template, Math.floor(i / sources), i % sources, IMMEDIATE), other),
        ).length;
        if (count > bestCount) [best, bestCount] = [template, count];
      }
    }
    return this.add(best!);
  }

  private add(template: TemplateInstruction[]): number {
    const key = JSON.stringify(template);
    let index = this.templateIndex.get(key);
    if (index === undefined) {
      index = this.templates.length;
      this.templates.push(template);
      this.templateIndex.set(key, index);
    }
    return index;
  }
}

function encode(opcode: number, dst: number, src: number, offset: number, imm: number): bigint {
  const high = (BigInt.asUintN(32, BigInt(imm)) << 32n) | (BigInt.asUintN(16, BigInt(offset)) << 16n);
  return high | BigInt((src << 12) | (dst << 8) | opcode);
}

/** A template's instructions for given registers. */
function instantiate(template: readonly TemplateInstruction[], dst: number, src: number, imm: number): bigint[] {
  const register = (r: number) => (r === REGISTER_DST ? dst : r === REGISTER_SRC ? src : r);
  return template.map(([opcode, d, s, off, i]) => encode(opcode, register(d), register(s), off, i ?? imm));
}

function same(a: readonly bigint[], b: readonly bigint[]): boolean {
  return a.length === b.length && a.every((wire, i) => wire === b[i]);
}

/** An instruction with the registers `dst` and `src` as symbols (-1: keep numbers). */
function symbolic(wire: bigint, dst: number, src: number, preferSource = false): TemplateInstruction {
  const low = Number(wire & 0xffff_ffffn);
  const imm = Number(BigInt.asIntN(32, wire >> 32n));
  const register = (r: number) => {
    if (preferSource && r === src) return REGISTER_SRC;
    return r === dst ? REGISTER_DST : r === src ? REGISTER_SRC : r;
  };
  const offset = (low >> 16) as number;
  return [low & 0xff, register((low >> 8) & 15), register((low >> 12) & 15), offset, imm === IMMEDIATE ? null : imm];
}
