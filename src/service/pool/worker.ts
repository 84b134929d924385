/** A worker thread: one compilation at a time, from encoded request to encoded answer. */
import { performance } from 'node:perf_hooks';
import { move, workerData } from 'piscina';
import { compile } from '../../compiler/compile.js';
import { decodeProfile, withBtf } from '../../compiler/targets/decode.js';
import type { Profile } from '../../compiler/targets/profile.js';
import { fromCompiler, targetMessage } from '../contract/from-compiler.js';
import { writeJson } from '../contract/json-write.js';
import { CompileRequestType, CompileResponseType, encode } from '../contract/schema.js';
import { toCompiler } from '../contract/to-compiler.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import type { CompileTask, CompileTaskResult, WorkerSetup } from './protocol.js';

/** Profiles with another BTF that are kept decoded; each costs an index of some megabytes. */
const KEPT_BTFS = 2;

const setup = workerData as WorkerSetup;
const profiles = new Map<string, Profile>();
const withOtherBtf = new Map<string, Profile>();

function profileOf(name: string): Profile {
  let profile = profiles.get(name);
  if (profile === undefined) {
    const target = setup.targets.find((candidate) => candidate.name === name);
    if (target === undefined) throw new Error(`no target ${name} was handed to the workers`);
    profiles.set(name, (profile = decodeProfile(target.files)));
  }
  return profile;
}

function profileFor(task: CompileTask): Profile {
  const base = profileOf(task.target);
  if (task.btf === null) return base;
  const key = `${task.target} ${task.btf.digest}`;
  let profile = withOtherBtf.get(key);
  if (profile === undefined) {
    profile = withBtf(base, task.btf.bytes);
    const oldest = withOtherBtf.keys().next();
    if (withOtherBtf.size >= KEPT_BTFS && oldest.done !== true) withOtherBtf.delete(oldest.value);
    withOtherBtf.set(key, profile);
  }
  return profile;
}

for (const target of setup.targets.slice(0, 1)) profileOf(target.name);

/** Piscina's entry. */
export default function run(task: CompileTask): CompileTaskResult {
  const started = performance.now();
  const profile = profileFor(task);
  const request = CompileRequestType.decode(task.request) as unknown as CompileRequestMessage;
  const loaded = performance.now();
  const response = compile(toCompiler(request), profile);
  const compiled = performance.now();
  const message = fromCompiler(response, task.digest, targetMessage(profile));
  const protobuf = encode(CompileResponseType, message);
  const json = task.json ? jsonBytes(message) : null;
  const accepted = response.programs.filter((program) => program.accepted).length;
  const result: CompileTaskResult = {
    protobuf,
    json,
    failed: response.failure !== null && response.programs.length === 0,
    accepted,
    rejected: response.programs.length - accepted,
    timings: { prepare: loaded - started, compile: compiled - loaded, encode: performance.now() - compiled },
  };
  return {
    ...result,
    protobuf: move(protobuf) as Uint8Array,
    json: json === null ? null : (move(json) as Uint8Array),
  };
}

function jsonBytes(message: Parameters<typeof writeJson>[1]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(writeJson(CompileResponseType, message)));
}
