import { ActrError } from "../../errors.ts";

/** What a client of actors says in the subprotocols that it offers, since pages can send no headers (`spec/actor-client.md` §4.4, §10.1). */
export interface Offer {
  /** What the server has to choose; undefined when the client does not offer it. */
  readonly chosen: "rivet" | undefined;
  readonly encoding: string;
  /** JSON, still encoded for a URL; undefined when there is none. */
  readonly params: string | undefined;
  readonly token: string | undefined;
  /** Whom it is for, where the path does not say it. */
  readonly actorId: string | undefined;
}

/** Reads the offer of a request to upgrade. */
export function readOffer(request: Request): Offer {
  const offered = (request.headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((each) => each.trim());
  const after = (prefix: string): string | undefined =>
    offered.find((each) => each.startsWith(prefix))?.slice(prefix.length);
  return {
    chosen: offered.includes("rivet") ? "rivet" : undefined,
    encoding: after("rivet_encoding.") ?? "json",
    params: after("rivet_conn_params."),
    token: after("rivet_token."),
    actorId: after("rivet_actor."),
  };
}

/** The parameters of an offer. @throws ActrError `actor.invalid_request`. */
export function readParams({ params }: Offer): unknown {
  if (params === undefined) return undefined;
  try {
    return JSON.parse(decodeURIComponent(params));
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "rivet_conn_params is no JSON", { cause });
  }
}
