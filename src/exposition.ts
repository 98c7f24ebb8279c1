import type { Distribution } from "./histogram.ts";

/** One value of a metric, told from others of its name by labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric: a stable name, what it says, and its values. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[] | Distribution;
}

/** A value that goes up and down. */
export function gauge(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, type: "gauge", help, samples: samplesOf(value) };
}

/** A value that only grows while the process lives. */
export function counter(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, type: "counter", help, samples: samplesOf(value) };
}

/** Values by their size. */
export function histogram(name: string, help: string, values: Distribution): Metric {
  return { name, type: "histogram", help, samples: values };
}

/** Metrics in the text form of Prometheus, version 0.0.4. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(textOf).join("");
}

function textOf({ name, type, help, samples }: Metric): string {
  const lines = "bounds" in samples ? bucketLines(name, samples) : sampleLines(name, samples);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
}

function samplesOf(value: number | readonly Sample[]): readonly Sample[] {
  return typeof value === "number" ? [{ labels: {}, value }] : value;
}

function sampleLines(name: string, samples: readonly Sample[]): string[] {
  return samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
}

function bucketLines(name: string, { bounds, counts, sum, count }: Distribution): string[] {
  let below = 0;
  const buckets = counts.map((inside, index) => {
    below += inside;
    return `${name}_bucket{le="${bounds[index] ?? "+Inf"}"} ${below}`;
  });
  return [...buckets, `${name}_sum ${sum}`, `${name}_count ${count}`];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
