import type { Timer } from "../../ports/clock.ts";
import { formatActrId } from "../../protocol/ids.ts";
import type { Hub } from "../hub.ts";
import type { Neighbours } from "../neighbours.ts";
import { keptSecret } from "../secrets.ts";
import type { SignalingSocket } from "../signaling_socket.ts";
import { type Frame, profileFields, reportFrames, reportOf, type UpFrame } from "./frames.ts";
import type { ResolvedClusterOptions } from "./options.ts";
import { OwnNodes } from "./own_nodes.ts";
import { type RemoteOwner, RemoteServer } from "./remote_server.ts";
import { Roster } from "./roster.ts";
import type { ServerLink } from "./server_link.ts";
import {
  type ClusterComponents,
  Switchboard,
  type SwitchboardOptions,
  type SwitchboardOwner,
} from "./switchboard.ts";

/** One server as this one sees it. */
export interface ServerState {
  readonly server: number;
  /** Connected to it. */
  readonly nodes: number;
  /** Whether there is a link to it; for this server, true. */
  readonly linked: boolean;
}

/** What belongs to the server once it serves. */
interface Serving {
  readonly hub: Hub;
  /** Reads anew what others may have changed in the store. */
  readonly refresh: () => Promise<void>;
  readonly lines: Switchboard;
}

/** How long reports of nodes gather before the others are told, milliseconds. */
const reportPauseMs = 1000;
const pacePauseMs = 20;
const never: AbortSignal = new AbortController().signal;

/** This server among those that share its store: the rules of README.md. */
export class Cluster implements Neighbours, RemoteOwner, SwitchboardOwner, AsyncDisposable {
  readonly own: OwnNodes;
  readonly #components: ClusterComponents;
  readonly #options: SwitchboardOptions;
  readonly #roster: Roster;
  /** Nodes whose last report the others do not know. */
  readonly #reported = new Set<SignalingSocket>();
  #serving: Serving | undefined;
  #reports: Timer | undefined;
  #closed = false;

  private constructor(components: ClusterComponents, options: SwitchboardOptions, roster: Roster) {
    this.#components = components;
    this.#options = options;
    this.#roster = roster;
    this.own = new OwnNodes(components.clock);
  }

  /** Takes a place among the servers of a store. @throws ActrError `storage`. */
  static async join(
    components: ClusterComponents,
    options: ResolvedClusterOptions,
  ): Promise<Cluster> {
    const secret = await keptSecret(components.store, components.random, "cluster");
    const roster = await Roster.join(components, options);
    return new Cluster(components, { ...options, secret }, roster);
  }

  /** Meets the others; from now on their nodes are in sight. Returns the lines to them. */
  serve(hub: Hub, refresh: () => Promise<void>): Switchboard {
    // Nobody is met within this call, only dialled.
    const lines = new Switchboard(this.#components, this.#options, this.#roster, this);
    this.#serving = { hub, refresh, lines };
    return lines;
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

  /** Every server, this one first. */
  list(): ServerState[] {
    const self = { server: this.number, nodes: this.own.size, linked: true };
    const others = this.#serving?.lines.remotes() ?? [];
    return [
      self,
      ...others.map(({ number, nodes, link }) => {
        return { server: number, nodes, linked: link !== undefined };
      }),
    ];
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

  joined(number: number): RemoteServer {
    return new RemoteServer(number, this);
  }

  tellAll(link: ServerLink): void {
    void this.#tellAll(link);
  }

  gone(number: number): void {
    this.#serving?.lines.gone(number);
  }

  /** Tells the others that it goes, and goes. Idempotent; never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#reports?.cancel();
    this.#tell({ kind: "bye" });
    this.#serving?.lines.close();
    await this.#roster.close();
  }

  #tell(frame: Frame): void {
    this.#serving?.lines.tell(frame);
  }

  /** A long list pauses while the other server has enough to read. */
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
