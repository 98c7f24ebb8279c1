import { resolve } from "node:path";
import { ActrError } from "../../errors.ts";
import { registryRoot } from "../../guest/trust/registry_endpoint.ts";
import type { TrustAnchor } from "../../guest/trust/trust_anchor.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import { isTable, type TomlValues } from "../../protocol/manifest/toml_table.ts";
import { ed25519Bytes } from "../../protocol/signing_key.ts";
import { suggestion } from "../suggest.ts";
import type { Parser, Place } from "./parsers.ts";

/** Who is trusted, as far as settings say it: a key may be in a file, which is read when a package comes. */
export type TrustSource = TrustAnchor | { readonly kind: "key_file"; readonly path: string };

/** `[hyper.trust]`: one table (`spec/guest.md` §6). */
export const hyperTrust: Parser<readonly TrustSource[]> = (value, place) => [
  trustSource(value, place, ["dev_only", "static", "registry"]),
];

/** `[[trust]]`: tables, the first that accepts decides. */
export const trustList: Parser<readonly TrustSource[]> = (value, place) => {
  if (!Array.isArray(value) || value.length === 0) {
    throw refusedValue(value, place, "write [[trust]] tables");
  }
  return value.map((entry: unknown, at) => {
    const inner = { ...place, name: `entry ${at + 1} of ${place.name}` };
    return trustSource(entry, inner, ["static", "registry"]);
  });
};

/** Public keys and paths of key files, with commas between them. */
export const trustKeys: Parser<readonly TrustSource[]> = (value, place) =>
  String(value)
    .split(",")
    .map((each) => each.trim())
    .map((each) =>
      // 32 bytes are 43 letters and one sign of padding.
      /^[A-Za-z0-9+/]{43}=$/.test(each)
        ? { kind: "key", publicKey: publicKey(each, place) }
        : { kind: "key_file", path: resolve(place.folder, each) },
    );

/** The address of a registry. */
export const trustRegistry: Parser<readonly TrustSource[]> = (value, place) => [
  registry({ endpoint: value }, place),
];

type Kind = "dev_only" | "static" | "registry";

const keysOf: Readonly<Record<Kind, readonly string[]>> = {
  dev_only: ["kind"],
  static: ["kind", "pubkey_file", "pubkey_b64"],
  registry: ["kind", "endpoint", "allow_stale"],
};

function trustSource(value: unknown, place: Place, kinds: readonly Kind[]): TrustSource {
  if (!isTable(value)) throw refusedValue(value, place, "it must be a table");
  const kind = kinds.find((each) => each === value["kind"]);
  if (kind === undefined) {
    throw refusedValue(value["kind"], within("kind", place), `write ${kinds.join(", ")}`);
  }
  const known = keysOf[kind];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const mend = `with kind ${kind} there are ${known.join(", ")}.${suggestion(unknown, known)}`;
    throw refusedValue(value[unknown], within(unknown, place), mend);
  }
  if (kind === "dev_only") return { kind: "nobody" };
  return kind === "static" ? staticKey(value, place) : registry(value, place);
}

function staticKey(table: TomlValues, place: Place): TrustSource {
  const { pubkey_file: file, pubkey_b64: text } = table;
  if ((file === undefined) === (text === undefined)) {
    throw refusedValue(table, place, "give it either pubkey_file or pubkey_b64");
  }
  if (file === undefined)
    return { kind: "key", publicKey: publicKey(text, within("pubkey_b64", place)) };
  if (typeof file === "string" && file !== "") {
    return { kind: "key_file", path: resolve(place.folder, file) };
  }
  throw refusedValue(file, within("pubkey_file", place), "write the path of a key file");
}

function publicKey(value: unknown, place: Place): Uint8Array {
  const key = typeof value === "string" ? fromBase64(value) : undefined;
  if (key?.length === ed25519Bytes.publicKey) return key;
  throw refusedValue(value, place, `write base64 of ${ed25519Bytes.publicKey} bytes`);
}

function registry(table: TomlValues, place: Place): TrustSource {
  const { endpoint, allow_stale: allowStale = false } = table;
  if (typeof allowStale !== "boolean") {
    throw refusedValue(allowStale, within("allow_stale", place), "write true or false");
  }
  try {
    return { kind: "registry", endpoint: registryRoot(String(endpoint)), allowStale };
  } catch {
    // What it refuses may be a password.
    const shown = typeof endpoint === "string" ? endpoint.replace(/\/\/.*@/, "//…@") : endpoint;
    const mend = "write an address such as http://127.0.0.1:8080, without credentials or query";
    throw refusedValue(shown, within("endpoint", place), mend);
  }
}

function within(key: string, place: Place): Place {
  return { ...place, name: `${key} of ${place.name}` };
}

/** The error of a value that cannot be meant: `config`, as nodes of Actr have it. */
function refusedValue(value: unknown, { name }: Place, mend: string): ActrError {
  const text = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  return new ActrError("config", `${name} ${text}; ${mend}`);
}
