import { concatBytes, equalBytes, utf8 } from "../../protocol/bytes.ts";
import { hmac } from "../../protocol/crypto.ts";
import type { Ais } from "../ais/ais.ts";
import { nowSeconds } from "../ais/issue.ts";

/** How long a nonce may be used, seconds (`spec/protocol.md` §15). */
const lifeSeconds = 300;
const context = utf8("roost/mfr/publish/v1");
/** Bytes of the end of the nonce's life, and of what makes it differ from others of that second. */
const [endBytes, randomBytes] = [8, 8];

/**
 * A nonce for one publication by a manufacturer, 32 bytes: its end (u64, Unix seconds, big-endian), 8 random bytes, and 16
 * bytes of HMAC-SHA256 over both and the manufacturer. So none has to be kept before it is used.
 */
export async function publishNonce(ais: Ais, manufacturer: string): Promise<Uint8Array> {
  const end = new Uint8Array(endBytes);
  new DataView(end.buffer).setBigUint64(0, BigInt(nowSeconds(ais) + lifeSeconds));
  return await sealed(ais, manufacturer, concatBytes([end, ais.random.bytes(randomBytes)]));
}

/** Whether a nonce was made for this manufacturer, on this store, and has not ended. */
export async function isPublishNonce(
  ais: Ais,
  manufacturer: string,
  nonce: Uint8Array,
): Promise<boolean> {
  if (nonce.length !== 32) return false;
  const head = nonce.slice(0, endBytes + randomBytes);
  const isOurs = equalBytes(await sealed(ais, manufacturer, head), nonce);
  return isOurs && new DataView(head.buffer).getBigUint64(0) > BigInt(nowSeconds(ais));
}

async function sealed(ais: Ais, manufacturer: string, head: Uint8Array): Promise<Uint8Array> {
  const message = concatBytes([context, head, utf8(manufacturer)]);
  const seal = await hmac("SHA-256", ais.renewalSecret, message);
  return concatBytes([head, seal.subarray(0, 16)]);
}
