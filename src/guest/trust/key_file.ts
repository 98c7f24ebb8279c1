import { ActrError } from "../../errors.ts";
import { equalBytes, fromBase64 } from "../../protocol/bytes.ts";
import { ed25519Bytes, importSigningKey, type SigningKey } from "../../protocol/signing_key.ts";

/** The public key in the text of a key file, 32 bytes (`spec/guest.md` §4). @param file its name, for errors. @throws ActrError `config`. */
export function publicKeyIn(text: string, file = "the key file"): Uint8Array {
  return keyBytes(fieldsOf(text, file), "public_key", file);
}

/** The key pair in the text of a key file. @throws ActrError `config`, also where its halves are not of one pair; no key is told. */
export async function signingKeyIn(text: string, file: string): Promise<SigningKey> {
  const fields = fieldsOf(text, file);
  const seed = keyBytes(fields, "private_key", file);
  const pair = await importSigningKey(seed);
  seed.fill(0);
  if (equalBytes(pair.publicKey, keyBytes(fields, "public_key", file))) return pair;
  throw bad(`public_key of ${file} is not that of its private_key; take the file as it was made`);
}

function fieldsOf(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, without the text, which may hold a secret.
  }
  throw bad(`${file} is no key file: it must be JSON with public_key`);
}

function keyBytes(
  fields: Readonly<Record<string, unknown>>,
  name: "public_key" | "private_key",
  file: string,
): Uint8Array {
  const value = fields[name];
  const key = typeof value === "string" ? fromBase64(value) : undefined;
  if (key?.length === ed25519Bytes.publicKey) return key;
  const fault = value === undefined ? "is missing" : "is something else";
  throw bad(`${name} of ${file} ${fault}; it must be base64 of ${ed25519Bytes.publicKey} bytes`);
}

function bad(message: string): ActrError {
  return new ActrError("config", message);
}
