import { parseArgs } from "node:util";
import { type ArgumentsSpec, commonOptions, type Input, type OptionSpecs } from "./command.ts";
import { Misuse } from "./misuse.ts";
import { suggestion } from "./suggest.ts";

/** What a command line may hold. */
export interface Grammar {
  /** The command, whose help lists the options. */
  readonly name: string;
  readonly arguments: ArgumentsSpec;
  readonly options: OptionSpecs;
}

/** Reads the arguments of one command. @throws Misuse naming what is wrong. */
export function parseInput(args: readonly string[], grammar: Grammar): Input {
  const specs: OptionSpecs = { ...commonOptions, ...grammar.options };
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokensOf(args, specs)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    refuseUnknown(token, specs, grammar.name);
    const values = given.get(token.name) ?? [];
    given.set(token.name, [...values, checked(token, specs)]);
  }
  const input = inputOf(args, positionals, given);
  if (!input.has("help")) checkCount(positionals, grammar.arguments);
  return input;
}

type Token =
  | { readonly kind: "positional"; readonly value: string }
  | { readonly kind: "option-terminator" }
  | OptionToken;

interface OptionToken {
  readonly kind: "option";
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function tokensOf(args: readonly string[], specs: OptionSpecs): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value }]) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        ...(name === "help" ? { short: "h" } : {}),
      },
    ]),
  );
  // Not strict: the messages of our own name the value and the mend.
  const found = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return found.tokens as readonly Token[];
}

function refuseUnknown({ name, rawName }: OptionToken, specs: OptionSpecs, command: string): void {
  if (Object.hasOwn(specs, name)) return;
  const near = suggestion(name, Object.keys(specs), "--");
  throw new Misuse(`unknown option ${rawName}.${near || ` roost ${command} --help lists them.`}`);
}

/** The option's value, or "" for a switch. */
function checked({ name, rawName, value, inlineValue }: OptionToken, specs: OptionSpecs): string {
  const spec = specs[name];
  if (spec?.value === undefined) {
    if (value !== undefined) throw new Misuse(`${rawName} takes no value, but got ${value}`);
    return "";
  }
  if (value === undefined || (inlineValue !== true && value.startsWith("--"))) {
    throw new Misuse(`${rawName} needs a value: ${rawName} ${spec.value}`);
  }
  return value;
}

function inputOf(
  raw: readonly string[],
  positionals: readonly string[],
  given: ReadonlyMap<string, readonly string[]>,
): Input {
  return {
    raw,
    positionals,
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
    has: (name) => given.has(name),
  };
}

function checkCount(positionals: readonly string[], { usage, least, most }: ArgumentsSpec): void {
  if (positionals.length < least) {
    throw new Misuse(`an argument is missing: expected ${usage}`);
  }
  const surplus = positionals[most];
  if (surplus === undefined) return;
  const expected = usage === "" ? "none" : usage;
  throw new Misuse(`unexpected argument ${surplus}: expected ${expected}`);
}
