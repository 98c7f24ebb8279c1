import type { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { TraceContext } from "../ports/tracer.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { ActrRelay, ActrRelaySchema, MessageInit } from "../protocol/schema.ts";

/** A message of another node. */
export interface Relay {
  readonly source: ActrId;
  readonly target: ActrId;
  readonly payload: RelayPayload;
  readonly trace: TraceContext;
}

/** What one node tells another through the server: role, description, candidate, restart. */
export type RelayPayload = Exclude<ActrRelay["payload"], { readonly case: undefined }>;

/** A {@link RelayPayload} to send, given by its fields. */
export type RelayInit = NonNullable<MessageInit<typeof ActrRelaySchema>["payload"]>;

/** What happens on signaling; every part is optional. */
export interface SignalingListener {
  /** An attempt to connect begins; counts from 1 since the last connection that held. */
  readonly connecting?: (attempt: number) => void;
  readonly connected?: () => void;
  readonly disconnected?: (reason: string) => void;
  /** An attempt to connect failed, or a connection ended that this side did not end. */
  readonly failed?: (error: ActrError) => void;
  readonly relay?: (relay: Relay) => void;
  /** The server did not pass a relay of ours on, or refused a message that nobody waits for; by envelope id. */
  readonly relayRefused?: (envelopeId: string, error: ActrError) => void;
  /** A node of a subscribed type came up. */
  readonly actrUp?: (id: ActrId) => void;
}

/** Who listens to signaling; one that throws is logged and harms nobody. */
export class SignalingListeners {
  readonly #log: Logger;
  readonly #listeners = new Set<SignalingListener>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a listener; returns what removes it. */
  add(listener: SignalingListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells each listener, in the order in which they came. */
  tell(event: (listener: SignalingListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        event(listener);
      } catch (error) {
        this.#log.error("signaling.listener.failed", { error });
      }
    }
  }
}
