/** docs/metrics.md: every metric of this service, from the registry itself. */
import { Metrics, type Gauges } from './metrics.js';

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const NOTHING: Gauges = {
  queued: () => 0,
  queueLimit: () => 0,
  running: () => 0,
  workers: () => 0,
  workerHeaps: () => [],
  caches: () => [],
  btfStore: () => ({ bytes: 0, files: 0 }),
};

/** All metrics that the service registers, without those that every Node process has. */
export function ownMetrics(): readonly Described[] {
  const metrics = new Metrics();
  metrics.observe(NOTHING);
  metrics.observeJobs(() => Promise.resolve(0));
  const all = metrics.registry.getMetricsAsArray() as unknown as Described[];
  const own = all.filter(({ name }) => name.startsWith('bpf_jitd_'));
  // prom-client keeps the type in the class's name alone.
  return own.map((metric) => ({ ...metric, type: metric.constructor.name.replace('Tallied', '').toLowerCase() }));
}

/** Markdown. */
export function metricsDocument(): string {
  const rows = ownMetrics().map(({ name, help, type, labelNames }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
  });
  return `# Metrics

\`GET /metrics\`, in the text format of Prometheus. Generated from \`src/service/telemetry/metrics.ts\` by \`npm run generate\`.

| metric | type | labels | |
|---|---|---|---|
${rows.join('\n')}

The usual \`process_\` and \`nodejs_\` metrics of [prom-client](https://github.com/siimon/prom-client) come with them: CPU, memory, file
descriptors, event-loop lag, garbage collection of the main thread. \`ops/\` holds a Grafana dashboard and alert rules over these names.
`;
}
