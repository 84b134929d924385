/**
 * OpenTelemetry traces, by the standard variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
 * off, and none of it loaded, unless they name an endpoint. Spans go out as OTLP over HTTP, in protobuf.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type HrTime,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { ConfigError } from '../config.js';
import { VERSION } from '../version.js';
import type { Attributes, Trace, Tracing } from './trace.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The protocol that the exporter speaks. */
const PROTOCOL = 'http/protobuf';

/** Null where no traces are wanted. Throws ConfigError where the variables ask for what there is not. */
export async function openTracing(env: Environment): Promise<Tracing | null> {
  if (!wanted(env)) return null;
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? PROTOCOL;
  if (protocol !== PROTOCOL) throw new ConfigError(`OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}: must be ${PROTOCOL}`);
  const [core, { BasicTracerProvider, BatchSpanProcessor }, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  const own = resources.resourceFromAttributes({
    'service.name': 'bpf-jitd',
    'service.version': VERSION,
    'service.instance.id': randomUUID(),
  });
  const said = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new BasicTracerProvider({
    resource: resources.defaultResource().merge(own).merge(said),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('bpf-jitd', VERSION);
  return {
    start: (name, parent, attributes) => {
      const from = parent === undefined ? null : core.parseTraceParent(parent);
      const context = from === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...from, isRemote: true });
      const clock = new TraceClock();
      const options = { kind: SpanKind.SERVER, startTime: clock.now(), attributes: { ...attributes } };
      return new SpanTrace(tracer, clock, context, tracer.startSpan(name, options, context));
    },
    close: () => provider.shutdown(),
  };
}

function wanted(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return false;
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  return endpoint !== '' || env['OTEL_TRACES_EXPORTER'] === 'otlp';
}

/** One reading of the wall clock for a whole trace, and from there on the clock that never jumps. */
class TraceClock {
  private readonly origin = Date.now() - performance.now();

  /** Of a time of performance.now(). */
  at(time: number): HrTime {
    const milliseconds = this.origin + time;
    const seconds = Math.trunc(milliseconds / 1000);
    return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
  }

  now(): HrTime {
    return this.at(performance.now());
  }
}

class SpanTrace implements Trace {
  constructor(
    private readonly tracer: Tracer,
    private readonly clock: TraceClock,
    private readonly parent: Context,
    private readonly span: Span,
  ) {}

  get id(): string {
    return this.span.spanContext().traceId;
  }

  get carrier(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  child(name: string, start: number, end: number, attributes: Attributes = {}): Trace {
    if ((this.span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return this;
    const context = trace.setSpan(this.parent, this.span);
    const span = this.tracer.startSpan(
      name,
      { startTime: this.clock.at(start), attributes: { ...attributes } },
      context,
    );
    span.end(this.clock.at(end)); // and is a parent as before
    return new SpanTrace(this.tracer, this.clock, context, span);
  }

  set(attributes: Attributes): void {
    this.span.setAttributes({ ...attributes });
  }

  end(fault = false): void {
    if (fault) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end(this.clock.now());
  }
}
