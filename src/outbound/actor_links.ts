import type { RawSocket } from "../actor.ts";
import {
  type CallTarget,
  type ConnectionToActor,
  closeWith,
  type HandleOptions,
} from "../actor_client.ts";
import { ClientSocket } from "../client_socket.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Socket, Sockets } from "../ports/sockets.ts";
import { Deadlines } from "../session/deadlines.ts";
import { withinLimit } from "../time_limit.ts";
import { ActorLink } from "./actor_link.ts";
import { gatewayUrl } from "./gateway_url.ts";

/** What {@link ActorLinks} work with. */
export interface ActorLinksParts {
  /** Base address of the node, `http:` or `https:`. */
  readonly base: string;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  /** Deadline of an action, milliseconds. */
  readonly timeoutMs: number;
  readonly token: string | undefined;
}

const { signal: never } = new AbortController();

/** Longest message of an actor, bytes. */
const maxMessageBytes = 4 * 1024 * 1024;

/** The WebSockets of this client to the actors of one node. */
export class ActorLinks {
  readonly #parts: ActorLinksParts;
  readonly #deadlines: Deadlines;
  readonly #open = new Set<ActorLink>();

  constructor(parts: ActorLinksParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.clock);
  }

  /** Connects to an actor, now and whenever the connection is lost, until `signal` is aborted. */
  connect(target: CallTarget, params: unknown, { signal }: HandleOptions = {}): ConnectionToActor {
    const { clock, random, timeoutMs } = this.#parts;
    const open = (bounds: AbortSignal, offer: string): Promise<Socket> =>
      this.#dial(target, "/connect", [offer, ...paramsOffer(params)], bounds);
    const link = new ActorLink({ clock, random, timeoutMs, deadlines: this.#deadlines, open });
    this.#open.add(link);
    void link.ended.then(() => this.#open.delete(link));
    if (signal !== undefined) closeWith(link, signal);
    return link;
  }

  /** Opens a raw WebSocket, which is its owner's to close. @throws ActrError `unavailable`, `timed_out`; the signal's reason. */
  async webSocket(
    target: CallTarget,
    path: string,
    { signal = never }: HandleOptions = {},
  ): Promise<RawSocket> {
    const limit = { what: "opening a WebSocket", ms: this.#parts.timeoutMs, signal };
    const own = `/websocket/${path.replace(/^\//, "")}`;
    const dial = (bounds: AbortSignal): Promise<Socket> => this.#dial(target, own, [], bounds);
    return new ClientSocket(await withinLimit(this.#parts.clock, limit, dial));
  }

  /** Closes every connection. */
  close(): void {
    for (const link of this.#open) link.close();
    this.#deadlines.close();
  }

  #dial(
    target: CallTarget,
    path: string,
    offers: readonly string[],
    signal: AbortSignal,
  ): Promise<Socket> {
    const { base, sockets, token } = this.#parts;
    const url = `${base.replace(/^http/, "ws")}${gatewayUrl(target, path, token)}`;
    const protocols = ["rivet", "rivet_encoding.bare", ...offers];
    return sockets.connect(url, { protocols, maxMessageBytes, signal });
  }
}

/** The parameters as a subprotocol, which may have no brackets. */
function paramsOffer(params: unknown): string[] {
  if (params === undefined) return [];
  const text = encodeURIComponent(JSON.stringify(params));
  return [`rivet_conn_params.${text.replace(/[()]/g, (each) => (each === "(" ? "%28" : "%29"))}`];
}
