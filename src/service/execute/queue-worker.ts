/** Compiles what clients of other instances wait for (queued.ts). */
import type { Job } from 'bullmq';
import type { RedisCache } from '../cache/redis.js';
import type { Cluster } from '../cluster/cluster.js';
import { TaskWorker } from '../cluster/queue.js';
import type { CompileService } from '../compile-service.js';
import { asServiceError, ServiceError, toWire, type ErrorCode } from '../errors.js';
import { sourceOfEncoded } from '../intake/source.js';
import type { Tracing } from '../telemetry/trace.js';
import { CANCEL_CHANNEL, compileQueue, type CompileTaskData, type Reply } from './queued.js';

/** Milliseconds that a reply waits to be fetched. */
const REPLY_TTL = 60_000;

/** Scripts in place of transactions: ioredis makes a pipeline with all of Redis' commands for each of those. */
const WANT = `
local key = ARGV[1] .. 'want:' .. ARGV[2]
return {redis.call('GET', key), redis.call('PTTL', key)}`;
const REPLY = `
redis.call('SET', ARGV[1] .. 'reply:' .. ARGV[2], ARGV[3], 'PX', ARGV[4])
return redis.call('PUBLISH', ARGV[5], ARGV[2])`;

/** What another try, or another instance, may mend. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['QUEUE_FULL', 'QUEUE_UNAVAILABLE', 'SHUTTING_DOWN']);

export interface QueueWorkerParts {
  readonly cluster: Cluster;
  readonly buildId: string;
  readonly service: CompileService;
  readonly answers: RedisCache;
  readonly concurrency: number;
  /** Null: nobody collects traces. */
  readonly tracing: Tracing | null;
}

export function workOnQueue(parts: QueueWorkerParts): TaskWorker<CompileTaskData> {
  const { cluster, buildId, service, concurrency } = parts;
  return new TaskWorker<CompileTaskData>(cluster, {
    name: compileQueue(buildId),
    concurrency,
    cancelledBy: ({ id = '' }) => id,
    channel: CANCEL_CHANNEL,
    process: (task, signal) => process(parts, task, signal),
    failed: (task, error, lost) => {
      service.metrics.onJobError(error);
      if (!lost && task.attemptsMade < (task.opts.attempts ?? 1)) return;
      const refusal = new ServiceError('WORKER_LOST', 'the instances that were at it died');
      const refused = toWire(error instanceof ServiceError ? error : refusal);
      reply(parts, task, { refused }).catch(service.metrics.onJobError);
    },
    onError: (error) => {
      service.metrics.onJobError(error);
    },
  });
}

async function process(parts: QueueWorkerParts, task: Job<CompileTaskData>, signal: AbortSignal): Promise<void> {
  const { patient } = parts.cluster;
  const id = task.id!;
  const [bytes, limit] = (await patient.bytes(WANT, id)) as [Buffer | null, number];
  if (bytes === null) return; // nobody waits for it any more
  const trace = parts.tracing?.start('queued compilation', task.data.trace, {}) ?? null;
  try {
    const identity = { client: task.data.client, tenant: task.data.tenant };
    const asking = { identity, signal, json: false, limit, trace };
    const { key, answer, source, timings } = await parts.service.ask(sourceOfEncoded(bytes), asking);
    if (source !== 'redis' && !(await parts.answers.has(key)) && !(await parts.answers.set(key, answer))) {
      throw new ServiceError('QUEUE_UNAVAILABLE', 'Redis does not take the answer');
    }
    await reply(parts, task, { timings });
  } catch (error) {
    if (signal.aborted || (error instanceof ServiceError && ELSEWHERE.has(error.code))) throw error;
    if (!(error instanceof ServiceError)) parts.service.metrics.onDefect(error);
    await reply(parts, task, { refused: toWire(asServiceError(error)) });
  } finally {
    trace?.end();
  }
}

async function reply({ cluster }: QueueWorkerParts, { id, data }: Job<CompileTaskData>, what: Reply): Promise<void> {
  const text = JSON.stringify(what);
  await cluster.patient.script(REPLY, id!, text, REPLY_TTL, data.replies);
}
