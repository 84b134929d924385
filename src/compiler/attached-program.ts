/** The BPF program that others are attached to: loaded and verified before them, as their user has done. */
import { loadObject } from './load/object.js';
import type { Program, TargetProgram } from './load/program.js';
import { loadRaw } from './load/raw.js';
import type { AttachProgram } from './messages.js';
import { fail, ok, type Failure, type Outcome } from './outcome.js';
import { rewrite } from './rewrite/rewrite.js';
import type { Profile } from './targets/profile.js';
import { BPF_PROG_TYPE_EXT, BPF_PROG_TYPE_TRACING } from './targets/uapi.js';
import { verify, type VerifiedProgram } from './verify/verify.js';

export interface AttachedOptions {
  /** The request's own object, where the target names no other. */
  readonly object: Uint8Array | null;
  readonly legacyMaps: boolean;
}

/** Loads a target, and before it whatever it is attached to itself. Fails with ATTACH_PROGRAM where one is refused. */
export function loadAttachedProgram(
  target: AttachProgram,
  options: AttachedOptions,
  profile: Profile,
): Outcome<TargetProgram> {
  const further =
    target.attachProgram === null ? ok(null) : loadAttachedProgram(target.attachProgram, options, profile);
  if (!further.ok) return further;
  const program = load(target, options, further.value, profile);
  if (!program.ok) return refused(target, program.failure);
  const verdict = verify(program.value, profile, { logLevel: 0 });
  if (verdict.failure !== null) return refused(target, verdict.failure);
  const rewritten = rewrite(verdict.verified);
  return rewritten.ok
    ? ok(described(verdict.verified, rewritten.value.subprograms))
    : refused(target, rewritten.failure);
}

function load(
  target: AttachProgram,
  { object, legacyMaps }: AttachedOptions,
  attachProgram: TargetProgram | null,
  profile: Profile,
): Outcome<Program> {
  if (target.program !== null) return loadRaw(target.program, profile, undefined, attachProgram);
  const attach = { attachProgram, attachFunction: target.attachProgram?.function ?? '' };
  const bytes = target.object ?? object ?? new Uint8Array(0);
  const { programs, failure } = loadObject(bytes, profile, { programs: [target.name], legacyMaps, ...attach });
  const [loaded] = programs;
  if (loaded === undefined) return fail(failure!);
  return loaded.afterLoad === null ? loaded.program : fail(loaded.afterLoad);
}

function refused(target: AttachProgram, failure: Failure): { readonly ok: false; readonly failure: Failure } {
  const name = target.program === null ? target.name : target.program.name;
  const message = `the program to attach to, '${name}', is refused: ${failure.message}`;
  return fail({ ...failure, stage: 'LOAD', code: 'ATTACH_PROGRAM', message });
}

function described({ program, btf, subprograms }: VerifiedProgram, kept: readonly number[]): TargetProgram {
  const { type, expectedAttachType, attachProgram } = program;
  return {
    type,
    expectedAttachType,
    btf,
    functions: kept.map((index, i) => ({
      typeId: subprograms[index]!.typeId,
      // Where functions were dead code, the kernel takes them out of all its tables but this one (Linux 6.12).
      unreliable: subprograms[i]!.unreliable,
      isExceptionCallback: subprograms[index]!.isExceptionCallback,
      changesPacketData: subprograms[index]!.changesPktData,
    })),
    extendedType: type === BPF_PROG_TYPE_EXT ? (attachProgram?.type ?? 0) : 0,
    tracesTracing: type === BPF_PROG_TYPE_TRACING && attachProgram?.type === BPF_PROG_TYPE_TRACING,
  };
}
