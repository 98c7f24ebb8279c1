/** `npm run measure`: the figures of our own house, to be laid beside those of its models. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  isArrowFunction,
  isFunctionDeclaration,
  isFunctionExpression,
  isMethodDeclaration,
  isVariableStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import { root } from "./root.ts";

/** What one file adds to the table. */
interface FileFigures {
  lines: number;
  functions: number[];
  exports: number;
  documented: number;
  anys: number;
  globals: number;
}

const isFunction = (node: Node): boolean =>
  isFunctionDeclaration(node) ||
  isFunctionExpression(node) ||
  isArrowFunction(node) ||
  isMethodDeclaration(node);

const has = (node: Node, kind: SyntaxKind): boolean =>
  ((node as { modifiers?: readonly Node[] }).modifiers ?? []).some((one) => one.kind === kind);

function* within(node: Node): Generator<Node> {
  const children: Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) {
    yield child;
    yield* within(child);
  }
}

/** A module's own `let` or `var`, or an empty collection: state that outlives every owner. */
function keepsState(statement: Node, text: string): boolean {
  if (!isVariableStatement(statement)) return false;
  return /^(export )?(let|var)\b/.test(text) || /= new (Weak)?(Map|Set)(<.*>)?\(\);?$/.test(text);
}

function figuresOf(file: SourceFile, text: string): FileFigures {
  const lineOf = (position: number): number => text.slice(0, position).split("\n").length;
  const own = (node: Node): string => text.slice(node.getStart(file), node.end);
  const length = (node: Node): number => lineOf(node.end) - lineOf(node.getStart(file)) + 1;
  const exported = file.statements.filter((one) => has(one, SyntaxKind.ExportKeyword));
  const nodes = [...within(file)];
  return {
    lines: text.split("\n").length - 1,
    functions: nodes.filter(isFunction).map(length),
    exports: exported.length,
    documented: exported.filter((one) => text.slice(one.pos, one.getStart(file)).includes("/**"))
      .length,
    anys: nodes.filter((one) => one.kind === SyntaxKind.AnyKeyword).length,
    globals: file.statements.filter((one) => keepsState(one, own(one))).length,
  };
}

function sources(): string[] {
  return ["src", "transports", "adapters"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !/(^|\/)gen\//.test(path))
      .map((path) => join(root, folder, path)),
  );
}

function measure(): FileFigures[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, "tsconfig.json");
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    return sources().flatMap((path) => {
      const file = project?.program.getSourceFile(path);
      return file ? [figuresOf(file, readFileSync(path, "utf8"))] : [];
    });
  } finally {
    api.close();
  }
}

/** Median and 95th percentile, as `79·448`. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return `${at(0.5)}·${at(0.95)}`;
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

const files = measure();
const lines = sum(files.map((file) => file.lines));
const exported = sum(files.map((file) => file.exports));
const table = {
  files: files.length,
  lines,
  "lines per file": spread(files.map((file) => file.lines)),
  "lines per function": spread(files.flatMap((file) => file.functions)),
  "exports per file": spread(files.map((file) => file.exports)),
  "exports documented": `${Math.round((100 * sum(files.map((f) => f.documented))) / exported)}%`,
  "any per kLOC": ((1000 * sum(files.map((file) => file.anys))) / lines).toFixed(1),
  "module let + empty Map/Set": sum(files.map((file) => file.globals)),
};
for (const [name, value] of Object.entries(table)) console.log(`${name.padEnd(28)} ${value}`);
