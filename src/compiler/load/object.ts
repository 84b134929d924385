/** Loads the programs of an ELF object as libbpf 1.5 would for a kernel, each as if it were the only one asked for. */
import { Budget, OBJECT_STEPS } from '../core/budget.js';
import { parseStructRecords } from '../btf/struct-records.js';
import { validateBtf } from '../btf/validate.js';
import { fail, ok, type Failure, type Outcome } from '../outcome.js';
import { ALL_CAPABILITIES, CAP_BPF, isCapable } from '../targets/capabilities.js';
import type { KernelModule } from '../targets/modules.js';
import * as uapi from '../targets/uapi.js';
import { Assembler, type Assembled } from './assemble.js';
import { attachmentOf, type Attachment } from './attach-target.js';
import { createMaps } from './create-maps.js';
import { errorText } from './error-text.js';
import { EBADF, EINVAL, ENOENT, EOPNOTSUPP, EPERM, loadFailure, refuse } from './failure.js';
import type { PoisonNotes } from './explain-log.js';
import { fillKconfig } from './kconfig.js';
import { knowsAttachTypes, needsContextTypes, withProbeReads } from './kernel-features.js';
import { kptrTargets } from './kptr-targets.js';
import { checkStrongExterns, resolveKernelSymbols } from './ksyms.js';
import type { LoaderProfile } from './loader-profile.js';
import type { ObjectModel, ObjectProgram, Refusal } from './model.js';
import { settleHiddenFunctions } from './object-btf.js';
import {
  BPF_F_SLEEPABLE,
  BPF_F_XDP_HAS_FRAGS,
  checkProgramAttributes,
  effectiveAttachType,
} from './program-attributes.js';
import type { MapSpec, Program, TargetProgram } from './program.js';
import { readObject } from './read-object.js';
import { settleStructOps } from './struct-ops.js';

/** How many times its own size an object's programs may grow to together. */
const GROWTH = 64;
/** What small objects may grow to in any case, in bytes. */
const SMALL_GROWTH = 8 << 20;
const NAME_LENGTH = 15;

export interface ObjectOptions {
  /** Names of the programs to load; all that load by default where empty. */
  readonly programs: readonly string[];
  /** Take the `maps` section that libbpf 1.x refuses. */
  readonly legacyMaps: boolean;
  /** What the process may do that loads it (effective CAP_…); everything by default. */
  readonly capabilities?: number;
  /** The BPF program that extensions and programs on functions are attached to. */
  readonly attachProgram?: TargetProgram | null;
  /** The function of it, in place of the one that a section names. */
  readonly attachFunction?: string;
}

export interface LoadedProgram {
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly expectedAttachType: number;
  /** The program for BPF_PROG_LOAD, or why libbpf or the kernel refuses it before verifying. */
  readonly program: Outcome<Program>;
  /** What libbpf puts into the log of a rejection; see `explainLog`. */
  readonly notes: PoisonNotes | null;
  /** What refuses the object once the program is loaded: program arrays that name programs which are not; else null. */
  readonly afterLoad: Failure | null;
}

export interface LoadedObject {
  readonly programs: readonly LoadedProgram[];
  /** The object's maps, which its programs' instructions index; empty where they cannot be made. */
  readonly maps: readonly MapSpec[];
  /** Why nothing of the object loads, or null. */
  readonly failure: Failure | null;
}

/** Loads an object. Every malformed or refused input is in the answer; time and memory are bounded by the object's size. */
export function loadObject(elf: Uint8Array, profile: LoaderProfile, options: ObjectOptions): LoadedObject {
  const budget = new Budget(OBJECT_STEPS);
  const model = readObject(
    elf,
    { legacyMaps: options.legacyMaps, pageSize: profile.pageSize, byteOrder: profile.byteOrder },
    budget,
  );
  if (!model.ok) return { programs: [], maps: [], failure: model.failure };
  const growth = Math.max(elf.length * GROWTH, SMALL_GROWTH);
  const capabilities = options.capabilities ?? ALL_CAPABILITIES;
  return new Loader(model.value, profile, budget, capabilities, growth, options).load(options.programs);
}

/** What all programs of the object share. */
interface Shared {
  readonly maps: Outcome<MapSpec[]>;
  /** The program BTF where the kernel takes it. */
  readonly btf: ObjectModel['btf'];
}

class Loader {
  private readonly assembler: Assembler;
  private shared: Outcome<Shared> | null = null;
  /** Modules of kernel functions, as calls count them from 1. */
  private readonly functionModules: KernelModule[] = [];

  constructor(
    private readonly model: ObjectModel,
    private readonly profile: LoaderProfile,
    private readonly budget: Budget,
    private readonly capabilities: number,
    growth: number,
    private readonly options: ObjectOptions,
  ) {
    this.assembler = new Assembler(model, profile, budget, growth);
  }

  load(names: readonly string[]): LoadedObject {
    const { model } = this;
    const refusal = this.resolveObject();
    const programs = names.length === 0 ? this.defaultPrograms() : names.map((name) => this.named(name));
    const afterLoad = this.checkProgramArrays(programs);
    const loaded = programs.map((program) => this.loadNamed(program, refusal, afterLoad));
    const specs = this.shared?.ok === true && this.shared.value.maps.ok ? this.shared.value.maps.value : [];
    const isEmpty = loaded.length === 0 && refusal === null;
    const empty = isEmpty ? loadFailure('NO_PROGRAMS', 'the object has no programs to load', ENOENT) : null;
    return { programs: loaded, maps: model.maps.length === 0 ? [] : specs, failure: refusal?.failure ?? empty };
  }

  private defaultPrograms(): ObjectProgram[] {
    return this.model.programs.filter((program) => !program.isSubprogram && program.autoload);
  }

  private named(name: string): ObjectProgram | string {
    return this.model.programs.find((program) => !program.isSubprogram && program.name === name) ?? name;
  }

  /** What libbpf settles once for the object: externs and struct_ops. */
  private resolveObject(): Refusal | null {
    const { model, profile, budget } = this;
    const kconfig = model.maps.find((map) => map.origin === 'kconfig') ?? null;
    return (
      fillKconfig(model.externs, kconfig, profile, this.capabilities) ??
      (model.btf === null
        ? null
        : resolveKernelSymbols(model.externs, model.btf, profile, budget, this.functionModules)) ??
      checkStrongExterns(model.externs) ??
      settleStructOps(model, profile.btf, budget)
    );
  }

  /** The initial values of program arrays must be among the programs that are loaded with them. */
  private checkProgramArrays(programs: readonly (ObjectProgram | string)[]): Failure | null {
    const loaded = new Set(programs.map((program) => (typeof program === 'string' ? program : program.name)));
    for (const map of this.model.maps) {
      if (map.definition.type !== uapi.BPF_MAP_TYPE_PROG_ARRAY) continue;
      for (const [slot, name] of [...map.slots].sort(([a], [b]) => a - b)) {
        if (loaded.has(name)) continue;
        // libbpf hands the kernel -ENOENT for the descriptor of a program that is not loaded.
        const message = `map '${map.name}': failed to initialize slot [${slot}] to prog '${name}' fd=${ENOENT}: ${EBADF}`;
        return loadFailure('PROGRAM_ARRAY', message, EBADF, { section: map.section, symbol: name });
      }
    }
    return null;
  }

  private loadNamed(
    program: ObjectProgram | string,
    refusal: Refusal | null,
    afterLoad: Failure | null,
  ): LoadedProgram {
    if (typeof program === 'string') {
      const message = `prog '${program}': not found in the object`;
      const failure = refuse('PROGRAM_NOT_FOUND', message, ENOENT, { symbol: program });
      return {
        name: program,
        section: '',
        type: 0,
        expectedAttachType: 0,
        program: failure,
        notes: null,
        afterLoad: null,
      };
    }
    const { name, section, type } = program;
    const assembled = refusal ?? this.assembler.assemble(program);
    const loaded = assembled.ok ? this.loadProgram(program, assembled.value) : assembled;
    const notes = assembled.ok ? assembled.value.notes : null;
    return { name, section, type, expectedAttachType: attachTypeOf(program), program: loaded, notes, afterLoad };
  }

  private loadProgram(program: ObjectProgram, assembled: Assembled): Outcome<Program> {
    this.shared ??= this.createShared();
    if (!this.shared.ok) return this.shared;
    const { maps, btf } = this.shared.value;
    if (!maps.ok) return maps;
    const missing = checkType(program);
    if (missing !== null) return missing;
    const { attachProgram = null, attachFunction = '' } = this.options;
    const attach = attachmentOf(program, this.profile, attachProgram, attachFunction);
    if (!attach.ok) return attach;
    return this.submit(this.describe(program, assembled, maps.value, btf, attach.value));
  }

  /** Hands the BTF to the kernel, then makes the maps. */
  private createShared(): Outcome<Shared> {
    const { model, profile, capabilities } = this;
    const kptrs = kptrTargets(profile);
    const untyped = { btf: null, structs: new Map(), kptrs, profile, capabilities };
    if (model.btf === null) return ok({ btf: null, maps: createMaps(model.maps, untyped) });
    settleHiddenFunctions(model.btf, model.programs);
    const verdict = isCapable(capabilities, CAP_BPF) ? validateBtf(model.btf.blob) : { errno: EPERM };
    const structs = verdict.errno === 0 ? parseStructRecords(model.btf, kptrs) : verdict.errno;
    if (typeof structs === 'number') {
      if (model.maps.some((map) => map.origin === 'struct-ops')) {
        const errno = structs === EPERM ? EOPNOTSUPP : structs; // libbpf then takes the kernel for one without BTF
        const message = `Error loading .BTF into kernel: ${errno}. BTF is mandatory, can't proceed.`;
        return refuse('BTF_REJECTED', message, errno, { section: '.BTF' });
      }
      return ok({ btf: null, maps: createMaps(model.maps, untyped) });
    }
    return ok({ btf: model.btf, maps: createMaps(model.maps, { ...untyped, btf: model.btf, structs }) });
  }

  private describe(
    program: ObjectProgram,
    assembled: Assembled,
    maps: readonly MapSpec[],
    btf: ObjectModel['btf'],
    attachment: Attachment,
  ): Program {
    const { definition } = program;
    const isFragmented = definition?.frags === true && program.type === uapi.BPF_PROG_TYPE_XDP;
    return {
      name: program.name.slice(0, NAME_LENGTH),
      functionName: program.name,
      section: program.section,
      type: program.type,
      expectedAttachType: effectiveAttachType(program.type, this.attachType(program)),
      capabilities: this.capabilities,
      flags: (definition?.sleepable === true ? BPF_F_SLEEPABLE : 0) | (isFragmented ? BPF_F_XDP_HAS_FRAGS : 0),
      license: this.model.license,
      kernVersion: this.model.kernVersion,
      instructions: withProbeReads(assembled.instructions, this.capabilities),
      descriptors: assembled.descriptors,
      maps,
      btf,
      funcInfo: btf === null ? [] : assembled.funcInfo,
      lineInfo: btf === null ? [] : assembled.lineInfo,
      ...attachment,
      functionBtfs: this.functionModules,
    };
  }

  /** Where libbpf finds the kernel without expected attach types, it leaves out those that are optional. */
  private attachType(program: ObjectProgram): number {
    const isOptional = program.definition?.attachTypeOptional === true;
    return isOptional && !knowsAttachTypes(this.capabilities) ? 0 : attachTypeOf(program);
  }

  private submit(program: Program): Outcome<Program> {
    const errno = checkProgramAttributes(program, this.profile);
    if (errno === 0 && needsContextTypes(program.btf, program.capabilities)) {
      const message = 'not supported yet: arguments tagged as contexts, loaded without CAP_PERFMON';
      return refuse('UNSUPPORTED', message, EOPNOTSUPP, { section: program.section });
    }
    if (errno === 0) return ok(program);
    const message = `prog '${program.functionName}': BPF program load failed: ${errorText(errno)}`;
    return fail(loadFailure('PROGRAM_ATTRIBUTES', message, errno, { section: program.section }));
  }
}

/** User-space probes of the SystemTap kind are loaded for multi-links, which every kernel with a profile has. */
function attachTypeOf({ definition, expectedAttachType }: ObjectProgram): number {
  return definition?.usdt === true ? uapi.BPF_TRACE_UPROBE_MULTI : expectedAttachType;
}

/** libbpf's own checks of a program's type before it loads it. */
function checkType(program: ObjectProgram): Refusal | null {
  const { name, section, type } = program;
  const place = { section, symbol: name };
  if (type === uapi.BPF_PROG_TYPE_UNSPEC) {
    const message = `prog '${name}': missing BPF prog type, check ELF section name '${section}'`;
    return refuse('SECTION_UNKNOWN', message, EINVAL, place);
  }
  if (type === uapi.BPF_PROG_TYPE_STRUCT_OPS && (program.attachBtfId === 0 || !program.autoload)) {
    const message = `prog '${name}': SEC("struct_ops") program isn't referenced anywhere, did you forget to use it?`;
    return refuse('STRUCT_OPS', message, EINVAL, place);
  }
  return null;
}
