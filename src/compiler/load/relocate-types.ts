/** CO-RE: brings a program, and the subprograms it may call, in line with the target's types (bpf_object__relocate_core). */
import type { Btf } from '../btf/btf.js';
import type { Budget } from '../core/budget.js';
import { formatRelocation } from '../core/format.js';
import { patchInstruction, POISON_HELPER } from '../core/patch.js';
import type { CoreRelocation } from '../core/relocation.js';
import { CoreCache, CoreResolver, isCoreFailure } from '../core/resolve.js';
import { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import { ok, type Outcome } from '../outcome.js';
import { findProgramAt } from './collect-programs.js';
import { E2BIG, EINVAL, refuse } from './failure.js';
import type { ObjectModel, ObjectProgram, Refusal } from './model.js';

const INSN_BYTES = 8;

/** Functions after CO-RE: their own copies, and what could not be resolved in each, by slot. */
export interface Relocated {
  readonly copies: Map<ObjectProgram, Instructions>;
  readonly poisoned: Map<ObjectProgram, Map<number, string>>;
}

/** The CO-RE relocations of one object, resolved program by program. */
export class TypeRelocator {
  private records: Outcome<SectionRecords[]> | null = null;
  private readonly cache = new CoreCache();

  constructor(
    private readonly model: ObjectModel,
    private readonly kernel: Btf,
    private readonly budget: Budget,
    /** Index of the ELF section of a name. */
    private readonly sectionIndex: (name: string) => number,
  ) {}

  /** Copies of the functions that CO-RE changes: the program and all of .text, in the order of the relocations. */
  relocate(main: ObjectProgram): Outcome<Relocated> {
    const relocated: Relocated = { copies: new Map(), poisoned: new Map() };
    const { btf } = this.model;
    if (btf === null) return ok(relocated);
    this.records ??= this.collectRecords(btf);
    if (!this.records.ok) return this.records;
    const resolver = new CoreResolver(btf, this.kernel, this.budget, this.cache);
    for (const section of this.records.value) {
      for (const record of section.get(main.sectionIndex === section.sectionIndex ? main : null)) {
        const refusal = this.relocateType(record, relocated, resolver);
        if (refusal !== null) return refusal;
      }
    }
    return ok(relocated);
  }

  /** The CO-RE relocations of every section, by the functions they are in. */
  private collectRecords(btf: Btf): Outcome<SectionRecords[]> {
    const sections: SectionRecords[] = [];
    for (const { nameOff, words, start, stride, count } of this.model.ext?.coreRelocations ?? []) {
      const name = btf.string(nameOff);
      if (name === '') return brokenRelocations();
      const records = new SectionRecords(this.sectionIndex(name));
      for (let index = 0; index < count; index++) {
        const at = start + index * stride;
        const offset = words[at]!;
        if (offset % INSN_BYTES !== 0) return brokenRelocations();
        // None: of a weak function that another definition replaced.
        const program = findProgramAt(this.model.programs, records.sectionIndex, offset / INSN_BYTES);
        if (program === null) continue;
        const relocation = { typeId: words[at + 1]!, accessOff: words[at + 2]!, kind: words[at + 3]! };
        const instruction = offset / INSN_BYTES - program.start;
        records.add({ program, index, instruction, offset, relocation });
      }
      sections.push(records);
    }
    return ok(sections);
  }

  private relocateType(record: CoreRecord, { copies, poisoned }: Relocated, resolver: CoreResolver): Refusal | null {
    const { program, instruction, relocation } = record;
    const insns = copies.get(program) ?? Instructions.from(program.bytes);
    copies.set(program, insns);
    if (insns.opcode(instruction) === op.LD_IMM64 && instruction + 1 >= insns.length) {
      return badRelocation(record, `insn #${instruction} (LDIMM64) is truncated`, EINVAL);
    }
    if (!this.budget.spend(1)) return badRelocation(record, 'types are too complex', E2BIG);
    const resolution = resolver.resolve(relocation);
    if (isCoreFailure(resolution)) return badRelocation(record, resolution.message, resolution.errno);
    const failure = patchInstruction(insns, instruction, resolution);
    if (failure !== null) return badRelocation(record, failure.message, failure.errno);
    if (insns.imm(instruction) === POISON_HELPER && insns.opcode(instruction) === (op.JMP | op.CALL)) {
      const texts = poisoned.get(program) ?? new Map<number, string>();
      const text = formatRelocation(this.model.btf!, relocation);
      if (text !== null && !texts.has(instruction)) texts.set(instruction, text);
      poisoned.set(program, texts);
    }
    return null;
  }
}

/** A CO-RE relocation and its place. */
interface CoreRecord {
  readonly program: ObjectProgram;
  /** Number of the relocation in its section. */
  readonly index: number;
  /** Slot in its function, and byte offset in the section. */
  readonly instruction: number;
  readonly offset: number;
  readonly relocation: CoreRelocation;
}

/** The CO-RE relocations of one section: those of subprograms concern every program, others their own. */
class SectionRecords {
  private readonly shared: CoreRecord[] = [];
  private readonly own = new Map<ObjectProgram, CoreRecord[]>();

  constructor(readonly sectionIndex: number) {}

  add(record: CoreRecord): void {
    if (record.program.isSubprogram) this.shared.push(record);
    else if (!this.own.get(record.program)?.push(record)) this.own.set(record.program, [record]);
  }

  /** Those that loading a program resolves; `program` null where it lies in another section. */
  get(program: ObjectProgram | null): readonly CoreRecord[] {
    return program === null ? this.shared : (this.own.get(program) ?? []);
  }
}

function brokenRelocations(): Refusal {
  return refuse('CORE_RELOCATION', 'failed to perform CO-RE relocations: -22', EINVAL);
}

function badRelocation({ program, index, instruction, offset }: CoreRecord, message: string, errno: number): Refusal {
  const place = { section: program.section, symbol: program.name, instruction, offset };
  return refuse('CORE_RELOCATION', `prog '${program.name}': relo #${index}: ${message}`, errno, place);
}
