import { ActrError, assertNever } from "../errors.ts";
import type { PendingCalls } from "../session/pending_calls.ts";
import type { SessionManager } from "../session/session_manager.ts";
import type { SignalingClient } from "../signaling/signaling_client.ts";
import type { NetworkAction } from "./network_event.ts";

/** How long signaling may take to show that it lives, milliseconds (`spec/transport.md` §12). */
const probeMs = 1_000;

/** What the actions work on. */
export interface NetworkParts {
  readonly signaling: Pick<SignalingClient, "attempt" | "connected" | "disconnect" | "hold">;
  /** Whether signaling answers within `limitMs`. */
  readonly probe: (limitMs: number) => Promise<boolean>;
  readonly sessions: Pick<SessionManager, "guard" | "recover" | "reset">;
  readonly pending: Pick<PendingCalls, "failAll">;
}

/** Carries out what a batch of network events calls for (`spec/transport.md` §12). */
export class NetworkActions {
  readonly #parts: NetworkParts;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  /** Signaling does not come back by itself until an action connects it. */
  hold(): void {
    this.#parts.signaling.hold();
  }

  /** @throws ActrError why signaling could not be reached, though it goes on trying; the signal's reason. */
  async run(action: NetworkAction, signal: AbortSignal): Promise<void> {
    switch (action) {
      case "noop":
        return;
      case "offline":
        return await this.#goOffline();
      case "probe":
        return await this.#probe(signal);
      case "restore":
        return await this.#restore(signal);
      case "cleanup":
        this.#parts.pending.failAll(new ActrError("unavailable", "all connections were ended"));
        return await this.#cleanUp();
      case "reconnect":
        await this.#cleanUp();
        return await this.#restore(signal);
      default:
        return assertNever(action);
    }
  }

  async #goOffline(): Promise<void> {
    const { signaling, sessions } = this.#parts;
    sessions.guard();
    await signaling.disconnect("the network is gone");
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { signaling, probe } = this.#parts;
    if (signaling.connected && (await probe(probeMs))) return;
    await signaling.disconnect("signaling does not answer");
    await this.#restore(signal);
  }

  async #restore(signal: AbortSignal): Promise<void> {
    const { signaling, sessions, probe } = this.#parts;
    // Side by side: a link that needs signaling in order to recover waits for it.
    sessions.recover();
    if (signaling.connected && !(await probe(probeMs))) {
      await signaling.disconnect("signaling does not answer");
    }
    await signaling.attempt({ signal });
  }

  async #cleanUp(): Promise<void> {
    const { signaling, sessions } = this.#parts;
    const reason = "all connections are ended";
    await Promise.all([signaling.disconnect(reason), sessions.reset(reason)]);
    // What a dial brought in meanwhile.
    await sessions.reset(reason);
  }
}
