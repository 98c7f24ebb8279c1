import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { toHex } from "../../protocol/bytes.ts";
import { formatActrId, parseActrId, peerKey } from "../../protocol/ids.ts";
import type { Ais } from "../ais/ais.ts";
import type { KeyState } from "../ais/keys.ts";
import type { NewRealm, Realm, RealmWithSecret, RotateSecret } from "../ais/realms.ts";
import type { Cluster, ServerState } from "../cluster/cluster.ts";
import { RemoteNode } from "../cluster/remote_node.ts";
import type { Hub } from "../hub.ts";
import type { Reachable } from "../reachable.ts";
import { SignalingSocket } from "../signaling_socket.ts";
import { PackageAdmin } from "./package_admin.ts";

/** What operators work on. */
export interface AdminParts {
  readonly ais: Ais;
  readonly hub: Hub;
  readonly cluster: Cluster | undefined;
}

/** A node as operators see it. */
export interface NodeState {
  readonly id: string;
  /** Number of the server that it is connected to; absent where there is one alone. */
  readonly server?: number;
  readonly wsAddress?: string;
  readonly fingerprint?: string;
  readonly availability?: number;
  readonly powerReserve?: number;
  readonly backlog?: number;
  /** Milliseconds since anything was heard of it. */
  readonly silentMs: number;
}

/** A key as operators see it: times are Unix milliseconds. */
export interface ShownKey extends Omit<KeyState, "publicKey"> {
  /** Hexadecimal text. */
  readonly publicKey: string;
}

/** Which nodes to list. */
export interface NodeQuery {
  /** Text of a type. @default every type */
  readonly type?: string | undefined;
  /** Id of the last node of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** What operators do with a rendezvous. Every change is written to the log, without secrets, with who made it. */
export class Admin {
  /** What they do about packages. */
  readonly packages: PackageAdmin;
  readonly #parts: AdminParts;
  readonly #log: Logger;

  /** `log` names who acts. */
  constructor(parts: AdminParts, log: Logger) {
    this.#parts = parts;
    this.#log = log;
    this.packages = new PackageAdmin(parts.ais, (event, facts) => this.#changed(event, facts));
  }

  /** What time it is. */
  get clock(): Clock {
    return this.#parts.ais.clock;
  }

  realms(): Realm[] {
    return this.#parts.ais.realms.list();
  }

  /** @throws ActrError as `Realms.create`. */
  async createRealm(wanted: NewRealm): Promise<RealmWithSecret> {
    const created = await this.#parts.ais.realms.create(wanted);
    this.#changed("realm_created", { realm: created.realm.id });
    return created;
  }

  /** @throws ActrError as `Realms.rotateSecret`. */
  async rotateRealmSecret(id: number, how: RotateSecret): Promise<RealmWithSecret> {
    const rotated = await this.#parts.ais.realms.rotateSecret(id, how);
    this.#changed("realm_secret_rotated", { realm: id });
    return rotated;
  }

  /** @throws ActrError as `Realms.setEnabled`. */
  async enableRealm(id: number, enabled: boolean): Promise<Realm> {
    const realm = await this.#parts.ais.realms.setEnabled(id, enabled);
    this.#changed(enabled ? "realm_enabled" : "realm_disabled", { realm: id });
    return realm;
  }

  keys(): ShownKey[] {
    return this.#parts.ais.keys.list().map(shownKey);
  }

  /** Announces a key that signs `inMs` from now on. @throws ActrError as `KeyRing.rotate`. */
  async rotateKey(how: { readonly inMs?: number }): Promise<ShownKey> {
    const key = await this.#parts.ais.keys.rotate(how);
    this.#changed("key_rotated", { key_id: key.keyId });
    return shownKey(key);
  }

  /** @throws ActrError as `KeyRing.revoke`. */
  async revokeKey(keyId: number): Promise<void> {
    await this.#parts.ais.keys.revoke(keyId);
    this.#changed("key_revoked", { key_id: keyId });
  }

  /** Nodes in sight, on every server, by the texts of their ids. */
  nodes({ type, after = "", limit }: NodeQuery): NodeState[] {
    const { directory } = this.#parts.hub;
    const members = type === undefined ? directory.all() : directory.ofType(type);
    return [...members]
      .map((member) => ({ id: formatActrId(member.id), member }))
      .filter(({ id }) => id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(({ id, member }) => this.#shownNode(id, member));
  }

  servers(): ServerState[] {
    return this.#parts.cluster?.list() ?? [];
  }

  /** Ends the connection of a node, wherever it is; it may come back. @throws ActrError `not_found`; `invalid_argument` for what is no id. */
  kick(id: string, reason: string): void {
    const key = peerKey(parseActrId(id, { checkNames: false }));
    const member = this.#parts.hub.directory.get(key);
    if (member === undefined) throw new ActrError("not_found", `node ${id} is not connected`);
    if (member instanceof SignalingSocket) member.close(1008, reason);
    else this.#parts.cluster?.expel(member.key, reason);
    this.#log.info("rendezvous.audit.node_kicked", { peer: id, reason });
  }

  #changed(event: string, attributes: Readonly<Record<string, unknown>>): void {
    this.#log.info(`rendezvous.audit.${event}`, attributes);
    this.#parts.cluster?.tellChanged();
  }

  #shownNode(id: string, member: Reachable): NodeState {
    const { profile, load, heardAt } = member;
    const { hub, cluster } = this.#parts;
    const server = member instanceof RemoteNode ? member.way.number : cluster?.number;
    return {
      id,
      ...(server !== undefined && { server }),
      ...(profile.wsAddress !== undefined && { wsAddress: profile.wsAddress }),
      ...(profile.spec && { fingerprint: profile.spec.fingerprint }),
      ...(load && {
        availability: load.availability,
        powerReserve: load.powerReserve,
        backlog: load.backlog,
      }),
      silentMs: Math.max(0, Math.round(hub.clock.monotonic() - heardAt)),
    };
  }
}

function shownKey({ publicKey, ...key }: KeyState): ShownKey {
  return { ...key, publicKey: toHex(publicKey) };
}
