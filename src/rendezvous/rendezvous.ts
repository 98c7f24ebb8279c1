import { Hono } from "hono";
import type { Timer } from "../ports/clock.ts";
import type { RequestContext } from "../ports/sockets.ts";
import { Admission } from "./admission.ts";
import type { Ais } from "./ais.ts";
import { addAisRoutes, type RendezvousEnv } from "./ais_routes.ts";
import { openHub } from "./hub.ts";
import { nowSeconds } from "./issue.ts";
import { openAis, type RendezvousComponents } from "./open_ais.ts";

import { type RendezvousOptions, resolveRendezvousOptions } from "./options.ts";
import { addSignalingRoutes } from "./signaling_routes.ts";
import { SignalingServer } from "./signaling_server.ts";

/** Pause between two clean-ups of identities that can no longer come back, milliseconds. */
const cleanUpIntervalMs = 3_600_000;

/** The identity and signaling server of Actr nodes (`spec/protocol.md` §14). A restart on the same store orphans nobody. */
export class Rendezvous implements AsyncDisposable {
  /** HTTP and WebSocket routes, also to be mounted with `route("/", rendezvous.app)`; its environment is the RequestContext. */
  readonly app: Hono<RendezvousEnv>;
  readonly #ais: Ais;
  readonly #signaling: SignalingServer;
  #timer: Timer | undefined;
  #cleaning: Promise<void> = Promise.resolve();

  private constructor(ais: Ais, signaling: SignalingServer) {
    this.app = new Hono<RendezvousEnv>();
    this.#ais = ais;
    this.#signaling = signaling;
    const { maxBodyBytes, maxMessageBytes } = ais.options.limits;
    addAisRoutes(this.app, ais, maxBodyBytes);
    addSignalingRoutes(this.app, signaling, new Admission(ais), maxMessageBytes);
    this.app.get("/health", (c) => c.json({ service: "rendezvous", ...this.health() }));
    this.#cleanUp();
  }

  /** Recovers keys, serials and registrations from the store; makes what a new store lacks. @throws ActrError `storage`; RangeError for a bad option. */
  static async open(
    components: RendezvousComponents,
    options: RendezvousOptions = {},
  ): Promise<Rendezvous> {
    const ais = await openAis(components, resolveRendezvousOptions(options));
    return new Rendezvous(ais, new SignalingServer(openHub(ais)));
  }

  /** Answers one HTTP request, upgrades included. */
  fetch(request: Request, context: RequestContext): Response | Promise<Response> {
    return this.app.fetch(request, context);
  }

  /** State in numbers, for health pages. */
  health(): { status: "healthy"; connections: number; nodes: number; keyId: number } {
    const { connections, nodes } = this.#signaling;
    return { status: "healthy", connections, nodes, keyId: this.#ais.keys.current.keyId };
  }

  #cleanUp(): void {
    const { clock, log, options, registrations } = this.#ais;
    const lastCredentialSeconds = Math.ceil(options.credentialTtlMs / 1000);
    this.#cleaning = registrations.expire(nowSeconds(this.#ais) - lastCredentialSeconds).then(
      (expired) => log.debug("rendezvous.ais.cleaned", { expired }),
      (error: unknown) => log.warn("rendezvous.ais.clean_up_failed", { error }),
    );
    this.#timer = clock.timer(clock.now() + cleanUpIntervalMs, () => this.#cleanUp());
  }

  /** Ends every connection with 1001 and stops all timers; nodes come back to the next server. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#signaling.close();
    await this.#cleaning;
  }
}
