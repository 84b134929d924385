/** A worker thread: one compilation at a time, from encoded request to encoded answer. */
import { getHeapStatistics } from 'node:v8';
import { threadId } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { compile } from '../../compiler/compile.js';
import {
  checkKernelBtf,
  openKernelBtf,
  readKernelBtf,
  readModule,
  type KernelModule,
} from '../../compiler/kernel-btf.js';
import { architectureOf } from '../../compiler/jit/architectures.js';
import { ok } from '../../compiler/outcome.js';
import { decodeProfile } from '../../compiler/targets/decode.js';
import type { Profile } from '../../compiler/targets/profile.js';
import { fromCompiler, targetMessage } from '../contract/from-compiler.js';
import { writeJson } from '../contract/json-write.js';
import { CompileRequestType, CompileResponseType, decode, encode } from '../contract/schema.js';
import { ELF } from '../contract/request.js';
import { toCompiler } from '../contract/to-compiler.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import type {
  CompileTask,
  CompileTaskOutcome,
  CompileTaskResult,
  PlacedTask,
  TargetFiles,
  WorkerSetup,
} from './protocol.js';
import { workHere } from './thread-clock.js';
import { StageClock } from './stage-clock.js';

/** Profiles with another BTF that are kept decoded; each costs an index of some megabytes. */
const KEPT_BTFS = 2;

const setup = workerData as WorkerSetup;
const profiles = new Map<string, Profile>();
const withOtherBtf = new Map<string, Profile>();

function targetOf(name: string): TargetFiles {
  const target = setup.targets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new Error(`no target ${name} was handed to the workers`);
  return target;
}

function profileOf(name: string): Profile {
  let profile = profiles.get(name);
  if (profile === undefined) {
    const target = targetOf(name);
    profile = decodeProfile(target.files, openKernelBtf(target.btf));
    profiles.set(name, profile);
  }
  return profile;
}

function profileFor(task: CompileTask): Profile | { readonly badBtf: string; readonly field: string } {
  if (task.btf === null && task.modules.length === 0) return profileOf(task.target);
  const key = [task.target, task.btf?.key ?? '', ...task.modules.flatMap((m) => [m.name, m.key])].join(' ');
  const kept = withOtherBtf.get(key);
  if (kept !== undefined) return kept;
  const target = targetOf(task.target);
  const image = task.btf === null ? ok(target.btf) : readKernelBtf(task.btf.bytes);
  if (!image.ok) return { badBtf: image.failure.message, field: 'target.btf' };
  const order = openKernelBtf(target.btf).byteOrder;
  const checked =
    task.btf === null ? ok(openKernelBtf(image.value)) : checkKernelBtf(openKernelBtf(image.value), order);
  if (!checked.ok) return { badBtf: checked.failure.message, field: 'target.btf' };
  const btf = checked.value;
  const modules: KernelModule[] = [];
  for (const [i, { name, bytes }] of task.modules.entries()) {
    const module = readModule(bytes, btf, name);
    if (!module.ok) return { badBtf: module.failure.message, field: `target.modules[${i}].btf` };
    modules.push(module.value);
  }
  const profile = decodeProfile(target.files, btf, modules);
  const oldest = withOtherBtf.keys().next();
  if (withOtherBtf.size >= KEPT_BTFS && oldest.done !== true) withOtherBtf.delete(oldest.value);
  withOtherBtf.set(key, profile);
  return profile;
}

for (const target of setup.targets.slice(0, 1)) profileOf(target.name);

/** Piscina's entry. */
export default function run(task: PlacedTask): CompileTaskOutcome {
  workHere(setup.threads, task.place);
  const clock = new StageClock(task.traced);
  clock.enter('prepare');
  const found = profileFor(task);
  if ('badBtf' in found) return found;
  const profile = found;
  const request = decode(CompileRequestType, task.request) as CompileRequestMessage;
  const response = compile(toCompiler(request), profile, clock.enter);
  clock.enter('encode');
  const message = fromCompiler(
    response,
    task.digest,
    targetMessage(profile, targetOf(task.target).digest),
    request.options?.format === ELF ? architectureOf(profile.architecture) : null,
  );
  const protobuf = encode(CompileResponseType, message);
  const json = task.json ? jsonBytes(message) : null;
  const accepted = response.programs.filter((program) => program.accepted).length;
  const result: CompileTaskResult = {
    protobuf,
    json,
    failed: response.failure !== null && response.programs.length === 0,
    accepted,
    rejected: response.programs.length - accepted,
    processedInstructions: response.programs.reduce((sum, { stats }) => sum + (stats?.processedInstructions ?? 0), 0),
    elapsed: clock.end(),
    timings: clock.totals,
    spans: clock.spans,
    worker: { thread: threadId, heapBytes: getHeapStatistics().used_heap_size },
  };
  return transferred(result);
}

/** The answer's bytes change hands instead of being copied (Piscina's protocol for what holds transferables). */
function transferred(result: CompileTaskResult): CompileTaskResult {
  const buffers = [result.protobuf, result.json].flatMap((bytes) => (bytes === null ? [] : [bytes.buffer]));
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result } as never) as unknown as CompileTaskResult;
}

function jsonBytes(message: Parameters<typeof writeJson>[1]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(writeJson(CompileResponseType, message)));
}
