/** Prometheus metrics: names and units as its conventions have them. docs/metrics.md is generated from this table. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TalliedCounter, TalliedHistogram } from './tallies.js';
import { VERSION } from '../version.js';

/** From an answer out of memory to the longest that a request may take by default. */
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Small programs take tens of microseconds in a stage. */
const STAGE_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
];
/** A nightly rebuild may wait for hours. */
const WAIT_SECONDS = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200];
const LOOKUP_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

/** What gauges read when they are scraped. */
export interface Gauges {
  queued(): number;
  queueLimit(): number;
  running(): number;
  workers(): number;
  /** Bytes of heap in use, of each live worker that has answered yet. */
  workerHeaps(): readonly number[];
  caches(): readonly {
    readonly tier: string;
    readonly bytes: number;
    readonly entries: number;
    readonly limit: number;
  }[];
  btfStore(): { readonly bytes: number; readonly files: number };
}

export class Metrics {
  readonly registry = new Registry();
  /** Called with errors of cache tiers, which never fail a request. */
  onCacheError: (error: unknown) => void = () => undefined;
  /** Called with what failed about a job and is tried again. */
  onJobError: (error: unknown) => void = () => undefined;
  /** Called with throws that are defects of this service. */
  onDefect: (error: unknown, traceId?: string) => void = () => undefined;
  /** Of HTTP: requests that are being answered. */
  httpInFlight = 0;
  /** Of gRPC: calls that are being answered. */
  grpcInFlight = 0;

  private readonly own = { registers: [this.registry] };

  readonly httpRequests = new TalliedCounter({
    name: 'bpf_jitd_http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['method', 'route', 'status'] as const,
    ...this.own,
  });
  readonly httpSeconds = new TalliedHistogram({
    name: 'bpf_jitd_http_request_duration_seconds',
    help: 'Time from an HTTP request to its answer.',
    labelNames: ['method', 'route'] as const,
    buckets: REQUEST_SECONDS,
    ...this.own,
  });
  readonly grpcRequests = new TalliedCounter({
    name: 'bpf_jitd_grpc_requests_total',
    help: 'gRPC calls answered, each request of a batch stream counted; code as gRPC names it.',
    labelNames: ['method', 'code'] as const,
    ...this.own,
  });
  readonly grpcSeconds = new TalliedHistogram({
    name: 'bpf_jitd_grpc_request_duration_seconds',
    help: 'Time from a gRPC request to its answer.',
    labelNames: ['method'] as const,
    buckets: REQUEST_SECONDS,
    ...this.own,
  });
  readonly refusals = new Counter({
    name: 'bpf_jitd_refusals_total',
    help: 'Requests refused, by the stable code of the problem.',
    labelNames: ['transport', 'code'] as const,
    ...this.own,
  });
  readonly queueWait = new Histogram({
    name: 'bpf_jitd_queue_wait_seconds',
    help: 'Time that compilations waited for a worker.',
    buckets: STAGE_SECONDS,
    ...this.own,
  });
  readonly stageSeconds = new Histogram({
    name: 'bpf_jitd_stage_duration_seconds',
    help: 'Time of each stage of a compilation in its worker: prepare, load, verify, rewrite, jit, link, encode.',
    labelNames: ['stage'] as const,
    buckets: STAGE_SECONDS,
    ...this.own,
  });
  readonly programs = new Counter({
    name: 'bpf_jitd_programs_total',
    help: 'Programs compiled, by target and verdict; answers from caches are not counted.',
    labelNames: ['target', 'verdict'] as const,
    ...this.own,
  });
  readonly processedInstructions = new Counter({
    name: 'bpf_jitd_verified_instructions_total',
    help: 'Instructions that the verifier processed.',
    ...this.own,
  });
  readonly workerReplacements = new Counter({
    name: 'bpf_jitd_worker_replacements_total',
    help: 'Worker threads that ended and were replaced: exit, memory, ended under work that was cancelled or ran out of time (deadline), or to give others their turn.',
    labelNames: ['reason'] as const,
    ...this.own,
  });
  readonly cacheLookups = new TalliedCounter({
    name: 'bpf_jitd_cache_lookups_total',
    help: 'Lookups of answers, by cache tier and result (hit or miss).',
    labelNames: ['tier', 'result'] as const,
    ...this.own,
  });
  readonly cacheSeconds = new Histogram({
    name: 'bpf_jitd_cache_lookup_duration_seconds',
    help: 'Time of lookups in the tiers behind memory.',
    labelNames: ['tier'] as const,
    buckets: LOOKUP_SECONDS,
    ...this.own,
  });
  readonly cacheErrors = new Counter({
    name: 'bpf_jitd_cache_errors_total',
    help: 'Operations of the caches (disk, redis) and of the store of uploaded BTF (btf) that failed.',
    labelNames: ['tier'] as const,
    ...this.own,
  });
  readonly damagedFiles = new Counter({
    name: 'bpf_jitd_damaged_files_total',
    help: 'Files of the disk cache (cache) and of uploaded BTF (btf) that were damaged, and set aside to be made anew.',
    labelNames: ['store'] as const,
    ...this.own,
  });
  readonly flights = new Counter({
    name: 'bpf_jitd_flights_total',
    help:
      'Requests that met others for the same: joined on this instance, or, between instances, by the part of this one: ' +
      'leader, follower, or alone without Redis.',
    labelNames: ['role'] as const,
    ...this.own,
  });
  readonly btfUploads = new Counter({
    name: 'bpf_jitd_btf_uploads_total',
    help: 'Kernel BTF files taken.',
    ...this.own,
  });

  readonly certificateExpiry = new Gauge({
    name: 'bpf_jitd_certificate_expiry_timestamp_seconds',
    help: 'When the TLS certificate in use ends, in seconds since 1970.',
    ...this.own,
  });
  readonly reloadOk = new Gauge({
    name: 'bpf_jitd_reload_ok',
    help: 'Whether the file was taken when it last changed, or else the old one is still in use.',
    labelNames: ['file'] as const,
    ...this.own,
  });

  readonly jobs = new Counter({
    name: 'bpf_jitd_jobs_total',
    help: 'Jobs finished, by state.',
    labelNames: ['state'] as const,
    ...this.own,
  });
  readonly jobItems = new Counter({
    name: 'bpf_jitd_job_items_total',
    help: 'Requests of jobs finished, by state.',
    labelNames: ['state'] as const,
    ...this.own,
  });
  readonly webhooks = new Counter({
    name: 'bpf_jitd_webhook_deliveries_total',
    help: 'Webhooks called, by result: delivered, failed (it is tried again, for an hour), or refused for good.',
    labelNames: ['result'] as const,
    ...this.own,
  });
  readonly jobWaitSeconds = new Histogram({
    name: 'bpf_jitd_job_wait_seconds',
    help: 'Time that requests of jobs waited for their turn.',
    buckets: WAIT_SECONDS,
    ...this.own,
  });

  /** Process and event-loop metrics, and gauges over the service's state. */
  observe(gauges: Gauges): void {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('bpf_jitd_build_info', 'Always 1; the labels say what runs.', ['version'], (gauge) => {
      gauge.set({ version: VERSION }, 1);
    });
    this.gauge('bpf_jitd_http_requests_in_flight', 'HTTP requests that are being answered.', [], (gauge) => {
      gauge.set(this.httpInFlight);
    });
    this.gauge('bpf_jitd_grpc_requests_in_flight', 'gRPC calls that are being answered.', [], (gauge) => {
      gauge.set(this.grpcInFlight);
    });
    this.gauge('bpf_jitd_queue_depth', 'Compilations that wait for a worker.', [], (gauge) => {
      gauge.set(gauges.queued());
    });
    this.gauge('bpf_jitd_queue_limit', 'Compilations that may wait; one more is refused.', [], (gauge) => {
      gauge.set(gauges.queueLimit());
    });
    this.gauge('bpf_jitd_compilations_running', 'Compilations that workers are at.', [], (gauge) => {
      gauge.set(gauges.running());
    });
    this.gauge('bpf_jitd_workers', 'Worker threads alive.', [], (gauge) => {
      gauge.set(gauges.workers());
    });
    this.gauge('bpf_jitd_worker_heap_bytes', 'Heap in use after the last answer.', ['worker'], (gauge) => {
      gauge.reset();
      for (const [worker, bytes] of gauges.workerHeaps().entries()) gauge.set({ worker: String(worker) }, bytes);
    });
    this.cacheGauge('bpf_jitd_cache_bytes', 'Size of the cached answers.', gauges, 'bytes');
    this.cacheGauge('bpf_jitd_cache_entries', 'Cached answers.', gauges, 'entries');
    this.cacheGauge('bpf_jitd_cache_limit_bytes', 'Size that the cached answers may have.', gauges, 'limit');
    this.gauge('bpf_jitd_btf_store_bytes', 'Size of the uploaded kernel BTF.', [], (gauge) => {
      gauge.set(gauges.btfStore().bytes);
    });
    this.gauge('bpf_jitd_btf_store_files', 'Uploaded kernel BTF files.', [], (gauge) => {
      gauge.set(gauges.btfStore().files);
    });
  }

  /** Items of jobs that are not finished, of all instances; absent while that is not known. */
  observeJobs(open: () => Promise<number | null>): void {
    const help = 'Requests of jobs that wait or are worked on, of all instances.';
    this.gauge('bpf_jitd_job_items_open', help, [], async (gauge) => {
      const items = await open();
      if (items === null) gauge.reset();
      else gauge.set(items);
    });
  }

  private cacheGauge(name: string, help: string, gauges: Gauges, of: 'bytes' | 'entries' | 'limit'): void {
    this.gauge(name, `${help.slice(0, -1)}, by tier.`, ['tier'], (gauge) => {
      for (const cache of gauges.caches()) gauge.set({ tier: cache.tier }, cache[of]);
    });
  }

  private gauge(
    name: string,
    help: string,
    labelNames: string[],
    collect: (gauge: Gauge) => void | Promise<void>,
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => collect(gauge),
    });
  }
}
