/**
 * Assembles one program for BPF_PROG_LOAD: CO-RE, the subprograms it calls behind it in the order of their first calls,
 * references to maps and externs (bpf_object__relocate, libbpf 1.5).
 */
import type { Budget } from '../core/budget.js';
import type { Instructions } from '../isa/instructions.js';
import { ok, type Outcome } from '../outcome.js';
import { Assembly, type FunctionSource, type Part } from './assembly.js';
import { findProgramAt } from './collect-programs.js';
import { ExceptionCallbacks } from './exception-callback.js';
import type { PoisonNotes } from './explain-log.js';
import type { LoaderProfile } from './loader-profile.js';
import type { ObjectModel, ObjectProgram, Refusal, Relocation } from './model.js';
import { TypeRelocator, type Relocated } from './relocate-types.js';
import { SourceInfo, type ProgramInfo } from './source-info.js';

const INSN_BYTES = 8;

export interface Assembled extends ProgramInfo {
  readonly instructions: Instructions;
  /** See Program. */
  readonly descriptors: ReadonlySet<number>;
  readonly notes: PoisonNotes;
}

/** Assembles the programs of one object, each on its own. */
export class Assembler implements FunctionSource {
  private readonly relocationIndex = new Map<ObjectProgram, ReadonlyMap<number, Relocation>>();
  private readonly info: SourceInfo;
  private readonly types: TypeRelocator;
  private readonly callbacks: ExceptionCallbacks;

  constructor(
    private readonly model: ObjectModel,
    profile: LoaderProfile,
    budget: Budget,
    /** Bytes of instructions that may still be made of this object. */
    private bytesLeft: number,
  ) {
    this.info = new SourceInfo(model, budget);
    this.types = new TypeRelocator(model, profile, budget, (name) => this.info.sectionIndex(name));
    this.callbacks = new ExceptionCallbacks(model);
  }

  assemble(program: ObjectProgram): Outcome<Assembled> {
    const relocated = this.types.relocate(program);
    if (!relocated.ok) return relocated;
    const assembly = new Assembly(this, program, relocated.value);
    const refusal = assembly.addCalled() ?? this.addExceptionCallback(assembly) ?? assembly.resolveData();
    if (refusal !== null) return refusal;
    const info = this.info.collect(program, assembly.parts);
    if (!info.ok) return info;
    const notes = this.notesOf(assembly.parts, relocated.value);
    return ok({ instructions: assembly.join(), descriptors: assembly.descriptors(), notes, ...info.value });
  }

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

  private notesOf(parts: readonly Part[], relocated: Relocated): PoisonNotes {
    const relocations = new Map<number, string>();
    for (const { program, offset } of parts) {
      for (const [instruction, text] of relocated.poisonsOf(program) ?? []) relocations.set(offset + instruction, text);
    }
    const { maps, externs } = this.model;
    return { relocations, maps: maps.map((map) => map.name), externs: externs.map((extern) => extern.name) };
  }

  /** The exception callback that a declaration tag names is part of the program, called or not. */
  private addExceptionCallback(assembly: Assembly): Refusal | null {
    const callback = this.callbacks.find(assembly.main);
    if (callback === null || 'ok' in callback) return callback;
    return assembly.addFunction(callback);
  }
}
