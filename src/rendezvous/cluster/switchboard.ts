import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import type { Sockets } from "../../ports/sockets.ts";
import type { Store } from "../../ports/store.ts";
import type { Frame } from "./frames.ts";
import { proofOf, readDial } from "./handshake.ts";
import { Linker } from "./linker.ts";
import { clearMail, Mailroom } from "./mailroom.ts";
import type { ResolvedClusterOptions } from "./options.ts";
import type { RemoteServer } from "./remote_server.ts";
import { looksPerLease, type Roster, type RosterWatcher } from "./roster.ts";
import type { Line, ServerLink } from "./server_link.ts";
import type { ServerRow } from "./server_rows.ts";

/** What a cluster stands on. */
export interface ClusterComponents {
  /** Shared by all of its servers. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Without them the store carries everything. */
  readonly sockets?: Sockets;
}

/** How lines are kept. */
export interface SwitchboardOptions extends ResolvedClusterOptions {
  /** What every server of the cluster knows. */
  readonly secret: Uint8Array;
}

/** Whom the lines serve. */
export interface SwitchboardOwner {
  /** A server has joined, of which nothing is known yet. */
  joined(number: number): RemoteServer;
  /** Tells a server that was just met of every node that is connected here. */
  tellAll(link: ServerLink): void;
}

/** A server that was let in. */
export interface Admitted {
  readonly from: number;
  /** What this server proves itself with, where it has to. */
  readonly shows?: Uint8Array;
}

/** The lines to all other servers: one for each that the roster has. */
export class Switchboard implements RosterWatcher {
  readonly #components: ClusterComponents;
  readonly #options: SwitchboardOptions;
  readonly #roster: Roster;
  readonly #owner: SwitchboardOwner;
  readonly #linkers = new Map<number, Linker>();
  #mailroom: Mailroom;
  #beats: Timer | undefined;
  #closed = false;

  /** Begins to look for the others. */
  constructor(
    components: ClusterComponents,
    options: SwitchboardOptions,
    roster: Roster,
    owner: SwitchboardOwner,
  ) {
    this.#components = components;
    this.#options = options;
    this.#roster = roster;
    this.#owner = owner;
    this.#mailroom = this.#openMailroom();
    roster.watch(this);
    this.#beat();
  }

  /** The other servers. */
  remotes(): RemoteServer[] {
    return [...this.#linkers.values()].map(({ remote }) => remote);
  }

  /** Tells every server to which there is a link; the others are told all when there is one. */
  tell(frame: Frame): void {
    for (const { remote } of this.#linkers.values()) remote.link?.send(frame);
  }

  /** Who dials with this header, when it is a server of the roster, and what to show it. */
  async admit(header: string | undefined): Promise<Admitted | undefined> {
    const { secret } = this.#options;
    const { number } = this.#roster.self;
    const dial = await readDial(header, number, secret, this.#components.clock);
    if (dial === undefined || !(await this.#knows(dial.from))) return undefined;
    return { from: dial.from, shows: await proofOf("accept", dial, secret) };
  }

  /** Takes the line of a server that has begun it. */
  accept(line: Line, { from, shows }: Admitted): void {
    const linker = this.#linkers.get(from);
    if (linker === undefined) line.terminate();
    else linker.accept(line, shows);
  }

  heardAt(number: number): number {
    return this.#linkers.get(number)?.remote.heardAt ?? 0;
  }

  found(row: ServerRow): void {
    const { clock, random, log, sockets } = this.#components;
    const components = {
      ...{ clock, random, log, sockets, secret: this.#options.secret },
      self: this.#roster.self,
      mailroom: this.#mailroom,
      tellAll: (link: ServerLink) => this.#owner.tellAll(link),
    };
    const remote = this.#owner.joined(row.number);
    this.#linkers.set(row.number, new Linker(remote, row, components));
  }

  gone(number: number): void {
    const linker = this.#linkers.get(number);
    if (linker === undefined) return;
    this.#linkers.delete(number);
    linker.stop();
    linker.remote.gone();
    this.#components.log.info("rendezvous.cluster.gone", { server: number });
    // What stays is deleted by the next server that sees it go, or lies there unread.
    clearMail(this.#components.store, number).catch(() => {});
  }

  renumbered(): void {
    for (const number of [...this.#linkers.keys()]) this.gone(number);
    this.#mailroom.close();
    this.#mailroom = this.#openMailroom();
  }

  /** Says what is still to say, and hangs up everywhere. */
  close(): void {
    this.#closed = true;
    this.#beats?.cancel();
    for (const linker of this.#linkers.values()) {
      linker.remote.link?.close("the server stops");
      linker.stop();
    }
    this.#mailroom.close();
  }

  /** Gives signs of life, and drops links that give none. */
  #beat(): void {
    const { clock } = this.#components;
    const deadline = clock.monotonic() - this.#options.leaseMs;
    this.tell({ kind: "beat" });
    for (const { link } of this.remotes()) {
      if (link !== undefined && link.heardAt <= deadline) link.drop("the other server is silent");
    }
    const pauseMs = this.#options.leaseMs / looksPerLease;
    this.#beats = clock.timer(clock.now() + pauseMs, () => this.#beat());
  }

  /** Whether a server is in the roster, perhaps since a moment. */
  async #knows(number: number): Promise<boolean> {
    if (!this.#linkers.has(number)) await this.#roster.look();
    return this.#linkers.has(number) && !this.#closed;
  }

  #openMailroom(): Mailroom {
    const { leaseMs, pollMs, peerUrl } = this.#options;
    return new Mailroom(this.#components, {
      self: this.#roster.self.number,
      pollMs,
      idlePollMs: peerUrl === undefined ? pollMs : leaseMs / looksPerLease,
      accept: (from, line) => void this.#knows(from).then(() => this.accept(line, { from })),
    });
  }
}
