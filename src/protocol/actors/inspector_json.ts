import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import {
  answerForms,
  type Fields,
  type Form,
  type InspectorAnswer,
  type InspectorCodec,
  type InspectorRequest,
  requestForms,
} from "./inspector_schema.ts";
import { plainOf, valueOfPlain } from "./plain.ts";

/** Frames are texts `{"body":{"tag":…,"val":{…}}}`; what is CBOR in `bare` stands in them as `plainOf` shows it. */
export const inspectorJson: InspectorCodec = {
  write: ({ tag, val }: InspectorAnswer): string =>
    JSON.stringify({ body: { tag, val: writeFields(answerForms[tag], val) } }),

  read(frame: string | Uint8Array): InspectorRequest {
    if (typeof frame !== "string") throw broken("is bytes; this encoding has text");
    const { tag, val } = Object(Object(parsed(frame)).body);
    if (typeof tag !== "string" || !Object.hasOwn(requestForms, tag)) throw broken("is unknown");
    const fields = requestForms[tag as keyof typeof requestForms];
    return { tag, val: readFields(fields, Object(val)) } as InspectorRequest;
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ActrError("decode_failure", "the message is no JSON", { cause });
  }
}

function writeFields(fields: Fields, value: object): Record<string, unknown> {
  const given = value as Readonly<Record<string, unknown>>;
  const entries = Object.entries(fields).map(([name, form]) => [name, plain(form, given[name])]);
  return Object.fromEntries(entries);
}

function plain(form: Form, value: unknown): unknown {
  if (form === "uint") return Number(value);
  if (form === "data") return plainOf(decodeCbor(value as Uint8Array));
  if (typeof form === "string") return value;
  if ("optional" in form) return value === undefined ? null : plain(form.optional, value);
  if ("list" in form) return (value as readonly unknown[]).map((each) => plain(form.list, each));
  return writeFields(form.fields, value as object);
}

function readFields(
  fields: Fields,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, form]) => {
    return [name, value(name, form, given[name])];
  });
  return Object.fromEntries(entries);
}

/** Requests have neither lists nor structures. */
function value(name: string, form: Form, given: unknown): unknown {
  if (form === "data") return encodeCbor(valueOfPlain(given));
  if (form === "uint" && Number.isSafeInteger(given) && Number(given) >= 0) {
    return BigInt(given as number);
  }
  if (form === "str" && typeof given === "string") return given;
  if (typeof form === "object" && "optional" in form) {
    return given === undefined || given === null ? undefined : value(name, form.optional, given);
  }
  throw broken(`has a wrong ${name}`);
}

function broken(what: string): ActrError {
  return new ActrError("decode_failure", `the message ${what}`);
}
