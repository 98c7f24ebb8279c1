import type { RecordEntry } from "../../ports/store.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import {
  ed25519Bytes,
  importSigningKey,
  importVerifyKey,
  type SigningKey,
} from "../../protocol/signing_key.ts";

/** One key of the identity service, ready for use. */
export interface KeptKey {
  /** From 1 on, ascending. */
  readonly keyId: number;
  readonly signing: SigningKey;
  readonly verify: CryptoKey;
  /** From when on it signs, Unix milliseconds. */
  readonly signsFrom: number;
}

/** Name of a key's record; names ascend as the numbers do. */
export function recordKey(keyId: number): string {
  return String(keyId).padStart(10, "0");
}

/** The record of a new key: its seed of 32 bytes, then from when on it signs, u64 big-endian. */
export function keyRecord(keyId: number, seed: Uint8Array, signsFrom: number): RecordEntry {
  const from = new Uint8Array(8);
  new DataView(from.buffer).setBigUint64(0, BigInt(Math.floor(signsFrom)));
  return { key: recordKey(keyId), value: concatBytes([seed, from]) };
}

/** The key of a record; one that holds a seed alone has always signed. */
export async function readKey({ key, value }: RecordEntry): Promise<KeptKey> {
  const signing = await importSigningKey(value.subarray(0, ed25519Bytes.seed));
  const from = value.subarray(ed25519Bytes.seed);
  const view = new DataView(from.buffer, from.byteOffset, from.length);
  return {
    keyId: Number(key),
    signing,
    verify: await importVerifyKey(signing.publicKey),
    signsFrom: from.length < 8 ? 0 : Number(view.getBigUint64(0)),
  };
}
