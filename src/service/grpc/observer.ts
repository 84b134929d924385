/** Counts, times and traces gRPC requests: calls, and each request of a batch stream. */
import { performance } from 'node:perf_hooks';
import { Metadata, status } from '@grpc/grpc-js';
import { asServiceError, ServiceError } from '../errors.js';
import type { Metrics } from '../telemetry/metrics.js';
import { serverTiming } from '../telemetry/server-timing.js';
import type { Trace, Tracing } from '../telemetry/trace.js';
import type { ServerCall } from './call.js';

export interface Reply {
  readonly bytes: Buffer;
  /** Milliseconds, by stage; of answers to compilations. */
  readonly timings?: Readonly<Record<string, number>>;
}

export interface ObservedReply {
  readonly bytes: Buffer;
  /** What HTTP says in headers: server-timing, and traceresponse where traces are kept. */
  readonly trailer: Metadata;
}

/** Of one method. */
interface Tallies {
  readonly seconds: { observe(value: number): void };
  readonly byCode: { inc(): void }[];
}

export class CallObserver {
  private readonly known = new Map<string, Tallies>();

  constructor(
    private readonly service: string,
    private readonly metrics: Metrics,
    private readonly tracing: Tracing | null,
  ) {}

  async run(method: string, call: ServerCall, work: (trace: Trace | null) => Promise<Reply>): Promise<ObservedReply> {
    const { metrics } = this;
    const started = performance.now();
    const trace = this.startTrace(method, call);
    let code = status.OK;
    metrics.grpcInFlight++;
    try {
      const { bytes, timings } = await work(trace);
      const trailer = new Metadata();
      if (timings !== undefined) trailer.set('server-timing', serverTiming(performance.now() - started, timings));
      if (trace !== null) trailer.set('traceresponse', trace.carrier);
      return { bytes, trailer };
    } catch (error) {
      const known = asServiceError(error);
      if (!(error instanceof ServiceError)) metrics.onDefect(error, trace?.id);
      code = known.kind.grpc;
      metrics.refusals.inc({ transport: 'grpc', code: known.code });
      trace?.set({ 'error.type': known.code });
      throw error;
    } finally {
      metrics.grpcInFlight--;
      this.answered(method, code, performance.now() - started);
      trace?.set({ 'rpc.grpc.status_code': code });
      trace?.end(isFault(code));
    }
  }

  private answered(method: string, code: status, ms: number): void {
    const { grpcRequests, grpcSeconds } = this.metrics;
    let known = this.known.get(method);
    if (known === undefined) this.known.set(method, (known = { seconds: grpcSeconds.tally({ method }), byCode: [] }));
    known.seconds.observe(ms / 1000);
    (known.byCode[code] ??= grpcRequests.tally({ method, code: status[code] })).inc();
  }

  private startTrace(method: string, call: ServerCall): Trace | null {
    if (this.tracing === null) return null;
    const parent = call.metadata.get('traceparent')[0]?.toString();
    const attributes = { 'rpc.system': 'grpc', 'rpc.service': this.service, 'rpc.method': method };
    return this.tracing.start(`${this.service}/${method}`, parent, attributes);
  }
}

/** Codes that OpenTelemetry's conventions count as the server's own. */
function isFault(code: status): boolean {
  return [
    status.UNKNOWN,
    status.DEADLINE_EXCEEDED,
    status.UNIMPLEMENTED,
    status.INTERNAL,
    status.UNAVAILABLE,
    status.DATA_LOSS,
  ].includes(code);
}
