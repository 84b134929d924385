/** What the dashboard and the alerts ask for exists, with the labels they go by; Prometheus takes the rules. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collectDefaultMetrics, Registry } from 'prom-client';
import t from 'tap';
import { ownMetrics } from '../../src/service/telemetry/metrics-table.js';

const file = (name: string): string => fileURLToPath(new URL(`../../ops/${name}`, import.meta.url));
const read = (name: string): string => readFileSync(file(name), 'utf8');

interface Known {
  readonly type: string;
  readonly labelNames: readonly string[];
}

const defaults = new Registry();
collectDefaultMetrics({ register: defaults });
const known = new Map<string, Known>(
  [...(defaults.getMetricsAsArray() as unknown as (Known & { name: string })[]), ...ownMetrics()].map((metric) => [
    metric.name,
    {
      type: metric.constructor.name === 'Object' ? metric.type : metric.constructor.name.toLowerCase(),
      labelNames: metric.labelNames,
    },
  ]),
);
known.set('up', { type: 'gauge', labelNames: [] });

/** What Prometheus adds. */
const ADDED = ['instance', 'job', 'le'];

interface Checks {
  ok(value: unknown, message: string): unknown;
  equal(found: unknown, wanted: unknown, message: string): unknown;
  fail(message: string): unknown;
}

function check(t: Checks, expression: string): void {
  const names = [...expression.matchAll(/\b((?:bpf_jitd|nodejs|process)_\w+|up)\b(\{[^}]*\})?/g)];
  t.ok(names.length > 0, expression);
  for (const [, series = '', selector = ''] of names) {
    const name = known.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');
    const metric = known.get(name);
    if (metric === undefined) {
      t.fail(`${series} is no metric: ${expression}`);
      continue;
    }
    t.equal(name !== series, metric.type === 'histogram', `${series} is a series of a ${metric.type}`);
    const by = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
    const filtered = [...selector.matchAll(/(\w+)\s*(?:=~?|!=|!~)/g)].map(([, label = '']) => label);
    const single = names.length === 1 ? by : [];
    for (const label of [...filtered, ...single]) {
      t.ok(metric.labelNames.includes(label) || ADDED.includes(label), `${name} has the label ${label}`);
    }
  }
}

t.test('dashboard', (t) => {
  interface Panel {
    readonly type: string;
    readonly id: number;
    readonly targets?: readonly { readonly expr: string }[];
  }
  const { panels } = JSON.parse(read('dashboard.json')) as { panels: readonly Panel[] };
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { targets = [] } of panels) for (const { expr } of targets) check(t, expr);
  t.end();
});

t.test('alerts', (t) => {
  const text = read('alerts.yml');
  const expressions = [...text.matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(
    ([, block, line]) => block ?? line ?? '',
  );
  t.equal(expressions.length, text.match(/- alert:/g)?.length);
  for (const expression of expressions) check(t, expression);
  const promtool = spawnSync(process.env['PROMTOOL'] ?? 'promtool', ['check', 'rules', file('alerts.yml')], {
    encoding: 'utf8',
  });
  if (promtool.error !== undefined) t.comment('promtool is not installed: the rules are not parsed');
  else t.equal(promtool.status, 0, promtool.stderr);
  t.end();
});
