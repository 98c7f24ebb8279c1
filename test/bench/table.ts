/** `node --import tsx test/bench/table.ts FILE`: what `--json FILE` has of targets, as a table for README.md. */
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Row } from "./report.ts";

const lines = readFileSync(process.argv[2] ?? "bench.jsonl", "utf8")
  .trim()
  .split("\n");
const rows = lines.map((line) => JSON.parse(line) as Row).filter(({ target }) => target !== null);
const runtimes = [...new Set(rows.map(({ runtime }) => runtime))];
const names = [...new Set(rows.map(figure))];

/** What runtimes share; the binding in brackets is theirs. */
function figure({ w, variant, metric, target }: Row): string {
  return `${w} | ${variant.replace(/ \(.*\)/, "")}, \`${metric}\` | ${target?.replace(/^value |^ratio /, "")}`;
}

function cell(row: Row | undefined): string {
  if (row === undefined) return "–";
  const { target, value, ratio, unit, met } = row;
  const shown = target?.startsWith("ratio")
    ? Number((ratio ?? Number.NaN).toPrecision(3))
    : `${Number(value.toPrecision(3))}${unit === "1" ? "" : ` ${unit}`}`;
  return met ? `${shown}` : `**${shown}**`;
}

console.log(`| W | Figure | Target | ${runtimes.join(" | ")} |`);
console.log(`|---|---|---|${runtimes.map(() => "---|").join("")}`);
for (const name of names) {
  const cells = runtimes.map((runtime) =>
    cell(rows.find((row) => row.runtime === runtime && figure(row) === name)),
  );
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
