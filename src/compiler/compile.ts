/** The pipeline: request → load → verify → rewrite → jit → link → answer. Pure and synchronous. */
import { loadAttachedProgram } from './attached-program.js';
import { architectureOf } from './jit/architectures.js';
import type { CompiledFunction } from './jit/program.js';
import { lineEntries } from './lines.js';
import { generateCode } from './link/generate.js';
import { listInstructions } from './link/listing.js';
import { fillAddresses } from './link/resolve.js';
import { explainFailure, explainLog } from './load/explain-log.js';
import { loadObject, type LoadedProgram } from './load/object.js';
import type { Program, TargetProgram } from './load/program.js';
import { loadRaw } from './load/raw.js';
import type { CompileRequest, CompileResponse, CompileStage, FunctionResult, ProgramResult } from './messages.js';
import { fail, ok, type Failure, type Outcome } from './outcome.js';
import { rewrite, type Rewritten } from './rewrite/rewrite.js';
import type { Profile } from './targets/profile.js';
import { statisticsText, verify } from './verify/verify.js';

export type * from './messages.js';
export * from './targets/capabilities.js';

const NO_BYTES = new Uint8Array(0);

/**
 * Answers a request for one kernel. Never throws for what a client sent: what it cannot take it says as a failure.
 * `enter` hears when a stage begins (the one before has then ended): whoever has a clock may time them.
 */
export function compile(
  request: CompileRequest,
  profile: Profile,
  enter: (stage: CompileStage) => void = () => undefined,
): CompileResponse {
  enter('load');
  const target = knowsCpu(request, profile) ?? attachedProgram(request, profile);
  if (request.program !== null) {
    const loaded = target.ok ? loadRaw(request.program, profile, request.capabilities, target.value) : target;
    if (!loaded.ok) {
      const { name, type } = request.program;
      return { programs: [refused(name, '', type, loaded.failure)], maps: [], failure: loaded.failure };
    }
    return { programs: [compileOne(loaded.value, request, profile, enter)], maps: loaded.value.maps, failure: null };
  }
  if (!target.ok) return { programs: [], maps: [], failure: target.failure };
  const attach = { attachProgram: target.value, attachFunction: request.attachProgram?.function ?? '' };
  const object = loadObject(request.object ?? NO_BYTES, profile, { ...request, ...attach });
  const programs = object.programs.map((loaded) =>
    loaded.program.ok
      ? asLibbpfAnswers(loaded, loaded.program.value, compileOne(loaded.program.value, request, profile, enter))
      : refused(loaded.name, loaded.section, loaded.type, loaded.program.failure),
  );
  return { programs, maps: object.maps, failure: object.failure };
}

/** The failure where the request speaks of another architecture's processor than the profile's, null where all is well. */
function knowsCpu({ cpu, cpuArchitecture }: CompileRequest, profile: Profile): Outcome<never> | null {
  const { name, cpuFeatures } = architectureOf(profile.architecture);
  const other = Object.keys(cpu).find((feature) => !cpuFeatures.includes(feature));
  if ((cpuArchitecture ?? name) === name && other === undefined) return null;
  const asked = cpuArchitecture ?? other ?? '';
  const message = `the processors of ${profile.name} are ${name}, which has no ${other ?? asked}`;
  return fail({ stage: 'LOAD', code: 'CPU_MISMATCH', message, errno: 0 });
}

/** The BPF program that the request's are attached to, null where there is none. */
function attachedProgram(request: CompileRequest, profile: Profile): Outcome<TargetProgram | null> {
  const target = request.attachProgram ?? null;
  return target === null ? ok(null) : loadAttachedProgram(target, request, profile);
}

/** libbpf explains rejections of what it could not resolve, and may refuse an object of which the kernel took a program. */
function asLibbpfAnswers({ notes, afterLoad }: LoadedProgram, program: Program, result: ProgramResult): ProgramResult {
  if (result.accepted) {
    if (afterLoad === null) return result;
    return {
      ...result,
      accepted: false,
      errno: afterLoad.errno,
      failure: afterLoad,
      translated: NO_BYTES,
      functions: [],
      interpreted: false,
    };
  }
  if (notes === null || result.failure === null) return result;
  const failure = explainFailure(result.failure, program.instructions, notes);
  return { ...result, log: explainLog(result.log, notes), failure };
}

/** A program of which nothing but a failure is known (yet). */
function refused(name: string, section: string, type: number, failure: Failure | null): ProgramResult {
  return {
    name,
    section,
    type,
    accepted: false,
    errno: failure?.errno ?? 0,
    failure,
    log: '',
    stats: null,
    instructions: NO_BYTES,
    translated: NO_BYTES,
    functions: [],
    interpreted: false,
  };
}

function compileOne(
  program: Program,
  request: CompileRequest,
  profile: Profile,
  enter: (stage: CompileStage) => void,
): ProgramResult {
  const { logLevel } = request;
  enter('verify');
  const verdict = verify(program, profile, { logLevel });
  const base = {
    ...refused(program.functionName, program.section, program.type, verdict.failure),
    instructions: program.instructions.toWire(profile.byteOrder),
    log: verdict.log,
    stats: verdict.stats,
  };
  if (verdict.failure !== null) return base;

  enter('rewrite');
  const rewritten = rewrite(verdict.verified);
  if (!rewritten.ok) {
    const { failure, stackDepths } = rewritten;
    const said = failure.message === '' ? '' : `${failure.message}\n`;
    const log = verdict.log + said + statisticsText(logLevel, { ...verdict.stats, stackDepths });
    return { ...base, errno: failure.errno, failure, log };
  }
  const stats = { ...verdict.stats, stackDepths: rewritten.value.stackDepths };
  const log = verdict.log + statisticsText(logLevel, stats);
  const { cpu, link } = request;
  const { translated, translatedSymbols, jit } = rewritten.value;
  enter('jit');
  const compiled = generateCode(jit, { cpu, link, profile, maps: program.maps });
  if (!compiled.ok) return { ...base, errno: compiled.failure.errno, failure: compiled.failure, log, stats };
  enter('link');
  return {
    ...base,
    accepted: true,
    log,
    stats,
    translated: fillAddresses(translated, translatedSymbols, program.maps, link, profile).toWire(profile.byteOrder),
    functions: functionResults(program, rewritten.value, compiled.value, request),
    interpreted: compiled.value.every(({ code }) => code.length === 0),
  };
}

function functionResults(
  program: Program,
  rewritten: Rewritten,
  compiled: readonly CompiledFunction[],
  request: CompileRequest,
): FunctionResult[] {
  return compiled.map((code, i) => ({
    name: code.name,
    address: request.link?.functions[i] ?? null,
    code: code.code,
    exceptionTable: code.exceptionTable,
    exceptionTableOffset: code.exceptionTableOffset,
    relocations: code.relocations,
    lines: lineEntries(program.btf, rewritten, i, code),
    ...(request.listing === true
      ? { instructions: listInstructions(rewritten.jit.functions[i]!, code, program.maps) }
      : {}),
  }));
}
