import type { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { type ActrId, peerKey } from "../../../src/protocol/ids.ts";
import { ActrRelaySchema, create } from "../../../src/protocol/schema.ts";
import type {
  RelayInit,
  RelayPayload,
  SignalingListener,
} from "../../../src/signaling/signaling_listeners.ts";
import type { PeerSignaling } from "../../../transports/webrtc/negotiation_parts.ts";
import { readSignal } from "../../../transports/webrtc/peer_signals.ts";

/** A relay on its way. */
export interface FakeRelay {
  readonly from: ActrId;
  readonly to: ActrId;
  readonly payload: RelayPayload;
  /** `offer`, `answer`, `restart`, `candidate`, `restart_request`, or `negotiate`. */
  readonly kind: string;
  readonly at: number;
}

/** A signaling server in memory: it passes relays on in order, and assigns roles, the smaller serial number first. */
export class FakeServer {
  readonly relays: FakeRelay[] = [];
  readonly clock: FakeClock;
  /** How long a relay is held, milliseconds; Infinity loses it. */
  delay: (relay: FakeRelay) => number = () => 0;
  readonly #nodes = new Map<string, FakeSignaling>();

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  /** Relays of one kind that a node has sent, or all have. */
  sent(kind: string, from?: ActrId): FakeRelay[] {
    return this.relays.filter(
      (each) => each.kind === kind && (from === undefined || peerKey(each.from) === peerKey(from)),
    );
  }

  join(id: ActrId): FakeSignaling {
    const node = new FakeSignaling(this, id);
    this.#nodes.set(peerKey(id), node);
    return node;
  }

  pass(from: FakeSignaling, to: ActrId, init: RelayInit, envelopeId: string): void {
    const payload = payloadOf(init);
    const kind = kindOf(payload);
    const relay = { from: from.id, to, payload, kind, at: this.clock.monotonic() };
    this.relays.push(relay);
    const delayMs = this.delay(relay);
    const deliver = (): void => this.#deliver(from, relay, envelopeId);
    if (delayMs === 0) this.clock.defer(deliver);
    else if (delayMs < Number.POSITIVE_INFINITY) {
      this.clock.timer(this.clock.now() + delayMs, deliver);
    }
  }

  #deliver(from: FakeSignaling, { to, payload }: FakeRelay, envelopeId: string): void {
    const target = this.#nodes.get(peerKey(to));
    if (target === undefined) {
      return from.tell((each) =>
        each.relayRefused?.(envelopeId, new ActrError("not_found", "not connected")),
      );
    }
    if (payload.case !== "roleNegotiation") return target.receive(from.id, to, payload);
    const fromOffers = from.id.serial < to.serial;
    from.receive(from.id, to, assignment(fromOffers));
    target.receive(from.id, to, assignment(!fromOffers));
  }
}

/** A message as its receiver gets it. */
export function payloadOf(init: RelayInit): RelayPayload {
  const { payload } = create(ActrRelaySchema, { payload: init });
  if (payload.case === undefined) throw new TypeError("an empty relay");
  return payload;
}

/** What a message is, as {@link FakeRelay.kind} names it. */
export function kindOf(payload: RelayPayload): string {
  return readSignal(payload)?.kind ?? "negotiate";
}

/** The message that assigns a role. */
export function assignment(isOfferer: boolean): RelayPayload {
  return payloadOf({ case: "roleAssignment", value: { isOfferer } });
}

/** One node's end of {@link FakeServer}. */
export class FakeSignaling implements PeerSignaling {
  readonly id: ActrId;
  readonly #server: FakeServer;
  readonly #listeners = new Set<SignalingListener>();
  #connected = true;
  #sent = 0;

  constructor(server: FakeServer, id: ActrId) {
    this.#server = server;
    this.id = id;
  }

  get connected(): boolean {
    return this.#connected;
  }

  set connected(connected: boolean) {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.tell((each) => (connected ? each.connected?.() : each.disconnected?.("test")));
  }

  listen(listener: SignalingListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  sendRelay(target: ActrId, payload: RelayInit): string {
    if (!this.#connected) throw new ActrError("unavailable", "signaling is not connected");
    const envelopeId = `relay-${++this.#sent}`;
    this.#server.pass(this, target, payload, envelopeId);
    return envelopeId;
  }

  /** The server brings a relay; a node that is not connected misses it. */
  receive(source: ActrId, target: ActrId, payload: RelayPayload): void {
    if (!this.#connected) return;
    this.tell((each) => each.relay?.({ source, target, payload, trace: {} }));
  }

  tell(event: (listener: SignalingListener) => void): void {
    for (const listener of this.#listeners) event(listener);
  }
}
