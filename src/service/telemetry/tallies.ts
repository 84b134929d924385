/**
 * Metrics of what happens tens of thousands of times a second. prom-client hashes and checks labels at each observation;
 * here they are settled once, an observation adds to plain numbers, and the registry is told when it is asked.
 */
import { Counter, type CounterConfiguration, type LabelValues, type Metric, type Registry } from 'prom-client';

export class TalliedCounter<T extends string> extends Counter<T> {
  private readonly tallies: { readonly labels: LabelValues<T>; count: number }[] = [];

  constructor(configuration: CounterConfiguration<T>) {
    super({
      ...configuration,
      collect() {
        (this as TalliedCounter<T>).flush();
      },
    });
  }

  /** The count of these labels; ask for it once. */
  tally(labels: LabelValues<T>): { inc(): void } {
    const own = { labels, count: 0 };
    this.tallies.push(own);
    return {
      inc: () => {
        own.count++;
      },
    };
  }

  private flush(): void {
    for (const own of this.tallies) {
      if (own.count > 0) this.inc(own.labels, own.count);
      own.count = 0;
    }
  }
}

export interface TalliedHistogramConfiguration<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly T[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registers: readonly Registry[];
}

interface Tally<T extends string> {
  readonly labels: LabelValues<T>;
  /** By bucket, the one without a bound last; not cumulative. */
  readonly counts: number[];
  sum: number;
}

interface Value {
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
  readonly metricName: string;
}

/** What prom-client's registry asks of a metric: names, and `get`. */
export class TalliedHistogram<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly T[];
  readonly buckets: readonly number[];
  private readonly tallies: Tally<T>[] = [];

  constructor({ registers, ...described }: TalliedHistogramConfiguration<T>) {
    this.name = described.name;
    this.help = described.help;
    this.labelNames = described.labelNames;
    this.buckets = described.buckets;
    for (const registry of registers) registry.registerMetric(this as unknown as Metric);
  }

  /** The histogram of these labels; ask for it once. */
  tally(labels: LabelValues<T>): { observe(value: number): void } {
    const { buckets } = this;
    const own: Tally<T> = { labels, counts: Array<number>(buckets.length + 1).fill(0), sum: 0 };
    this.tallies.push(own);
    return {
      observe: (value) => {
        let i = 0;
        while (i < buckets.length && value > buckets[i]!) i++;
        own.counts[i]!++;
        own.sum += value;
      },
    };
  }

  get(): Promise<object> {
    const { name, help } = this;
    const values = this.tallies.flatMap((own) => this.valuesOf(own));
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }

  private valuesOf({ labels, counts, sum }: Tally<T>): Value[] {
    const { name } = this;
    const values: Value[] = [];
    let count = 0;
    for (const [i, own] of counts.entries()) {
      count += own;
      values.push({ labels: { le: this.buckets[i] ?? '+Inf', ...labels }, value: count, metricName: `${name}_bucket` });
    }
    values.push({ labels: { ...labels }, value: sum, metricName: `${name}_sum` });
    values.push({ labels: { ...labels }, value: count, metricName: `${name}_count` });
    return values;
  }
}
