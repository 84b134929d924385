/** A worker thread: one compilation at a time, from encoded request to encoded answer. */
import { getHeapStatistics } from 'node:v8';
import { threadId } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { compile } from '../../compiler/compile.js';
import { architectureOf } from '../../compiler/jit/architectures.js';
import { fromCompiler, targetMessage } from '../contract/from-compiler.js';
import { writeJson } from '../contract/json-write.js';
import { CompileRequestType, CompileResponseType, decode, encode } from '../contract/schema.js';
import { ELF } from '../contract/request.js';
import { toCompiler } from '../contract/to-compiler.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import { TaskProfiles } from './profiles.js';
import type { CompileTaskOutcome, CompileTaskResult, PlacedTask, WorkerSetup } from './protocol.js';
import { workHere } from './thread-clock.js';
import { StageClock } from './stage-clock.js';

const setup = workerData as WorkerSetup;
const profiles = new TaskProfiles(setup.targets);

export default async function run(task: PlacedTask): Promise<CompileTaskOutcome> {
  workHere(setup.threads, task.place);
  const clock = new StageClock(task.traced);
  clock.enter('prepare');
  const request = decode(CompileRequestType, task.request) as CompileRequestMessage;
  const profile = await profiles.of(task, request);
  if ('field' in profile) return profile;
  const response = compile(toCompiler(request), profile, clock.enter);
  clock.enter('encode');
  const message = fromCompiler(
    response,
    task.digest,
    targetMessage(profile, profiles.target(task.target).digest),
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
