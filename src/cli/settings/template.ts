import { Misuse } from "../misuse.ts";
import type { Place } from "./parsers.ts";

/** What a template may name. */
export interface TemplateValues {
  /** By name, such as `realm_id`. */
  readonly variables: ReadonlyMap<string, string>;
  /** Of `{env.NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const placeholder = /\{([^{}]*)\}/g;

/** Puts values in the place of `{name}` and `{env.NAME}`; a text without them is unchanged (`spec/node.md` §2.2). @throws Misuse for a name without a value. */
export function fillTemplate(text: string, values: TemplateValues, place: Place): string {
  return text.replace(placeholder, (_whole, name: string) => filling(name, values, place));
}

function filling(name: string, { variables, env }: TemplateValues, place: Place): string {
  const variable = name.startsWith("env.") ? name.slice("env.".length) : undefined;
  const value = variable === undefined ? variables.get(name) : env[variable];
  if (value !== undefined) return value;
  const known = [...variables.keys(), "env.NAME"].join(", ");
  const mend = variable === undefined ? `write one of ${known}` : `set the variable ${variable}`;
  throw new Misuse(`${place.name} has {${name}}, which has no value; ${mend}`);
}
