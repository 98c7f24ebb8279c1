import type { Fetch } from "../../identity/ais_http.ts";
import type { Clock } from "../../ports/clock.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { ed25519Bytes } from "../../protocol/signing_key.ts";
import { readBody } from "../../read_body.ts";
import { unreachable, untrusted } from "./refusal.ts";

/** Longest answer read, bytes; a real one has about 100. */
const maxAnswerBytes = 65_536;

/** Which key of whom. */
export interface KeyName {
  readonly manufacturer: string;
  /** `mfr-` and 16 hexadecimal digits. */
  readonly keyId: string;
}

/** How a registry is asked. */
export interface RegistryComponents {
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/**
 * The public key of a name, 32 bytes, which its id proves to be the one that was asked for (`spec/guest.md` §6, GD-2).
 * @throws ActrError `permission_denied` for an answer without it, `unavailable` where there is no answer.
 */
export async function fetchRegistryKey(
  { fetch, clock }: RegistryComponents,
  root: string,
  name: KeyName,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const path = `/mfr/${encodeURIComponent(name.manufacturer)}/verifying_key`;
  const url = `${root}${path}?key_id=${encodeURIComponent(name.keyId)}`;
  // A redirect would ask a place that nobody trusts.
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "error",
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw statusError(url, response.status);
  }
  const body = await readBody(response, { maxBytes: maxAnswerBytes, clock });
  return await requireKey(body, name, url);
}

/** A registry that is out of order, or asked too often, has not said no. */
function statusError(url: string, status: number): Error {
  const answer = `answered with status ${status}`;
  return status >= 500 || status === 429
    ? unreachable(`it ${answer}`)
    : untrusted(`${url} ${answer}`);
}

async function requireKey(body: Uint8Array, { keyId }: KeyName, url: string): Promise<Uint8Array> {
  const key = fromBase64(publicKeyOf(body) ?? "");
  if (key === undefined || key.length !== ed25519Bytes.publicKey) {
    throw untrusted(`${url} answered with something else than a key`);
  }
  const id = await manufacturerKeyId(key);
  if (id === keyId) return key;
  throw untrusted(`${url} answered with the key ${id}`);
}

function publicKeyOf(body: Uint8Array): string | undefined {
  try {
    const answer: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    const key = (answer as { public_key?: unknown } | null)?.public_key;
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}
