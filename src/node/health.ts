import type { SessionPhase } from "../identity/session_state.ts";
import type { HandlingStatus } from "../inbound/handling.ts";
import type { DeadLetterStats } from "../ports/store.ts";
import type { SystemLoad } from "../ports/system_meter.ts";
import { type ActrId, formatActrId, formatActrType } from "../protocol/ids.ts";
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
  readonly peers: readonly { readonly id: string; readonly links: readonly string[] }[];
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
  readonly hooks: { readonly dropped: number };
  readonly system: SystemHealth;
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
  const { presence, inbound, outbound, components, hooks } = node;
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
    peers: [...outbound.sessions.sessions()].slice(0, maxPeersListed).map((session) => ({
      id: session.peer.key,
      links: [...session.links].map((link) => `${link.transport} ${link.direction}`),
    })),
    peerCount: outbound.sessions.size,
    calls: { pending: outbound.pending.size },
    mailbox: { queued, inFlight, high: queuedHigh, bytes },
    handlers: inbound.handling.status(),
    deadLetters: { written: inbound.deadLetters.count, stored },
    store: { name: store.name, durable: store.durable, fault: store.fault ?? null },
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
  return reasons;
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
