/** Prometheus metrics: names and units as its conventions have them. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What gauges read when they are scraped. */
export interface Gauges {
  queued(): number;
  running(): number;
  workerLosses(): number;
  cacheBytes(tier: 'memory' | 'disk'): number;
}

export class Metrics {
  readonly registry = new Registry();
  /** Called with errors of cache tiers, which never fail a request. */
  onCacheError: (error: unknown) => void = () => undefined;
  /** Called with throws that are defects of this service. */
  onDefect: (error: unknown) => void = () => undefined;

  private readonly own = { registers: [this.registry] };

  readonly requests = new Counter({
    name: 'bpf_jitd_requests_total',
    help: 'Requests answered, by transport, route and status code.',
    labelNames: ['transport', 'route', 'code'] as const,
    ...this.own,
  });
  readonly requestSeconds = new Histogram({
    name: 'bpf_jitd_request_duration_seconds',
    help: 'Time from request to answer.',
    labelNames: ['transport', 'route'] as const,
    buckets: SECONDS,
    ...this.own,
  });
  readonly stageSeconds = new Histogram({
    name: 'bpf_jitd_stage_duration_seconds',
    help: 'Time of each stage of a compilation.',
    labelNames: ['stage'] as const,
    buckets: SECONDS,
    ...this.own,
  });
  readonly programs = new Counter({
    name: 'bpf_jitd_programs_total',
    help: 'Programs compiled, by verdict.',
    labelNames: ['verdict'] as const,
    ...this.own,
  });
  readonly cacheLookups = new Counter({
    name: 'bpf_jitd_cache_lookups_total',
    help: 'Lookups of answers, by cache tier and result.',
    labelNames: ['tier', 'result'] as const,
    ...this.own,
  });
  readonly cacheErrors = new Counter({
    name: 'bpf_jitd_cache_errors_total',
    help: 'Cache operations that failed.',
    labelNames: ['tier'] as const,
    ...this.own,
  });

  readonly flights = new Counter({
    name: 'bpf_jitd_flights_total',
    help: 'Compilations that instances agreed on, by this one’s part: leader, follower, or alone without Redis.',
    labelNames: ['role'] as const,
    ...this.own,
  });

  readonly reloadOk = new Gauge({
    name: 'bpf_jitd_reload_ok',
    help: 'Whether the file was taken when it last changed, or else the old one is still in use.',
    labelNames: ['file'] as const,
    ...this.own,
  });

  /** Process and event-loop metrics, and gauges over the service's state. */
  observe(gauges: Gauges): void {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('bpf_jitd_queue_depth', 'Compilations that wait for a worker.', () => gauges.queued());
    this.gauge('bpf_jitd_compilations_running', 'Compilations that workers are at.', () => gauges.running());
    this.gauge('bpf_jitd_worker_losses', 'Workers that died and were replaced.', () => gauges.workerLosses());
    const bytes = new Gauge({
      name: 'bpf_jitd_cache_bytes',
      help: 'Size of the cached answers, by tier.',
      labelNames: ['tier'] as const,
      registers: [this.registry],
      collect() {
        for (const tier of ['memory', 'disk'] as const) this.set({ tier }, gauges.cacheBytes(tier));
      },
    });
    bytes.reset();
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
