import { ActrError } from "../../errors.ts";
import { fromActrIdMessage } from "../../protocol/id_messages.ts";
import { peerKey } from "../../protocol/ids.ts";
import { decodeSignaling } from "../../protocol/signaling.ts";
import { announce } from "../announcements.ts";
import type { Hub } from "../hub.ts";
import type { Reachable } from "../reachable.ts";
import type { SignalingSocket } from "../signaling_socket.ts";
import type { Frame, UpFrame } from "./frames.ts";
import type { OwnNodes } from "./own_nodes.ts";
import { RemoteNode, type RemoteWay } from "./remote_node.ts";
import type { ServerLink } from "./server_link.ts";

/** What happens here because another server said so. */
export interface RemoteOwner {
  readonly hub: Hub;
  readonly own: OwnNodes;
  /** Number of this server. */
  readonly number: number;
  /** A node that was connected here has come up elsewhere. */
  superseded(node: SignalingSocket): void;
  /** Somebody wants a node that is connected here to go. */
  kick(key: string, reason: string): void;
  /** Keys or realms are others than before. */
  changed(): void;
  /** A server stops. */
  gone(number: number): void;
}

/** Another server of the cluster, with the nodes that are connected to it. */
export class RemoteServer implements RemoteWay {
  readonly number: number;
  readonly #owner: RemoteOwner;
  readonly #nodes = new Map<string, RemoteNode>();
  /** Nodes that the server has not spoken of since the link began; undefined when it has told of all. */
  #untold: Set<string> | undefined;
  #link: ServerLink | undefined;
  #heardAt = 0;

  constructor(number: number, owner: RemoteOwner) {
    this.number = number;
    this.#owner = owner;
  }

  get link(): ServerLink | undefined {
    return this.#link;
  }

  get nodes(): number {
    return this.#nodes.size;
  }

  get heardAt(): number {
    return this.#link?.heardAt ?? this.#heardAt;
  }

  /** Takes a link into use; one that there was ends. */
  attach(link: ServerLink): void {
    const older = this.#link;
    this.#link = link;
    this.#untold = new Set(this.#nodes.keys());
    older?.drop("another line has taken its place");
  }

  /** Leaves a link; the nodes stay in sight until the server counts as dead. */
  detach(link: ServerLink): void {
    if (this.#link !== link) return;
    this.#heardAt = link.heardAt;
    this.#link = undefined;
  }

  deliver(to: string, envelope: Uint8Array): boolean {
    if (this.#link === undefined || this.#link.congested) return false;
    this.#link.send({ kind: "deliver", to, envelope });
    return true;
  }

  /** Does what the server says. @throws ActrError for what makes no sense. */
  take(frame: Frame): void {
    switch (frame.kind) {
      case "up":
        return this.#up(frame);
      case "down":
        return this.#down(frame.key, frame.stamp);
      case "synced":
        for (const key of this.#untold ?? []) this.#remove(key);
        this.#untold = undefined;
        return;
      case "reports":
        for (const [key, report] of frame.reports) this.#nodes.get(key)?.report(report);
        return;
      case "deliver":
        return this.#deliver(frame.to, frame.envelope);
      case "kick":
        return this.#owner.kick(frame.key, frame.reason);
      case "changed":
        return this.#owner.changed();
      case "bye":
        return this.#owner.gone(this.number);
      default:
      // A sign of life, or what a later release says.
    }
  }

  /** Takes its nodes out of sight. */
  gone(): void {
    for (const key of [...this.#nodes.keys()]) this.#remove(key);
    this.#link?.drop("the server is gone");
  }

  #up(frame: UpFrame): void {
    const node = new RemoteNode(frame, this);
    this.#owner.own.witness(node.stamp);
    this.#untold?.delete(node.key);
    const known = this.#nodes.get(node.key);
    if (known?.stamp !== node.stamp) {
      this.#nodes.set(node.key, node);
      return this.#show(node);
    }
    known.report(frame.report);
    this.#show(known);
  }

  /** Takes a node into sight, unless it has a newer connection that is. */
  #show(node: RemoteNode): void {
    const { hub, own } = this.#owner;
    const present = hub.directory.get(node.key);
    if (present === node || (present !== undefined && this.#isNewer(present, node))) return;
    hub.directory.add(node);
    const local = own.get(node.key)?.node;
    if (local !== undefined) {
      this.#owner.superseded(local);
      local.displaced();
    }
    announce(hub, node);
  }

  #isNewer(present: Reachable, node: RemoteNode): boolean {
    const [stamp, number] =
      present instanceof RemoteNode
        ? [present.stamp, present.way.number]
        : [this.#owner.own.get(present.key)?.stamp ?? 0, this.#owner.number];
    return stamp === node.stamp ? number > this.number : stamp > node.stamp;
  }

  #down(key: string, stamp: number): void {
    if (this.#nodes.get(key)?.stamp === stamp) this.#remove(key);
  }

  #remove(key: string): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    this.#owner.hub.directory.remove(node);
  }

  /** Passes an envelope to a node that is connected here, and never on to another server; that node may answer. */
  #deliver(to: string, envelope: Uint8Array): void {
    const { hub, own } = this.#owner;
    const target = own.get(to)?.node;
    if (target === undefined) return;
    const { flow } = decodeSignaling(envelope);
    if (flow.case !== "actrRelay") throw new ActrError("decode_failure", "no relay");
    const from = peerKey(fromActrIdMessage(flow.value.source));
    hub.invitations.add(from, to);
    target.pass(envelope);
  }
}
