import { InspectorBareCodec } from "../../protocol/actors/inspector_bare.ts";
import { inspectorJson } from "../../protocol/actors/inspector_json.ts";
import type { InspectorCodec } from "../../protocol/actors/inspector_schema.ts";
import { bearerOf } from "./token.ts";

/** What an inspector says when it opens a WebSocket: in subprotocols, since pages can send no headers. */
export interface InspectorOffer {
  /** What the server has to choose; undefined when it is not offered. */
  readonly chosen: "rivet" | undefined;
  readonly token: string | undefined;
  /** Undefined for an encoding that there is none of. */
  readonly codec: InspectorCodec | undefined;
}

/** Reads the offer of a request to upgrade (`spec/actor-host.md` §13.2, §16.2). */
export function readInspectorOffer({ headers }: Request): InspectorOffer {
  const offered = (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((each) => each.trim());
  const after = (prefix: string): string | undefined =>
    offered.find((each) => each.startsWith(prefix))?.slice(prefix.length);
  return {
    chosen: offered.includes("rivet") ? "rivet" : undefined,
    token: decoded(after("rivet_inspector_token.")) ?? bearerOf(headers.get("authorization")),
    codec: codecOf(after("rivet_encoding.") ?? "bare"),
  };
}

function codecOf(encoding: string): InspectorCodec | undefined {
  if (encoding === "bare") return new InspectorBareCodec();
  return encoding === "json" ? inspectorJson : undefined;
}

/** Subprotocols have not all characters that a token may have: those are encoded as in URLs. */
function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text;
  }
}
