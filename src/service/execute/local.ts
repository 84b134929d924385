/** Compiles on this instance's worker threads. */
import { performance } from 'node:perf_hooks';
import { sha256, type BtfStore } from '../btf-store.js';
import { unwrapBtf } from '../btf-unwrap.js';
import type { Answer } from '../cache/entry.js';
import { cacheKey } from '../cache/key.js';
import type { CacheTiers } from '../cache/tiers.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import { ServiceError } from '../errors.js';
import type { CompilePool } from '../pool/pool.js';
import type { CompileTask, CompileTaskResult, TaskBtf } from '../pool/protocol.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Trace } from '../telemetry/trace.js';
import type { Executed, Executor, Question } from './executor.js';

interface GivenBtf {
  readonly btf?: Uint8Array;
  readonly btfDigest?: string;
}

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

  async execute(
    { request, bytes, digest, key, tenant, client, target, json, trace }: Question,
    signal: AbortSignal,
  ): Promise<Executed> {
    const btf = await this.targetBtf(request, tenant);
    const modules = await this.modules(request, tenant);
    const task = { request: bytes, digest, target, btf, modules, json, traced: trace !== null };
    const submitted = performance.now();
    const { result, elapsed } = await this.pool.run(task, signal, client);
    if ('badBtf' in result) throw new ServiceError('INVALID_BTF', result.badBtf, { field: result.field });
    const queue = Math.max(0, elapsed - result.elapsed);
    if (trace !== null) traceWork(trace, submitted, queue, target, result);
    const answer = asAnswer(result);
    await this.tiers.put(key, answer, trace);
    this.count(result, target, queue);
    return { answer, source: 'compiled', timings: { queue, ...result.timings } };
  }

  private async targetBtf({ target }: CompileRequestMessage, tenant: string): Promise<TaskBtf | null> {
    return target === undefined ? null : this.given(target, tenant, 'target');
  }

  private async modules({ target }: CompileRequestMessage, tenant: string): Promise<CompileTask['modules']> {
    return Promise.all(
      (target?.modules ?? []).map(async (module, i) => {
        const btf = await this.given(module, tenant, `target.modules[${i}]`);
        return { name: module.name ?? '', ...btf! };
      }),
    );
  }

  /** BTF that a request holds or names, null where it does neither. */
  private async given(from: GivenBtf, tenant: string, path: string): Promise<TaskBtf | null> {
    if (from.btf !== undefined) return { key: cacheKey(tenant, sha256(from.btf)), bytes: await unwrapBtf(from.btf) };
    if (from.btfDigest === undefined) return null;
    const bytes = await unwrapBtf(await this.btf.get(from.btfDigest, tenant, `${path}.btfDigest`));
    return { key: cacheKey(tenant, from.btfDigest), bytes };
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
