/**
 * Assembles one program for BPF_PROG_LOAD: CO-RE, the subprograms it calls behind it in the order of their first calls,
 * references to maps and externs (bpf_object__relocate, libbpf 1.5).
 */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import type { Budget } from '../core/budget.js';
import { formatRelocation } from '../core/format.js';
import { patchInstruction, POISON_HELPER } from '../core/patch.js';
import { CoreCache, CoreResolver, isCoreFailure } from '../core/resolve.js';
import type { CoreRelocation } from '../core/relocation.js';
import { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import { ok, type Outcome } from '../outcome.js';
import { findProgramAt } from './collect-programs.js';
import { E2BIG, EINVAL, ENOENT, ERRNO_RELOC, refuse } from './failure.js';
import { POISON_KFUNC_BASE, POISON_MAP_BASE, type PoisonNotes } from './explain-log.js';
import type { Extern, ObjectModel, ObjectProgram, Refusal, Relocation } from './model.js';
import { SourceInfo, type ProgramInfo } from './source-info.js';

const INSN_BYTES = 8;

/** One function of the program: its own copy of the instructions, and where it lies in the whole. */
interface Part {
  readonly program: ObjectProgram;
  readonly insns: Instructions;
  readonly offset: number;
  readonly relocations: ReadonlyMap<number, Relocation>;
}

export interface Assembled extends ProgramInfo {
  readonly instructions: Instructions;
  readonly notes: PoisonNotes;
}

/** Functions after CO-RE: their own copies, and what could not be resolved in each, by slot. */
interface Relocated {
  readonly copies: Map<ObjectProgram, Instructions>;
  readonly poisoned: Map<ObjectProgram, Map<number, string>>;
}

/** Assembles the programs of one object, each on its own. */
export class Assembler {
  private readonly relocationIndex = new Map<ObjectProgram, ReadonlyMap<number, Relocation>>();
  private exceptionTags: readonly ExceptionTag[] | null = null;
  private records: Outcome<SectionRecords[]> | null = null;
  private readonly coreCache = new CoreCache();
  private readonly info: SourceInfo;

  constructor(
    private readonly model: ObjectModel,
    private readonly kernel: Btf,
    private readonly budget: Budget,
    /** Bytes of instructions that may still be made of this object. */
    private bytesLeft: number,
  ) {
    this.info = new SourceInfo(model, budget);
  }

  assemble(program: ObjectProgram): Outcome<Assembled> {
    const relocated = this.relocateTypes(program);
    if (!relocated.ok) return relocated;
    const assembly = new Assembly(this, program, relocated.value.copies);
    const refusal = assembly.addCalled() ?? this.addExceptionCallback(assembly) ?? assembly.resolveData();
    if (refusal !== null) return refusal;
    const info = this.info.collect(program, assembly.parts);
    if (!info.ok) return info;
    const notes = this.notesOf(assembly.parts, relocated.value.poisoned);
    return ok({ instructions: assembly.join(), notes, ...info.value });
  }

  /** Counts instructions against what the object may grow to. */
  take(count: number): boolean {
    this.bytesLeft -= count * INSN_BYTES;
    return this.bytesLeft >= 0;
  }

  relocationsOf(program: ObjectProgram): ReadonlyMap<number, Relocation> {
    let index = this.relocationIndex.get(program);
    if (index === undefined) {
      index = new Map(program.relocations.map((one) => [one.instruction, one]));
      this.relocationIndex.set(program, index);
    }
    return index;
  }

  subprogramAt(slot: number): ObjectProgram | null {
    return findProgramAt(this.model.programs, this.model.text, slot);
  }

  private notesOf(parts: readonly Part[], poisoned: Relocated['poisoned']): PoisonNotes {
    const relocations = new Map<number, string>();
    for (const { program, offset } of parts) {
      for (const [instruction, text] of poisoned.get(program) ?? []) relocations.set(offset + instruction, text);
    }
    const { maps, externs } = this.model;
    return { relocations, maps: maps.map((map) => map.name), externs: externs.map((extern) => extern.name) };
  }

  /** Copies of the functions that CO-RE changes: the program and all of .text, in the order of the relocations. */
  private relocateTypes(main: ObjectProgram): Outcome<Relocated> {
    const relocated: Relocated = { copies: new Map(), poisoned: new Map() };
    const { btf } = this.model;
    if (btf === null) return ok(relocated);
    this.records ??= this.collectRecords(btf);
    if (!this.records.ok) return this.records;
    const resolver = new CoreResolver(btf, this.kernel, this.budget, this.coreCache);
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
      const records = new SectionRecords(this.info.sectionIndex(name));
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

  /** The exception callback that a declaration tag names is part of the program, called or not. */
  private addExceptionCallback(assembly: Assembly): Refusal | null {
    const callback = this.findExceptionCallback(assembly.main);
    if (callback === null || 'ok' in callback) return callback;
    return assembly.addFunction(callback);
  }

  private findExceptionCallback(main: ObjectProgram): ObjectProgram | Refusal | null {
    const bad = (message: string, errno = EINVAL): Refusal =>
      refuse('EXCEPTION_CALLBACK', `prog '${main.name}': ${message}`, errno, { symbol: main.name });
    let callback: ObjectProgram | null = null;
    for (const tag of this.findExceptionTags()) {
      if (!tag.isGlobalFunction) return bad('exception_callback:<value> decl tag not applied to the main program');
      if (tag.functionName !== main.name) continue;
      if (callback !== null) return null; // several: for the verifier to refuse
      if (tag.value === '') return bad('exception_callback:<value> decl tag contains empty value');
      callback = this.model.programs.find((one) => one.isSubprogram && one.name === tag.value) ?? null;
      if (callback === null) return bad(`cannot find exception callback '${tag.value}'`, ENOENT);
      if (!callback.isGlobal || callback.isHidden) {
        return bad(`exception callback ${callback.name} must be a global non-hidden function`);
      }
    }
    return callback;
  }

  private findExceptionTags(): readonly ExceptionTag[] {
    this.exceptionTags ??= this.model.btf === null ? [] : exceptionTags(this.model.btf);
    return this.exceptionTags;
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

interface ExceptionTag {
  readonly value: string;
  readonly functionName: string;
  readonly isGlobalFunction: boolean;
}

const EXCEPTION_TAG = 'exception_callback:';

function exceptionTags(btf: Btf): ExceptionTag[] {
  const tags: ExceptionTag[] = [];
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kind.KIND_DECL_TAG || btf.declTagComponent(id) !== -1) continue;
    const text = btf.typeName(id);
    if (!text.startsWith(EXCEPTION_TAG)) continue;
    const target = btf.sizeOrType(id);
    const isGlobalFunction = btf.kind(target) === kind.KIND_FUNC && btf.linkage(target) === kind.LINKAGE_GLOBAL;
    tags.push({ value: text.slice(EXCEPTION_TAG.length), functionName: btf.typeName(target), isGlobalFunction });
  }
  return tags;
}

/** One program while it is put together. */
class Assembly {
  readonly parts: Part[] = [];
  private readonly placed = new Map<ObjectProgram, Part>();
  private length = 0;
  private readonly pending: { part: Part; next: number }[] = [];

  constructor(
    private readonly assembler: Assembler,
    readonly main: ObjectProgram,
    private readonly relocated: ReadonlyMap<ObjectProgram, Instructions>,
  ) {}

  /** Places the program and, walking its calls depth first, every function it calls. */
  addCalled(): Refusal | null {
    return this.addFunction(this.main);
  }

  /** Places a function and what it calls, unless it is placed already. */
  addFunction(program: ObjectProgram): Refusal | null {
    if (this.placed.has(program)) return null;
    const first = this.place(program);
    if ('ok' in first) return first;
    while (this.pending.length > 0) {
      const refusal = this.walk(this.pending.at(-1)!);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  /** Puts a function's instructions at the end of the program, to be walked next. */
  private place(program: ObjectProgram): Part | Refusal {
    if (!this.assembler.take(program.count)) {
      const message = `prog '${this.main.name}': programs of this object grow beyond 64 times its size`;
      return refuse('LIMIT', message, E2BIG, { symbol: program.name });
    }
    const insns = this.relocated.get(program)?.clone() ?? Instructions.from(program.bytes);
    const part = { program, insns, offset: this.length, relocations: this.assembler.relocationsOf(program) };
    for (const { instruction, target } of program.relocations) {
      if (target.kind === 'subprogram-address') insns.setSrc(instruction, op.PSEUDO_FUNC);
    }
    this.parts.push(part);
    this.placed.set(program, part);
    this.length += program.count;
    this.pending.push({ part, next: 0 });
    return part;
  }

  /** Goes on with a function up to the next call of one that is not placed yet, or to its end. */
  private walk(frame: { part: Part; next: number }): Refusal | null {
    const { part } = frame;
    while (frame.next < part.insns.length) {
      const i = frame.next++;
      if (!isSubprogramReference(part.insns, i)) continue;
      const relocation = part.relocations.get(i);
      if (relocation?.target.kind === 'extern-call') continue;
      const callee = this.calleeOf(part, i, relocation);
      if ('ok' in callee) return callee;
      const isNew = !this.placed.has(callee);
      const placed = this.placed.get(callee) ?? this.place(callee);
      if ('ok' in placed) return placed;
      part.insns.setImm(i, placed.offset - (part.offset + i) - 1);
      if (isNew) return null;
    }
    this.pending.pop();
    return null;
  }

  private calleeOf(part: Part, i: number, relocation: Relocation | undefined): ObjectProgram | Refusal {
    const { program, insns } = part;
    const bad = (message: string): Refusal => {
      const place = { section: program.section, symbol: program.name, instruction: i };
      return refuse('RELOCATION', `prog '${program.name}': ${message}`, ERRNO_RELOC, place);
    };
    let slot: number;
    if (relocation === undefined) {
      // A static function of the same section: the call is relative to where it was compiled.
      if (insns.opcode(i) === op.LD_IMM64) return bad(`missing subprog addr relo for insn #${i}`);
      slot = program.start + i + insns.imm(i) + 1;
    } else if (relocation.target.kind === 'call') {
      slot = relocation.target.offset / INSN_BYTES + insns.imm(i) + 1;
    } else if (relocation.target.kind === 'subprogram-address') {
      slot = (relocation.target.offset + insns.imm(i)) / INSN_BYTES;
    } else {
      return bad(`unexpected relo for insn #${i}`);
    }
    const callee = this.assembler.subprogramAt(slot);
    return callee ?? bad('no .text section found yet sub-program call exists');
  }

  /** Puts maps, variables and kernel symbols into the instructions that refer to them. */
  resolveData(): Refusal | null {
    for (const part of this.parts) {
      for (const relocation of part.program.relocations) {
        const refusal = resolveReference(part, relocation);
        if (refusal !== null) return refusal;
      }
    }
    return null;
  }

  join(): Instructions {
    const whole = Instructions.alloc(this.length);
    for (const { insns, offset } of this.parts) whole.copyFrom(insns, 0, offset, insns.length);
    return whole;
  }
}

/** A call of a subprogram, or a load of its address. */
function isSubprogramReference(insns: Instructions, i: number): boolean {
  const opcode = insns.opcode(i);
  if (opcode === (op.JMP | op.CALL)) return insns.src(i) === op.PSEUDO_CALL && insns.dst(i) === 0 && insns.off(i) === 0;
  return opcode === op.LD_IMM64 && insns.src(i) === op.PSEUDO_FUNC;
}

function resolveReference({ program, insns }: Part, { instruction: i, target }: Relocation): Refusal | null {
  switch (target.kind) {
    case 'map':
      if (!target.map.autocreate) return poisonMap(insns, i, target.map.index);
      insns.setSrc(i, op.PSEUDO_MAP_FD);
      insns.setImm(i, target.map.index);
      return null;
    case 'data':
      insns.setImm(i + 1, (insns.imm(i) + target.offset) | 0);
      if (!target.map.autocreate) return poisonMap(insns, i, target.map.index);
      insns.setSrc(i, op.PSEUDO_MAP_VALUE);
      insns.setImm(i, target.map.index);
      return null;
    case 'extern-load':
      return resolveExternLoad(insns, i, target.extern);
    case 'extern-call':
      return resolveExternCall(insns, i, target.extern);
    case 'subprogram-address':
      if (insns.src(i) === op.PSEUDO_FUNC) return null;
      return refuse('RELOCATION', `prog '${program.name}': relo at insn #${i}: bad insn`, EINVAL, {
        symbol: program.name,
        instruction: i,
      });
    case 'call':
      return null;
  }
}

function poisonMap(insns: Instructions, i: number, mapIndex: number): null {
  for (const slot of [i, i + 1]) insns.set(slot, op.JMP | op.CALL, 0, 0, 0, POISON_MAP_BASE + mapIndex);
  return null;
}

function resolveExternLoad(insns: Instructions, i: number, extern: Extern): null {
  if (extern.kconfig !== null) {
    insns.setSrc(i, op.PSEUDO_MAP_VALUE);
    insns.setImm(i, extern.mapIndex);
    insns.setImm(i + 1, extern.kconfig.offset);
  } else if (extern.typeId !== 0 && extern.isSet) {
    insns.setSrc(i, op.PSEUDO_BTF_ID);
    insns.setImm(i, extern.kernelId);
    insns.setImm(i + 1, 0);
  } else {
    const [high, low] = extern.address;
    insns.setImm(i, low | 0);
    insns.setImm(i + 1, high | 0);
  }
  return null;
}

function resolveExternCall(insns: Instructions, i: number, extern: Extern): null {
  if (!extern.isSet) {
    insns.set(i, op.JMP | op.CALL, 0, 0, 0, POISON_KFUNC_BASE + extern.index);
    return null;
  }
  insns.setSrc(i, op.PSEUDO_KFUNC_CALL);
  insns.setImm(i, extern.kernelId);
  insns.setOff(i, 0);
  return null;
}
