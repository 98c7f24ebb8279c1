import { version } from "../version.ts";
import { type Command, commonOptions, type OptionSpecs } from "./command.ts";

/** What `roost --help` shows. */
export function overview(commands: readonly Command[]): string {
  const shown = commands.filter((command) => command.hidden !== true);
  return [
    `roost ${version}: services and durable actors for Node, Deno and Bun`,
    "",
    "Usage: roost COMMAND [options]",
    "",
    ...table(shown.map(({ name, summary }) => [name, summary])),
    "",
    "roost COMMAND --help tells more; roost --version the version.",
  ].join("\n");
}

/** What `roost COMMAND --help` shows. */
export function commandHelp(command: Command): string {
  const { name, summary, options, example } = command;
  const usage = ["roost", name, command.arguments.usage, "[options]"].filter(Boolean).join(" ");
  return [
    summary,
    "",
    `Usage: ${usage}`,
    "",
    ...table(optionRows({ ...options, ...omit(commonOptions, options) })),
    "",
    `Example: ${example}`,
  ].join("\n");
}

function optionRows(options: OptionSpecs): [string, string][] {
  return Object.entries(options).map(([name, { value, help }]) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    help,
  ]);
}

function omit(specs: OptionSpecs, names: object): OptionSpecs {
  return Object.fromEntries(Object.entries(specs).filter(([name]) => !(name in names)));
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
