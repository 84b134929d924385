/** Compiles on this instance's worker threads. */
import { performance } from 'node:perf_hooks';
import type { BtfStore } from '../btf-store.js';
import type { Answer } from '../cache/entry.js';
import type { CacheTiers } from '../cache/tiers.js';
import { ServiceError } from '../errors.js';
import type { CompilePool } from '../pool/pool.js';
import type { CompileTaskResult, StoredBtf } from '../pool/protocol.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Trace } from '../telemetry/trace.js';
import type { Executed, Executor, Question } from './executor.js';

export class LocalExecutor implements Executor {
  constructor(
    private readonly pool: CompilePool,
    private readonly btf: BtfStore,
    private readonly tiers: CacheTiers,
    private readonly metrics: Metrics,
  ) {}

  get hasRoom(): boolean {
    return this.pool.hasRoom;
  }

  async execute(question: Question, signal: AbortSignal): Promise<Executed> {
    if (!this.hasRoom) throw new ServiceError('QUEUE_FULL', 'as many compilations as may are waiting or running');
    const { bytes, digest, key, tenant, client, target, json, trace } = question;
    const stored = await this.stored(question);
    const task = { request: bytes, digest, target, tenant, stored, json, traced: trace !== null };
    const submitted = performance.now();
    const { result, elapsed } = await this.pool.run(task, signal, client);
    if ('badBtf' in result) throw new ServiceError('INVALID_BTF', result.badBtf, { field: result.field });
    if ('lostBtf' in result) {
      await this.btf.forget(result.lostBtf, tenant);
      throw unknownBtf(result.lostBtf, result.field);
    }
    const queue = Math.max(0, elapsed - result.elapsed);
    if (trace !== null) traceWork(trace, submitted, queue, target, result);
    const answer = asAnswer(result);
    await this.tiers.put(key, answer, trace);
    this.count(result, target, queue);
    return { answer, source: 'compiled', timings: { queue, ...result.timings } };
  }

  /** Where the BTF lies that the request names: it is not read before a worker has time for it. */
  private async stored({ named, tenant }: Question): Promise<StoredBtf[]> {
    const stored: StoredBtf[] = [];
    for (const { field, digest } of named) {
      const from = await this.btf.locate(digest, tenant);
      if (from === null) throw unknownBtf(digest, field);
      stored.push({ field, digest, from });
    }
    return stored;
  }

  private count(result: CompileTaskResult, target: string, queue: number): void {
    const { programs, processedInstructions, queueWait, stageSeconds } = this.metrics;
    programs.inc({ target, verdict: 'accepted' }, result.accepted);
    programs.inc({ target, verdict: 'rejected' }, result.rejected);
    processedInstructions.inc(result.processedInstructions);
    queueWait.observe(queue / 1000);
    for (const [stage, milliseconds] of Object.entries(result.timings)) {
      stageSeconds.observe({ stage }, milliseconds / 1000);
    }
  }
}

/** The worker's stages, by the clock of this thread. */
function traceWork(trace: Trace, submitted: number, queue: number, target: string, result: CompileTaskResult): void {
  const taken = submitted + queue;
  trace.child('queue', submitted, taken);
  const { accepted, rejected, processedInstructions, elapsed, spans } = result;
  const worker = trace.child('worker', taken, taken + elapsed, {
    'bpf_jitd.target': target,
    'bpf_jitd.programs.accepted': accepted,
    'bpf_jitd.programs.rejected': rejected,
    'bpf_jitd.verified_instructions': processedInstructions,
  });
  for (const { stage, start, end } of spans) worker.child(stage, taken + start, taken + end);
}

function unknownBtf(digest: string, field: string): ServiceError {
  return new ServiceError('UNKNOWN_BTF', `upload it with PUT /btf/${digest}`, { field });
}

function asAnswer(result: CompileTaskResult): Answer {
  return {
    protobuf: asBuffer(result.protobuf),
    json: result.json === null ? null : asBuffer(result.json),
    failed: result.failed,
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
