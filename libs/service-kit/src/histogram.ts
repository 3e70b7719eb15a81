import type { Registry } from 'prom-client';

export interface HistogramSettings {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, growing. */
  readonly buckets: readonly number[];
}

/** One combination of label values: plain counters, so that observing costs nanoseconds. */
export class HistogramChild {
  readonly labels: Readonly<Record<string, string>>;
  readonly #buckets: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Readonly<Record<string, string>>, buckets: readonly number[]) {
    this.labels = labels;
    this.#buckets = buckets;
    this.#counts = new Float64Array(buckets.length + 1);
  }

  observe(value: number): void {
    let place = 0;
    while (place < this.#buckets.length && value > (this.#buckets[place] as number)) place++;
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#sum += value;
  }

  values(name: string): object[] {
    let count = 0;
    const bounds = [...this.#buckets, '+Inf'].map((le, place) => {
      count += this.#counts[place] as number;
      return { metricName: `${name}_bucket`, labels: { ...this.labels, le }, value: count };
    });
    const sum = { metricName: `${name}_sum`, labels: this.labels, value: this.#sum };
    return [...bounds, sum, { metricName: `${name}_count`, labels: this.labels, value: count }];
  }
}

/** A Prometheus histogram for hot paths: prom-client's own hashes the labels on every call. */
export class Histogram {
  readonly #settings: HistogramSettings;
  readonly #children = new Map<string, HistogramChild>();

  constructor(settings: HistogramSettings, registry: Registry) {
    this.#settings = settings;
    const { name, help } = settings;
    const values = (): object[] => [...this.#children.values()].flatMap((one) => one.values(name));
    const metric = {
      name,
      help,
      get: async () => ({ name, help, type: 'histogram', values: values() }),
    };
    registry.registerMetric(metric as never);
  }

  /** The counters of these label values, in the order of the labels. Callers may keep it. */
  of(...values: readonly string[]): HistogramChild {
    const key = values.join('\n');
    const known = this.#children.get(key);
    if (known) return known;
    const { labels, buckets } = this.#settings;
    const named = Object.fromEntries(labels.map((label, place) => [label, values[place] ?? '']));
    const child = new HistogramChild(named, buckets);
    this.#children.set(key, child);
    return child;
  }
}
