import { ActrError } from "../errors.ts";
import { fromBase64, toBase64 } from "./bytes.ts";
import type { Credential } from "./credential_codec.ts";
import { type ActrId, formatActrId, parseActrId } from "./ids.ts";
import { parseU32 } from "./numbers.ts";

/** Who connects to signaling, as its URL says it (`spec/protocol.md` §7.1). Nothing in it is verified. */
export interface SignalingQuery {
  readonly id: ActrId;
  readonly credential: Credential;
  /** `answer` from a node that must not offer. */
  readonly webrtcRole?: string;
}

/** The URL to connect to: `base` verbatim, the credential added to its query. Holds a secret: never to be logged. */
export function signalingUrl(base: string, query: SignalingQuery): string {
  const { credential, webrtcRole } = query;
  const parameters = new URLSearchParams({
    actor_id: formatActrId(query.id),
    key_id: String(credential.keyId),
    claims: toBase64(credential.claims),
    signature: toBase64(credential.signature),
  });
  if (webrtcRole !== undefined) parameters.set("webrtc_role", webrtcRole);
  return `${base}${base.includes("?") ? "&" : "?"}${parameters}`;
}

/** Who asks for the upgrade. Names are not checked. @throws ActrError `permission_denied` when a parameter is missing or malformed. */
export function parseSignalingQuery(parameters: URLSearchParams): SignalingQuery {
  const id = readId(parameters);
  const keyId = parseU32(parameters.get("key_id") ?? "");
  const claims = fromBase64(parameters.get("claims") ?? "");
  const signature = fromBase64(parameters.get("signature") ?? "");
  const webrtcRole = parameters.get("webrtc_role");
  if (keyId === undefined) throw malformed("key_id");
  if (claims === undefined || claims.length === 0) throw malformed("claims");
  if (signature === undefined || signature.length === 0) throw malformed("signature");
  const role = webrtcRole === null ? {} : { webrtcRole };
  return { id, credential: { keyId, claims, signature }, ...role };
}

function readId(parameters: URLSearchParams): ActrId {
  try {
    return parseActrId(parameters.get("actor_id") ?? "", { checkNames: false });
  } catch {
    throw malformed("actor_id");
  }
}

function malformed(parameter: string): ActrError {
  return new ActrError("permission_denied", `query parameter ${parameter} is missing or malformed`);
}
