import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import type { Socket, Sockets } from "../../ports/sockets.ts";
import { withinLimit } from "../../time_limit.ts";
import type { Frame } from "./frames.ts";
import { dialHeader, dialText, newDial, proofOf } from "./handshake.ts";
import type { Mailroom } from "./mailroom.ts";
import type { RemoteServer } from "./remote_server.ts";
import {
  type Line,
  type LinkEnds,
  type LinkOwner,
  maxLinkMessageBytes,
  ServerLink,
} from "./server_link.ts";
import type { ServerRow } from "./server_rows.ts";

/** What lines to other servers are made with. */
export interface LinkerComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Absent where other servers cannot be dialled: then the store carries everything. */
  readonly sockets: Sockets | undefined;
  readonly mailroom: Mailroom;
  /** What every server of the cluster knows. */
  readonly secret: Uint8Array;
  readonly self: ServerRow;
  /** Tells a server that was just met of every node that is connected here. */
  readonly tellAll: (link: ServerLink) => void;
}

/** Path of the socket that servers dial each other at. */
export const clusterPath = "/cluster/ws";

/** Diallings in vain after which the store carries what there is to say. */
const directTries = 3;
const dialMs = 5_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/**
 * Keeps one link to another server. The later of two dials the earlier, which it has found in the store; when that has no
 * address, the earlier dials. When nobody can, or it fails, the link goes through the store until a socket opens.
 */
export class Linker implements LinkOwner {
  readonly remote: RemoteServer;
  readonly #row: ServerRow;
  readonly #components: LinkerComponents;
  readonly #stopped = new AbortController();
  #mail: ServerLink | undefined;

  constructor(remote: RemoteServer, row: ServerRow, components: LinkerComponents) {
    this.remote = remote;
    this.#row = row;
    this.#components = components;
    if (!this.#calls) return;
    this.#keepUp().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted)
        components.log.error("rendezvous.cluster.failed", { error });
    });
  }

  /** Takes a line that the other server has begun; on a socket this one proves itself, too. */
  accept(line: Line, shows?: Uint8Array): void {
    this.#link(line, shows && { shows });
  }

  met(link: ServerLink): void {
    const { log, tellAll } = this.#components;
    log.info("rendezvous.cluster.linked", {
      server: this.remote.number,
      mail: link === this.#mail,
    });
    this.remote.attach(link);
    tellAll(link);
  }

  frames(frames: readonly Frame[]): void {
    for (const frame of frames) this.remote.take(frame);
  }

  ended(link: ServerLink, reason: string): void {
    this.#components.log.info("rendezvous.cluster.unlinked", {
      server: this.remote.number,
      reason,
    });
    this.remote.detach(link);
  }

  /** Ends the link, and makes no more. */
  stop(): void {
    this.#stopped.abort(new ActrError("unavailable", "the server is gone"));
    this.#mail?.drop("the server is gone");
    this.remote.link?.drop("the server is gone");
  }

  /** Whether this server is the one that begins. */
  get #calls(): boolean {
    const { self } = this.#components;
    if ((this.#row.peerUrl === undefined) === (self.peerUrl === undefined)) {
      return self.number > this.#row.number;
    }
    return self.peerUrl === undefined;
  }

  async #keepUp(): Promise<void> {
    const { clock, sockets } = this.#components;
    const { signal } = this.#stopped;
    const { peerUrl } = this.#row;
    for (let failures = 0; !signal.aborted; ) {
      const link = peerUrl && sockets && (await this.#dial(sockets, peerUrl));
      const beganAt = clock.monotonic();
      if (link) await link.closed;
      failures = clock.monotonic() - beganAt > longestPauseMs ? 0 : failures + 1;
      if (peerUrl === undefined || failures >= directTries) this.#write();
      await clock.sleep(Math.min(firstPauseMs * 2 ** failures, longestPauseMs), { signal });
    }
  }

  /** A link over a socket; undefined when there is none to be had now. */
  async #dial(sockets: Sockets, peerUrl: string): Promise<ServerLink | undefined> {
    const { clock, random, secret, self, log } = this.#components;
    const dial = newDial(self.number, this.#row.number, clock, random);
    const headers = { [dialHeader]: await dialText(dial, secret) };
    const expects = await proofOf("accept", dial, secret);
    const limit = { what: "dialling another server", ms: dialMs, signal: this.#stopped.signal };
    try {
      const socket = await withinLimit<Socket>(clock, limit, (signal) =>
        sockets.connect(addressOf(peerUrl), {
          headers,
          maxMessageBytes: maxLinkMessageBytes,
          signal,
        }),
      );
      return this.#link(socket, { expects });
    } catch (error) {
      const { message: reason } = ActrError.from(error);
      log.info("rendezvous.cluster.dial_failed", { server: this.remote.number, reason });
      return undefined;
    }
  }

  /** Opens a link through the store, unless there is a link. */
  #write(): void {
    if (this.remote.link !== undefined || this.#mail?.ended === false) return;
    this.#mail = this.#link(this.#components.mailroom.dial(this.remote.number));
  }

  #link(line: Line, proofs: Pick<LinkEnds, "shows" | "expects"> = {}): ServerLink {
    const { clock, self } = this.#components;
    const ends = { self: self.number, peer: this.remote.number, ...proofs };
    return new ServerLink(line, ends, clock, this);
  }
}

/** The address of the socket at a base address, as it is configured. */
export function addressOf(peerUrl: string): string {
  return `${peerUrl.replace(/^http/, "ws").replace(/\/+$/, "")}${clusterPath}`;
}
