/** CO-RE: brings a program, and the subprograms it may call, in line with the target's types (bpf_object__relocate_core). */
import type { Btf } from '../btf/btf.js';
import type { Budget } from '../core/budget.js';
import { formatRelocation } from '../core/format.js';
import { patchInstruction, POISON_HELPER } from '../core/patch.js';
import type { CoreRelocation } from '../core/relocation.js';
import { CoreCache, CoreResolver, isCoreFailure } from '../core/resolve.js';
import type { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import { ok, type Outcome } from '../outcome.js';
import { findProgramAt } from './collect-programs.js';
import { E2BIG, EINVAL, refuse } from './failure.js';
import type { LoaderProfile } from './loader-profile.js';
import type { ObjectModel, ObjectProgram, Refusal } from './model.js';

const INSN_BYTES = 8;

/** Functions after CO-RE. */
export class Relocated {
  private readonly copies = new Map<ObjectProgram, Instructions>();
  private readonly poisons = new Map<ObjectProgram, Map<number, string>>();

  /** `text`: the subprograms, where those are the same for all programs. */
  constructor(private readonly text: Relocated | null) {}

  /** A function's instructions after CO-RE; undefined where it has no relocations. */
  get(program: ObjectProgram): Instructions | undefined {
    return this.copies.get(program) ?? this.text?.get(program);
  }
  /** What could not be resolved in a function, by slot. */
  poisonsOf(program: ObjectProgram): ReadonlyMap<number, string> | undefined {
    return this.poisons.get(program) ?? this.text?.poisonsOf(program);
  }

  /** The copy of a function that its relocations are made in. */
  own(program: ObjectProgram): Instructions {
    const insns = this.copies.get(program) ?? program.instructions.clone();
    this.copies.set(program, insns);
    return insns;
  }
  poison(program: ObjectProgram, instruction: number, what: string): void {
    const texts = this.poisons.get(program) ?? new Map<number, string>();
    if (!texts.has(instruction)) texts.set(instruction, what);
    this.poisons.set(program, texts);
  }
}

/** The CO-RE relocations of one object, resolved program by program. */
export class TypeRelocator {
  private records: Outcome<SectionRecords[]> | null = null;
  private readonly cache = new CoreCache();
  /** The subprograms, where no program's own relocations can change what becomes of them; 'differs' where they can. */
  private text: Relocated | 'differs' | null = null;

  constructor(
    private readonly model: ObjectModel,
    private readonly profile: LoaderProfile,
    private readonly budget: Budget,
    /** Index of the ELF section of a name. */
    private readonly sectionIndex: (name: string) => number,
  ) {}

  /** Copies of the functions that CO-RE changes: the program and all of .text, in the order of the relocations. */
  relocate(main: ObjectProgram): Outcome<Relocated> {
    const { btf } = this.model;
    if (btf === null) return ok(new Relocated(null));
    this.records ??= this.collectRecords(btf);
    if (!this.records.ok) return this.records;
    if (this.text === null) {
      const text = new Relocated(null);
      const refusal = this.relocateRecords(btf, text, (section) => section.shared);
      if (refusal !== null) return refusal;
      this.text = this.cache.dependsOnOrder ? 'differs' : text;
    }
    const shared = this.text === 'differs' ? null : this.text;
    const relocated = new Relocated(shared);
    const refusal = this.relocateRecords(btf, relocated, (section) => {
      const own = section.own.get(main) ?? [];
      return shared === null ? [...section.shared, ...own] : own;
    });
    return refusal ?? ok(relocated);
  }

  private relocateRecords(
    btf: Btf,
    relocated: Relocated,
    select: (section: SectionRecords) => readonly CoreRecord[],
  ): Refusal | null {
    const { btf: kernel, modules } = this.profile;
    const ofModules = modules.map((module) => module.btf);
    const resolver = new CoreResolver(btf, kernel, this.budget, this.cache, ofModules);
    for (const section of this.records?.ok === true ? this.records.value : []) {
      for (const record of select(section)) {
        const refusal = this.relocateType(record, relocated, resolver);
        if (refusal !== null) return refusal;
      }
    }
    return null;
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

  private relocateType(record: CoreRecord, relocated: Relocated, resolver: CoreResolver): Refusal | null {
    const { program, instruction, relocation } = record;
    const insns = relocated.own(program);
    if (insns.opcode(instruction) === op.LD_IMM64 && instruction + 1 >= insns.length) {
      return badRelocation(record, `insn #${instruction} (LDIMM64) is truncated`, EINVAL);
    }
    if (!this.budget.spend(1)) return badRelocation(record, 'types are too complex', E2BIG);
    const resolution = resolver.resolve(relocation);
    if (isCoreFailure(resolution)) return badRelocation(record, resolution.message, resolution.errno);
    const failure = patchInstruction(insns, instruction, resolution);
    if (failure !== null) return badRelocation(record, failure.message, failure.errno);
    if (insns.imm(instruction) === POISON_HELPER && insns.opcode(instruction) === (op.JMP | op.CALL)) {
      const text = formatRelocation(this.model.btf!, relocation);
      if (text !== null) relocated.poison(program, instruction, text);
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
  readonly shared: CoreRecord[] = [];
  readonly own = new Map<ObjectProgram, CoreRecord[]>();

  constructor(readonly sectionIndex: number) {}

  add(record: CoreRecord): void {
    if (record.program.isSubprogram) this.shared.push(record);
    else if (!this.own.get(record.program)?.push(record)) this.own.set(record.program, [record]);
  }
}

function brokenRelocations(): Refusal {
  return refuse('CORE_RELOCATION', 'failed to perform CO-RE relocations: -22', EINVAL);
}

function badRelocation({ program, index, instruction, offset }: CoreRecord, message: string, errno: number): Refusal {
  const place = { section: program.section, symbol: program.name, instruction, offset };
  return refuse('CORE_RELOCATION', `prog '${program.name}': relo #${index}: ${message}`, errno, place);
}
