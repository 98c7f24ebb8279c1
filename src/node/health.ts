import type { GuestStatus } from "../guest/life/status.ts";
import type { GuestWorkload } from "../guest/workload/guest_workload.ts";
import type { SessionPhase } from "../identity/session_state.ts";
import type { HandlingStatus } from "../inbound/handling.ts";
import type { DeadLetterStats } from "../ports/store.ts";
import type { SystemLoad } from "../ports/system_meter.ts";
import type { Link } from "../ports/transport.ts";
import { type ActrId, formatActrId, formatActrType } from "../protocol/ids.ts";
import type { Session } from "../session/session.ts";
import { version } from "../version.ts";
import type { NodePhase } from "./lifecycle.ts";
import type { Node } from "./node.ts";

/** What `/health` shows of a node. */
export interface NodeHealth {
  readonly id: string;
  readonly type: string;
  readonly realm: number;
  /** Names the node's data. */
  readonly instance: string;
  readonly version: string;
  readonly phase: NodePhase;
  /** Whether requests are taken, and why not. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly uptimeMs: number;
  readonly signaling: { readonly connected: boolean };
  readonly session: SessionPhase;
  readonly credential: { readonly expiresAt: number; readonly generation: number };
  /** The first hundred. */
  readonly peers: readonly PeerHealth[];
  readonly peerCount: number;
  readonly calls: { readonly pending: number };
  readonly mailbox: {
    readonly queued: number;
    readonly inFlight: number;
    readonly high: number;
    readonly bytes: number;
  };
  readonly handlers: HandlingStatus;
  readonly deadLetters: {
    /** By this process. */
    readonly written: number;
    /** What the store holds; null while it cannot be read. */
    readonly stored: DeadLetterStats | null;
  };
  readonly store: {
    readonly name: string;
    readonly durable: boolean;
    /** Why the last write failed; null when it did not. */
    readonly fault: string | null;
  };
  /** Actors that are awake, by the name of their definition. */
  readonly actors: {
    readonly awake: Readonly<Record<string, number>>;
    /** Of 64 that live here, where nodes share the actors. */
    readonly shards?: number;
  };
  /** Only of nodes with a guest. */
  readonly guest?: GuestHealth;
  readonly hooks: { readonly dropped: number };
  readonly system: SystemHealth;
}

/** What a node's guest is and does. */
export interface GuestHealth extends GuestStatus {
  /** Type of its package. */
  readonly package: string;
  /** Of the key that signed it. */
  readonly keyId: string;
}

/** A peer and the links to it. */
export interface PeerHealth {
  readonly id: string;
  readonly links: readonly LinkHealth[];
}

/** One link; null is what the transport cannot tell. */
export interface LinkHealth {
  readonly transport: string;
  readonly direction: Link["direction"];
  /** Whether requests leave on it. */
  readonly inUse: boolean;
  /** Whether it works; one that does not may recover. */
  readonly works: boolean;
  readonly relayed: boolean | null;
  /** Of the last heartbeat, milliseconds. */
  readonly rttMs: number | null;
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
}

/** The runtime's load; null where it cannot be told. */
export interface SystemHealth {
  readonly eventLoopDelayMs: number | null;
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number | null;
}

/** Peers listed in one answer; the rest are only counted. */
const maxPeersListed = 100;

/** How a node is, now. */
export async function nodeHealth(node: Node): Promise<NodeHealth> {
  const { presence, inbound, outbound, actors, components, hooks } = node;
  const { id, credentialExpiresAtMs, generation } = presence.session.current;
  const { queued, inFlight, queuedHigh, bytes } = inbound.mailbox.status();
  const { store } = components;
  const stored = await store.deadLetterStats().catch(() => null);
  const reasons = notReadyReasons(node);
  return {
    ...identityOf(id),
    instance: node.instanceId,
    version,
    phase: node.phase,
    ready: reasons.length === 0,
    reasons,
    uptimeMs: components.clock.now() - node.startedAt,
    signaling: { connected: presence.signaling.connected },
    session: presence.session.phase,
    credential: { expiresAt: credentialExpiresAtMs, generation },
    peers: [...outbound.sessions.sessions()].slice(0, maxPeersListed).map(peerHealth),
    peerCount: outbound.sessions.size,
    calls: { pending: outbound.pending.size },
    mailbox: { queued, inFlight, high: queuedHigh, bytes },
    handlers: inbound.handling.status(),
    deadLetters: { written: inbound.deadLetters.count, stored },
    store: { name: store.name, durable: store.durable, fault: store.fault ?? null },
    actors: {
      awake: Object.fromEntries(actors.awakeByName()),
      ...(actors.shards === undefined ? {} : { shards: actors.shards }),
    },
    ...(node.guest === undefined ? {} : { guest: guestHealth(node.guest) }),
    hooks: { dropped: hooks.dropped },
    system: systemHealth(components.meter?.load()),
  };
}

/** Why a node takes no requests now; none when it does. */
export function notReadyReasons(node: Node): string[] {
  const reasons: string[] = [];
  if (node.phase !== "running") reasons.push(`node is ${node.phase}`);
  if (!node.presence.signaling.connected) reasons.push("signaling is not connected");
  if (node.presence.session.phase !== "active") {
    reasons.push(`session is ${node.presence.session.phase}`);
  }
  const { fault } = node.components.store;
  if (fault !== undefined) reasons.push(`the store cannot write: ${fault}`);
  const { stuck, overdue } = node.inbound.handling.status();
  if (stuck) reasons.push(`${overdue} handlers have not ended in time and hold up all others`);
  const guest = node.guest?.status();
  if (guest?.state === "refusing") {
    const seconds = Math.ceil((guest.retryAfterMs ?? 0) / 1000);
    reasons.push(`the guest has failed too often, and is begun again in ${seconds} s`);
  }
  return reasons;
}

function guestHealth(guest: GuestWorkload): GuestHealth {
  const { manifest, keyId } = guest.package;
  return { package: formatActrType(manifest), keyId, ...guest.status() };
}

function peerHealth(session: Session): PeerHealth {
  const recovering = new Set(session.recovering);
  const links = [...session.links].map((link) => ({
    transport: link.transport,
    direction: link.direction,
    inUse: link === session.carrier,
    works: !recovering.has(link),
    relayed: link.relayed ?? null,
    rttMs: link.figures?.rttMs ?? null,
    sentBytes: link.figures?.sentBytes ?? null,
    receivedBytes: link.figures?.receivedBytes ?? null,
  }));
  return { id: session.peer.key, links };
}

function systemHealth({ eventLoopDelayMs, memory }: SystemLoad = {}): SystemHealth {
  return {
    eventLoopDelayMs: eventLoopDelayMs ?? null,
    memoryBytes: memory?.usedBytes ?? null,
    memoryLimitBytes: memory?.limitBytes ?? null,
  };
}

function identityOf(id: ActrId): Pick<NodeHealth, "id" | "type" | "realm"> {
  return { id: formatActrId(id), type: formatActrType(id.type), realm: id.realm };
}
