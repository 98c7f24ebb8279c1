import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError } from "../../errors.ts";
import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import { registryRoot } from "../../guest/trust/registry_endpoint.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import type { SigningKey } from "../../protocol/signing_key.ts";
import { readBody } from "../../read_body.ts";
import { withinLimit } from "../../time_limit.ts";
import { oneLine } from "../failure.ts";
import { publicationOf, publicationSignature } from "./publication.ts";
import { type RegistryAnswer, requireOk, strange, textOf } from "./registry_answer.ts";

/** Longest answer read, bytes. */
const maxAnswerBytes = 65_536;

/** What the server calls a package that it has published. */
export interface Published {
  readonly type: string;
  readonly target: string;
  readonly status: string;
}

/** Publishes a package with the key that signed it: asks for a nonce, signs, sends (`spec/protocol.md` §15). @throws ActrError naming what the server said, with the mend. */
export async function publishPackage(
  endpoint: string,
  verified: VerifiedPackage,
  key: SigningKey,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<Published> {
  const registry = registryRoot(endpoint);
  const clock = systemClock();
  const { manufacturer, binary } = verified.manifest;
  const limit = { what: "publishing", ms: timeoutMs, signal: new AbortController().signal };
  return await withinLimit(clock, limit, async (signal) => {
    const ask = (path: string, body: object): Promise<RegistryAnswer> =>
      post(`${registry}/mfr/pkg/${path}`, body, signal);
    const nonceText = textOf(requireOk(await ask("nonce", { manufacturer }), verified), "nonce");
    const nonce = fromBase64(nonceText);
    if (nonce === undefined) throw strange(registry);
    const publication = publicationOf(verified, nonceText);
    const nonce_sig = await publicationSignature(publication, nonce, key);
    const told = requireOk(await ask("publish", { ...publication, nonce_sig }), verified);
    return {
      type: textOf(told, "type_str"),
      target: binary.target,
      status: textOf(told, "status"),
    };
  });
}

async function post(url: string, body: object, signal: AbortSignal): Promise<RegistryAnswer> {
  const response = await reached(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
    signal,
  });
  const bytes = await readBody(response, { maxBytes: maxAnswerBytes, clock: systemClock() });
  return { url, status: response.status, fields: fieldsOf(bytes) };
}

async function reached(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    const reason = oneLine(cause instanceof Error ? cause.message : String(cause));
    const mend = "name the identity service of a rendezvous: --identity URL";
    throw new ActrError("unavailable", `${url} does not answer: ${reason}; ${mend}`, { cause });
  }
}

/** What is no JSON has no fields. */
function fieldsOf(bytes: Uint8Array): RegistryAnswer["fields"] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
