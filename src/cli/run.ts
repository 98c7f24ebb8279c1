import { version } from "../version.ts";
import type { Command, World } from "./command.ts";
import { commands } from "./commands/mod.ts";
import { failureLines } from "./failure.ts";
import { commandHelp, overview } from "./help.ts";
import { Misuse } from "./misuse.ts";
import { parseInput } from "./parse.ts";
import { choice } from "./suggest.ts";

/** Runs one command line. Resolves with the exit code: 0, 1 when it failed, 2 when it was misused; never rejects. */
export async function run(args: readonly string[], world: World): Promise<number> {
  try {
    return await dispatch(args, world);
  } catch (error) {
    const options = { json: wantsJson(args), verbose: args.includes("--verbose") };
    for (const line of failureLines(error, options)) world.err(line);
    return error instanceof Misuse ? 2 : 1;
  }
}

async function dispatch(args: readonly string[], world: World): Promise<number> {
  // Task runners pass the `--` on that ends their own options.
  const [first, ...rest] = args[0] === "--" ? args.slice(1) : args;
  if (first === "--version") return print(version, world);
  if (first === undefined || first === "--help" || first === "-h") {
    return print(overview(commands), world);
  }
  if (first === "help") return dispatch([...rest.slice(0, 1), "--help"], world);
  const command = find(first);
  const input = parseInput(rest, command);
  if (input.has("help")) return print(commandHelp(command), world);
  return command.run(input, world);
}

/** Whether errors are to be JSON; not where `--json` carries a message. */
function wantsJson(args: readonly string[]): boolean {
  const command = commands.find((each) => each.name === args[0]);
  return args.includes("--json") && command?.options["json"] === undefined;
}

function print(text: string, world: World): number {
  world.out(text);
  return 0;
}

function find(name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = commands.filter((command) => command.hidden !== true).map((each) => each.name);
  if (name.startsWith("-")) {
    throw new Misuse(`${name} stands before a command; write roost COMMAND ${name}`);
  }
  throw new Misuse(`unknown command ${name}.${choice(name, names)}`);
}
