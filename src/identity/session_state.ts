import { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import { actrIdEquals } from "../protocol/ids.ts";
import type { IssuedIdentity } from "./issued_identity.ts";

/** Whether calls may leave: not while a new identity is not connected yet, nor while the realm refuses us. */
export type SessionPhase = "active" | "rebinding" | "realm_unavailable";

/** One identity as it was at one moment; a snapshot never changes. */
export interface IdentitySnapshot extends IssuedIdentity {
  /** Counts the ActrIds that this node has had, from 1. */
  readonly generation: number;
}

/** What happened to the session: `renewed` keeps the ActrId, `rebound` replaced it. */
export type SessionChange =
  | {
      readonly kind: "renewed" | "rebound";
      readonly current: IdentitySnapshot;
      readonly previous: IdentitySnapshot;
    }
  | { readonly kind: "phase"; readonly phase: SessionPhase };

/** The node's live identity (`spec/node.md` §15.4). Whoever needs it reads it here, each time. */
export class SessionState {
  readonly #log: Logger;
  readonly #listeners = new Set<(change: SessionChange) => void>();
  #current: IdentitySnapshot;
  /** The newest generation that signaling has accepted; the first one is taken for it. */
  #reached = 1;
  #realmRefused = false;
  #phase: SessionPhase = "active";

  constructor(components: { readonly log: Logger }, first: IssuedIdentity) {
    this.#log = components.log;
    this.#current = { ...first, generation: 1 };
  }

  get current(): IdentitySnapshot {
    return this.#current;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  /** Replaces the credentials under the same ActrId; a renewal without a TURN credential keeps the old one. */
  update(issued: IssuedIdentity): IdentitySnapshot {
    const previous = this.#current;
    if (!actrIdEquals(issued.id, previous.id))
      throw new TypeError("update() cannot change the ActrId");
    const turnCredential = issued.turnCredential ?? previous.turnCredential;
    this.#current = {
      ...issued,
      ...(turnCredential === undefined ? {} : { turnCredential }),
      generation: previous.generation,
    };
    this.#tell({ kind: "renewed", current: this.#current, previous });
    this.#realmRefused = false;
    this.#settlePhase();
    return this.#current;
  }

  /** Takes a new identity: the generation rises and the phase is `rebinding` until {@link SessionState.reached}. Returns the previous snapshot. */
  commit(issued: IssuedIdentity): IdentitySnapshot {
    const previous = this.#current;
    this.#current = { ...issued, generation: previous.generation + 1 };
    this.#realmRefused = false;
    this.#settlePhase();
    this.#tell({ kind: "rebound", current: this.#current, previous });
    return previous;
  }

  /** Signaling has accepted the current identity. */
  reached(): void {
    this.#reached = this.#current.generation;
    this.#settlePhase();
  }

  /** The identity service says that the realm is not to be used now. */
  realmUnavailable(): void {
    this.#realmRefused = true;
    this.#settlePhase();
  }

  /** Whether calls of this generation may leave now. */
  usable(generation: number): boolean {
    return generation === this.#current.generation && this.#phase === "active";
  }

  /** @throws ActrError `connection_not_ready` when `generation` is not the current one, or the session is not active. */
  assertUsable(generation: number): void {
    if (this.usable(generation)) return;
    throw new ActrError("connection_not_ready", `the session is ${this.#describe(generation)}`, {
      details: { phase: this.#phase, generation, current: this.#current.generation },
    });
  }

  /** Calls `listener` at each change, in order; returns what stops it. */
  listen(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #describe(generation: number): string {
    if (this.#phase !== "active") return this.#phase;
    return `of generation ${this.#current.generation}, not ${generation}`;
  }

  #settlePhase(): void {
    const phase = this.#phaseNow();
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#tell({ kind: "phase", phase });
  }

  #phaseNow(): SessionPhase {
    if (this.#realmRefused) return "realm_unavailable";
    return this.#reached === this.#current.generation ? "active" : "rebinding";
  }

  #tell(change: SessionChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error("identity.listener.failed", { change: change.kind, error });
      }
    }
  }
}
