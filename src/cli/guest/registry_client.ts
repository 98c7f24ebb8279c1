import { ActrError } from "../../errors.ts";
import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import { registryRoot } from "../../guest/trust/registry_endpoint.ts";
import type { RegistryComponents } from "../../guest/trust/registry_http.ts";
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

/** What is to be published, and by whom. */
export interface PublishTask {
  /** The server's root, or its identity service. */
  readonly endpoint: string;
  readonly verified: VerifiedPackage;
  /** The key that signed it. */
  readonly key: SigningKey;
  readonly timeoutMs: number;
}

/** Publishes a package: asks for a nonce, signs, sends (`spec/protocol.md` §15). @throws ActrError with what the server said, and what helps; `timed_out`. */
export async function publishPackage(
  components: RegistryComponents,
  { endpoint, verified, key, timeoutMs }: PublishTask,
): Promise<Published> {
  const registry = registryRoot(endpoint);
  const { manufacturer, binary } = verified.manifest;
  const limit = { what: "publishing", ms: timeoutMs, signal: new AbortController().signal };
  return await withinLimit(components.clock, limit, async (signal) => {
    const ask = async (path: string, body: object): Promise<RegistryAnswer> =>
      requireOk(await post(components, `${registry}/mfr/pkg/${path}`, body, signal), verified);
    const nonceText = textOf(await ask("nonce", { manufacturer }), "nonce");
    const nonce = fromBase64(nonceText);
    if (nonce === undefined) throw strange(registry);
    const publication = publicationOf(verified, nonceText);
    const nonce_sig = await publicationSignature(publication, nonce, key);
    const told = await ask("publish", { ...publication, nonce_sig });
    const [type, status] = [textOf(told, "type_str"), textOf(told, "status")];
    return { type, target: binary.target, status };
  });
}

async function post(
  { fetch, clock }: RegistryComponents,
  url: string,
  body: object,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const request = fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
    signal,
  });
  const response = await request.catch((cause: unknown) => {
    signal.throwIfAborted();
    const reason = oneLine(cause instanceof Error ? cause.message : String(cause));
    const mend = "name the identity service of a rendezvous: --identity URL";
    throw new ActrError("unavailable", `${url} does not answer: ${reason}; ${mend}`, { cause });
  });
  const bytes = await readBody(response, { maxBytes: maxAnswerBytes, clock });
  return { url, status: response.status, fields: fieldsOf(bytes) };
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
