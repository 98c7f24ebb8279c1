import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import type { Sockets } from "../../ports/sockets.ts";
import type { Store } from "../../ports/store.ts";
import { formatActrId } from "../../protocol/ids.ts";
import type { Hub } from "../hub.ts";
import type { Neighbours } from "../neighbours.ts";
import { keptSecret } from "../secrets.ts";
import type { SignalingSocket } from "../signaling_socket.ts";
import { type Frame, profileFields, reportFrames, reportOf, type UpFrame } from "./frames.ts";
import { proofOf, readDial } from "./handshake.ts";
import { Linker } from "./linker.ts";
import { clearMail, Mailroom } from "./mailroom.ts";
import type { ResolvedClusterOptions } from "./options.ts";
import { OwnNodes } from "./own_nodes.ts";
import { type RemoteOwner, RemoteServer } from "./remote_server.ts";
import { looksPerLease, Roster, type RosterWatcher, type ServerRow } from "./roster.ts";
import type { Line, ServerLink } from "./server_link.ts";

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

/** One server as this one sees it. */
export interface ServerState {
  readonly server: number;
  /** Connected to it. */
  readonly nodes: number;
  /** Whether there is a link to it; for this server, true. */
  readonly linked: boolean;
}

/** A server that was let in. */
export interface Admitted {
  readonly from: number;
  /** What this server proves itself with, where it has to. */
  readonly shows?: Uint8Array;
}

/** What belongs to the server once it serves. */
interface Serving {
  readonly hub: Hub;
  /** Reads anew what others may have changed in the store. */
  readonly refresh: () => Promise<void>;
}

/** How long reports of nodes gather before the others are told, milliseconds. */
const reportPauseMs = 1000;
const pacePauseMs = 20;
const never: AbortSignal = new AbortController().signal;

/** This server among those that share its store: the rules of README.md. */
export class Cluster implements Neighbours, RosterWatcher, RemoteOwner, AsyncDisposable {
  readonly own: OwnNodes;
  readonly #components: ClusterComponents;
  readonly #options: ResolvedClusterOptions;
  readonly #roster: Roster;
  readonly #secret: Uint8Array;
  readonly #linkers = new Map<number, Linker>();
  /** Nodes whose last report the others do not know. */
  readonly #reported = new Set<SignalingSocket>();
  #mailroom: Mailroom;
  #serving: Serving | undefined;
  #beats: Timer | undefined;
  #reports: Timer | undefined;
  #closed = false;

  private constructor(
    components: ClusterComponents,
    options: ResolvedClusterOptions,
    roster: Roster,
    secret: Uint8Array,
  ) {
    this.#components = components;
    this.#options = options;
    this.#roster = roster;
    this.#secret = secret;
    this.own = new OwnNodes(components.clock);
    this.#mailroom = this.#openMailroom();
  }

  /** Takes a place among the servers of a store. @throws ActrError `storage`. */
  static async join(
    components: ClusterComponents,
    options: ResolvedClusterOptions,
  ): Promise<Cluster> {
    const { store, random } = components;
    const secret = await keptSecret(store, random, "cluster");
    return new Cluster(components, options, await Roster.join(components, options), secret);
  }

  /** Meets the others; from now on their nodes are in sight. */
  serve(hub: Hub, refresh: () => Promise<void>): void {
    this.#serving = { hub, refresh };
    this.#roster.watch(this);
    this.#beat();
  }

  get hub(): Hub {
    if (this.#serving === undefined) throw new TypeError("the cluster does not serve yet");
    return this.#serving.hub;
  }

  get number(): number {
    return this.#roster.self.number;
  }

  /** This server's part of the serial numbers. */
  get worker(): number {
    return this.#roster.self.worker;
  }

  /** Every server, this one too: how many nodes are connected to it, and whether there is a link. */
  list(): ServerState[] {
    const self = { server: this.number, nodes: this.own.size, linked: true };
    const others = [...this.#linkers.values()].map(({ remote: { number, nodes, link } }) => {
      return { server: number, nodes, linked: link !== undefined };
    });
    return [self, ...others];
  }

  arrived(node: SignalingSocket): void {
    this.#tell(upFrame(node, this.own.add(node)));
  }

  left(node: SignalingSocket): void {
    const stamp = this.own.remove(node);
    this.#reported.delete(node);
    if (stamp !== undefined) this.#tell({ kind: "down", key: node.key, stamp });
  }

  superseded(node: SignalingSocket): void {
    this.left(node);
  }

  reported(node: SignalingSocket): void {
    const { clock } = this.#components;
    this.#reported.add(node);
    this.#reports ??= clock.timer(clock.now() + reportPauseMs, () => this.#report());
  }

  /** Has a node disconnected wherever it is; false when it is nowhere. */
  expel(key: string, reason: string): boolean {
    const member = this.hub.directory.get(key);
    if (member === undefined) return false;
    if (this.own.get(key) !== undefined) this.kick(key, reason);
    else this.#tell({ kind: "kick", key, reason });
    return true;
  }

  kick(key: string, reason: string): void {
    this.own.get(key)?.node.close(1008, reason);
  }

  /** Has the other servers read keys and realms anew. */
  tellChanged(): void {
    this.#tell({ kind: "changed" });
  }

  changed(): void {
    this.#serving?.refresh().catch((error: unknown) => {
      this.#components.log.warn("rendezvous.cluster.refresh_failed", { error });
    });
  }

  /** Who dials with this header, when it is a server of the roster, and what to show it. */
  async admit(header: string | undefined): Promise<Admitted | undefined> {
    const dial = await readDial(header, this.number, this.#secret, this.#components.clock);
    if (dial === undefined || !(await this.#knows(dial.from))) return undefined;
    return { from: dial.from, shows: await proofOf("accept", dial, this.#secret) };
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
    const remote = new RemoteServer(row.number, this);
    const components = {
      ...{ clock, random, log, sockets, secret: this.#secret },
      self: this.#roster.self,
      mailroom: this.#mailroom,
      tellAll: (link: ServerLink) => void this.#tellAll(link),
    };
    this.#linkers.set(row.number, new Linker(remote, row, components));
  }

  gone(number: number): void {
    const linker = this.#linkers.get(number);
    if (linker === undefined) return;
    this.#linkers.delete(number);
    linker.stop();
    linker.remote.gone();
    this.#components.log.info("rendezvous.cluster.gone", { server: number });
    clearMail(this.#components.store, number).catch(() => {});
  }

  renumbered(): void {
    for (const number of [...this.#linkers.keys()]) this.gone(number);
    this.#mailroom.close();
    this.#mailroom = this.#openMailroom();
  }

  /** Tells the others that it goes, and goes. Idempotent; never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#beats?.cancel();
    this.#reports?.cancel();
    this.#tell({ kind: "bye" });
    for (const { remote } of this.#linkers.values()) remote.link?.close("the server stops");
    await this.#roster.close();
    for (const linker of this.#linkers.values()) linker.stop();
    this.#mailroom.close();
  }

  #tell(frame: Frame): void {
    for (const { remote } of this.#linkers.values()) remote.link?.send(frame);
  }

  async #tellAll(link: ServerLink): Promise<void> {
    for (const key of this.own.keys()) {
      while (link.busy) await this.#components.clock.sleep(pacePauseMs, { signal: never });
      const own = this.own.get(key);
      if (own !== undefined) link.send(upFrame(own.node, own.stamp));
    }
    link.send({ kind: "synced" });
  }

  #report(): void {
    this.#reports = undefined;
    const reports = [...this.#reported].map((node) => [node.key, reportOf(node)] as const);
    this.#reported.clear();
    for (const frame of reportFrames(reports)) this.#tell(frame);
  }

  /** Gives signs of life, and drops links that give none. */
  #beat(): void {
    const { clock } = this.#components;
    const deadline = clock.monotonic() - this.#options.leaseMs;
    for (const { remote } of this.#linkers.values()) {
      remote.link?.send({ kind: "beat" });
      if (remote.link !== undefined && remote.link.heardAt <= deadline) {
        remote.link.drop("the other server is silent");
      }
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

function upFrame(node: SignalingSocket, stamp: number): UpFrame {
  return {
    kind: "up",
    id: formatActrId(node.id),
    stamp,
    answersOnly: node.answersOnly,
    ...profileFields(node.profile),
    report: reportOf(node),
  };
}
