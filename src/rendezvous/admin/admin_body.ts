import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { readBody } from "../../read_body.ts";

/** Longest body of most requests of operators, bytes. */
const maxBodyBytes = 16 * 1024;

type Kind = "number" | "string" | "secret";
type ValueOf<K extends Kind> = K extends "number"
  ? number
  : K extends "string"
    ? string
    : string | null;

/** A request of an operator. */
interface Asked {
  readonly req: { readonly raw: Request };
  readonly var: { readonly admin: { readonly clock: Clock } };
}

/** Fields of a request as they were asked for; what is absent stays absent. */
export type Fields<S extends Readonly<Record<string, Kind>>> = {
  readonly [Name in keyof S]?: ValueOf<S[Name]>;
};

/**
 * The JSON object of a request, which may be left out: its fields and their kinds; `secret` is text, or null for none.
 * @throws ActrError `invalid_argument` for anything else, naming the field; as `readBody`.
 */
export async function readFields<S extends Readonly<Record<string, Kind>>>(
  asked: Asked,
  kinds: S,
  maxBytes: number = maxBodyBytes,
): Promise<Fields<S>> {
  const { clock } = asked.var.admin;
  const value = parse(await readBody(asked.req.raw, { maxBytes, clock }));
  for (const [name, field] of Object.entries(value)) {
    const kind = kinds[name];
    if (kind === undefined) throw wrong(`there is no field ${name}; ${known(kinds)}`);
    if (!fits(field, kind)) throw wrong(`${name} must be a ${kind}`);
  }
  return value as Fields<S>;
}

function parse(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  const value = json(body);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw wrong("the body must be a JSON object");
}

function json(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

function fits(field: unknown, kind: Kind): boolean {
  if (kind === "number") return typeof field === "number" && Number.isSafeInteger(field);
  return typeof field === "string" || (kind === "secret" && field === null);
}

function known(kinds: Readonly<Record<string, Kind>>): string {
  return `known are ${Object.keys(kinds).join(", ")}`;
}

function wrong(message: string): ActrError {
  return new ActrError("invalid_argument", message);
}
