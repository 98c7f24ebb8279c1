/** One metric as it was read. */
export interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Names of its labels, a histogram's own apart. */
  readonly labels: string[];
  /** By name and labels, as written. */
  readonly samples: Map<string, number>;
}

const helpLine = /^# HELP ([a-z][a-z0-9_]*) (\S.*\.)$/;
const typeLine = /^# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram)$/;
const labelPair = /([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"/;
const sampleLine = new RegExp(
  `^([a-z][a-z0-9_]*)(\\{${labelPair.source}(?:,${labelPair.source})*\\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)$`,
);

/** Reads the text form of Prometheus, strictly as our nodes write it: help, type, samples of that metric alone. @throws Error for anything else. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family>();
  const lines = text.slice(0, -1).split("\n");
  while (lines.length > 0) {
    const [, name = "", help = ""] = read(helpLine, lines.shift());
    const [, same, type] = read(typeLine, lines.shift());
    if (same !== name) throw new Error(`type of ${same} after help of ${name}`);
    if (families.has(name)) throw new Error(`${name} comes twice`);
    const family: Family = { type: type as Family["type"], help, labels: [], samples: new Map() };
    while (lines[0] !== undefined && !lines[0].startsWith("#"))
      readSample(name, family, lines.shift());
    if (family.samples.size === 0) throw new Error(`${name} has no sample`);
    if (family.type === "histogram") checkBuckets(name, family);
    families.set(name, family);
  }
  return families;
}

function read(form: RegExp, line: string | undefined): RegExpExecArray {
  const match = form.exec(line ?? "");
  if (match === null) throw new Error(`not ${form}: ${line}`);
  return match;
}

function readSample(name: string, family: Family, line: string | undefined): void {
  const match = read(sampleLine, line);
  const [, sample = "", labels = ""] = match;
  const own = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!own.some((ending) => sample === `${name}${ending}`)) {
    throw new Error(`${sample} among the samples of ${name}`);
  }
  const key = `${sample}${labels}`;
  if (family.samples.has(key)) throw new Error(`${key} comes twice`);
  family.samples.set(key, Number(match.at(-1)));
  for (const [, label = ""] of labels.matchAll(new RegExp(labelPair, "g"))) {
    if (label !== "le" && !family.labels.includes(label)) family.labels.push(label);
  }
}

function checkBuckets(name: string, { samples }: Family): void {
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket`));
  const values = buckets.map(([, value]) => value);
  if (values.some((value, index) => value < (values[index - 1] ?? 0))) {
    throw new Error(`buckets of ${name} do not ascend`);
  }
  const last = samples.get(`${name}_bucket{le="+Inf"}`);
  if (last === undefined || last !== samples.get(`${name}_count`) || !samples.has(`${name}_sum`)) {
    throw new Error(`${name} has no sum, or another count than its last bucket`);
  }
}
