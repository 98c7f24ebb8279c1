import { ActrError } from "../../errors.ts";
import { resumeOffer, secretBytes } from "../../protocol/actors/resume.ts";
import { fromHex } from "../../protocol/bytes.ts";

/** The connection that a client wants to go on with, and how far it has come. */
export interface ResumeRequest {
  readonly connectionId: string;
  readonly secret: Uint8Array;
  /** Messages that it has received. */
  readonly received: number;
}

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
  /** Whether the connection may be resumed later, or which one is resumed now; undefined for clients that do neither. */
  readonly resume: string | undefined;
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
    resume: after(resumeOffer),
  };
}

/** Whether a request to upgrade is for an actor, and says so in what it offers. */
export function offersTarget({ headers }: Request): boolean {
  return (headers.get("sec-websocket-protocol") ?? "").includes("rivet_target.actor");
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

/** The connection that is to be resumed, if one is. @throws ActrError `actor.invalid_request`. */
export function readResume({ resume }: Offer): ResumeRequest | undefined {
  if (resume === undefined || resume === "") return undefined;
  const [, connectionId = "", text = "", count] =
    /^\.([\w-]+)\.([0-9a-f]+)\.(\d{1,15})$/.exec(resume) ?? [];
  const secret = fromHex(text);
  if (secret?.length === secretBytes) return { connectionId, secret, received: Number(count) };
  throw new ActrError("actor.invalid_request", `${resumeOffer} names no connection`);
}
