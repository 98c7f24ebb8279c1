import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type ActrId, peerKey } from "../../src/protocol/ids.ts";
import { noRoute } from "../../src/session/dialer.ts";
import { PendingReplies } from "../../src/signaling/pending_replies.ts";
import type { PeerSignaling } from "./negotiation_parts.ts";
import { roleMessage } from "./peer_signals.ts";

/** Peers that may be asked about at once. */
const maxFlights = 1_024;

/** Questions to the server who offers, under way; it alone decides (`spec/transport.md` §6.2). */
export class RoleFlights {
  readonly #signaling: PeerSignaling;
  readonly #pending: PendingReplies<boolean | ActrError>;
  /** Envelope ids of the questions, by peer. */
  readonly #asked = new Map<string, string>();

  constructor(clock: Clock, signaling: PeerSignaling) {
    this.#signaling = signaling;
    this.#pending = new PendingReplies(clock, maxFlights);
  }

  /** Whether this side is to offer; to be asked once per peer at a time. @throws ActrError `unavailable`, with details `reason` `no_route` for a peer that is not connected, `permission_denied`, `timed_out`; the signal's reason. */
  async ask(self: ActrId, peer: ActrId, limitMs: number, signal: AbortSignal): Promise<boolean> {
    const key = peerKey(peer);
    const envelopeId = this.#signaling.sendRelay(peer, roleMessage(self, peer));
    this.#asked.set(key, envelopeId);
    try {
      const what = "the role negotiation";
      const answer = await this.#pending.wait(envelopeId, { what, limitMs, signal });
      if (typeof answer !== "boolean") throw answer;
      return answer;
    } finally {
      this.#asked.delete(key);
    }
  }

  /** The server has decided; whether somebody waits for that. */
  assigned(key: string, isOfferer: boolean): boolean {
    return this.#pending.settle(this.#asked.get(key) ?? "", isOfferer);
  }

  /** The server refused a relay. */
  refused(envelopeId: string, error: ActrError): void {
    this.#pending.settle(envelopeId, error.code === "not_found" ? absent(error) : error);
  }

  /** Signaling is gone, and the answers with it. */
  lost(reason: string): void {
    this.#pending.failAll(new ActrError("unavailable", `signaling was lost: ${reason}`));
  }
}

/** For callers, a peer that has left is what a refused connection is on other transports. */
function absent(cause: ActrError): ActrError {
  return new ActrError("unavailable", cause.message, { cause, details: { reason: noRoute } });
}
