import { ActrError, type ErrorCode, errorCodes } from "../../errors.ts";
import { hostErrorCodes } from "../../host_errors.ts";
import { askNode, type NodeAddress, type Refusal } from "../ask_node.ts";

/** One actor, as a node tells of it. */
export interface ActorLine {
  readonly id: string;
  readonly name: string;
  /** Serialised. */
  readonly key: string;
}

/** One page of actors. */
export interface ActorPage {
  readonly actors: readonly ActorLine[];
  /** Where the next page begins; null when this was the last one. */
  readonly next: string | null;
}

/** A node whose actors are asked. */
export interface HttpActorsOptions extends NodeAddress {
  /** None where the actors are open. */
  readonly token: string | undefined;
}

/** What the control API says of an actor (`spec/actor-client.md` §3.2). */
interface ActorObject {
  readonly actor_id: string;
  readonly name: string;
  readonly key: string;
}

interface ActorList {
  readonly actors: readonly ActorObject[];
  readonly pagination?: { readonly cursor: string | null };
}

/** The actors of a running node, over HTTP. Every failure is an ActrError: the node's or the actor's own, `unavailable` or `timed_out`. */
export class HttpActors {
  readonly #options: HttpActorsOptions;

  constructor(options: HttpActorsOptions) {
    this.#options = options;
  }

  /** Actors of a definition, ascending by key. */
  async list(name: string, cursor: string | null): Promise<ActorPage> {
    const { actors, pagination } = await this.#lookUp({ name, ...(cursor && { cursor }) });
    return { actors: actors.map(lineOf), next: pagination?.cursor ?? null };
  }

  /** The actor of an id. @throws ActrError `actor.not_found`. */
  async byId(id: string): Promise<ActorLine> {
    return only(await this.#lookUp({ actor_ids: id }), id);
  }

  /** The actor of a serialised key. @throws ActrError `actor.not_found`. */
  async byKey(name: string, key: string): Promise<ActorLine> {
    return only(await this.#lookUp({ name, key }), `${name} ${key}`);
  }

  /** The same; makes it when there is none. */
  async obtain(name: string, key: string): Promise<ActorLine> {
    const body = JSON.stringify({ name, key });
    const { actor } = await this.#ask<{ actor: ActorObject }>("/actors", { method: "PUT", body });
    return lineOf(actor);
  }

  /** Runs an action; arguments and output are as JSON over HTTP has them. Null when it returns nothing. */
  async act(id: string, action: string, args: readonly unknown[]): Promise<unknown> {
    const path = `/gateway/${encodeURIComponent(id)}/action/${encodeURIComponent(action)}`;
    const request = { method: "POST", body: JSON.stringify({ args }) };
    const { output } = await this.#ask<{ output: unknown }>(path, request);
    return Array.isArray(output) && output[0] === "$Undefined" ? null : output;
  }

  /** Ends an actor for good, with all its data. */
  async destroy(id: string): Promise<void> {
    await this.#ask(`/actors/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  #lookUp(query: Record<string, string>): Promise<ActorList> {
    return this.#ask(`/actors?${new URLSearchParams(query)}`, {});
  }

  #ask<Answer>(path: string, request: RequestInit): Promise<Answer> {
    const { token } = this.#options;
    // The control API takes one, the gateway the other.
    const headers =
      token === undefined ? {} : { authorization: `Bearer ${token}`, "x-rivet-token": token };
    return askNode(this.#options, path, { ...request, headers }, failureOf);
  }
}

function lineOf({ actor_id: id, name, key }: ActorObject): ActorLine {
  return { id, name, key };
}

function only({ actors: [actor] }: ActorList, what: string): ActorLine {
  if (actor !== undefined) return lineOf(actor);
  throw new ActrError("actor.not_found", `there is no actor ${what}`);
}

/** The error that a node answered with, or why there is none. */
function failureOf({ url, status, answer }: Refusal): ActrError {
  const { group, code, message } = Object(answer) as Record<string, unknown>;
  if (typeof group !== "string" || typeof code !== "string") {
    const mend = "name the base address of a node: --url http://HOST:PORT";
    return new ActrError("not_found", `${url} shows no actors (status ${status}); ${mend}`);
  }
  if (group === "auth") {
    const mend = "give the node's own: --token TOKEN or ROOST_ACTOR_TOKEN";
    return new ActrError("auth.forbidden", `${url} refuses this token; ${mend}`);
  }
  return new ActrError(codeOf(group, code), String(message));
}

const knownCodes: readonly string[] = [...errorCodes, ...hostErrorCodes];

/** Errors of users travel in a group of their own, with those codes of nodes that an action threw. */
function codeOf(group: string, code: string): ErrorCode {
  const found = [`${group}.${code}`, code].find((each) => knownCodes.includes(each));
  if (found !== undefined) return found as ErrorCode;
  return group === "user" ? `user.${code}` : "internal";
}
