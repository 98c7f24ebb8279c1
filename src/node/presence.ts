import { abortable } from "#async";
import { AisClient, type Registration } from "../identity/ais_client.ts";
import { CredentialKeeper } from "../identity/credential_keeper.ts";
import type { IssuedIdentity } from "../identity/issued_identity.ts";
import { KeyCache } from "../identity/key_cache.ts";
import { PeerVerifier } from "../identity/peer_verifier.ts";
import { SessionState } from "../identity/session_state.ts";
import { actrIdEquals } from "../protocol/ids.ts";
import { Heartbeat } from "../signaling/heartbeat.ts";
import type { NodeLoad } from "../signaling/node_load.ts";
import { SignalingClient } from "../signaling/signaling_client.ts";
import { tracedAs } from "../spans.ts";
import { withResolvers } from "../with_resolvers.ts";
import { signalingEvent } from "./error_events.ts";
import { establishIdentity } from "./establish_identity.ts";
import type { HookQueue } from "./hooks.ts";
import { IdentityRecord } from "./identity_record.ts";
import type { NodeComponents, NodeSettings, TransportIdentity } from "./node_components.ts";

/** What a presence is built from. */
export interface PresenceParts {
  readonly components: NodeComponents;
  readonly settings: NodeSettings;
  readonly registration: Registration;
  readonly hooks: () => HookQueue;
  /** The load to report with each heartbeat. */
  readonly load: () => NodeLoad;
  /** The node has another ActrId: links under the old one are worthless. */
  readonly onRebound: () => void;
}

/** What a node is registered for, and as whom. */
export interface Standing {
  readonly registration: Registration;
  readonly issued: IssuedIdentity;
  readonly record: IdentityRecord;
}

/** The node's standing at the rendezvous: identity, credential, signaling and heartbeat. */
export class Presence {
  readonly session: SessionState;
  readonly signaling: SignalingClient;
  readonly #parts: Pick<PresenceParts, "components" | "settings">;
  readonly #ais: AisClient;
  #registration: Registration;
  #record: IdentityRecord;
  readonly #keeper: CredentialKeeper;
  readonly #keys: KeyCache;
  readonly #verifier: PeerVerifier;
  readonly #heartbeat: Heartbeat;

  /** Registers, or resumes the identity of the last run. @throws ActrError `registration`, `unavailable`; the signal's reason. */
  static async register(parts: PresenceParts, signal: AbortSignal): Promise<Presence> {
    const { components, settings, registration } = parts;
    const { clock, log, store, fetch } = components;
    const ais = new AisClient({ fetch, clock }, { url: settings.aisUrl });
    const record = await IdentityRecord.of(store, settings.aisUrl, registration);
    const issued = await establishIdentity({ ais, clock, log, record }, registration, signal);
    const presence = new Presence(parts, ais, record, new SessionState({ log }, issued));
    await presence.#keys.seed(issued.signingKey);
    presence.session.listen((change) => {
      if (change.kind === "phase") return;
      const told = (event: string) => (error: unknown) => log.warn(event, { error });
      presence.#record.save(change.current).catch(told("identity.save_failed"));
      presence.#keys.seed(change.current.signingKey).catch(told("identity.key_unusable"));
    });
    return presence;
  }

  private constructor(
    parts: PresenceParts,
    ais: AisClient,
    record: IdentityRecord,
    session: SessionState,
  ) {
    const { components, settings, registration, hooks } = parts;
    this.#parts = { components, settings };
    this.#ais = ais;
    this.#registration = registration;
    this.#record = record;
    const { clock, random, log, sockets, tracer } = tracedAs(components, () => session.current.id);
    this.session = session;
    this.#keeper = new CredentialKeeper(
      {
        clock,
        random,
        log,
        session,
        ais,
        reissue: (id, token, options) => ais.reissue(id, token, this.#registration, options),
        register: (options) => ais.register(this.#registration, options),
      },
      {
        onRenewed: ({ credentialExpiresAtMs: expiresAt, id }, { id: previousId }) =>
          hooks().emit("onCredentialRenewed", {
            expiresAt,
            ...(actrIdEquals(previousId, id) ? {} : { previousId }),
          }),
        onExpiring: (expiresAt) => hooks().emit("onCredentialExpiring", { expiresAt }),
        onRebound: parts.onRebound,
      },
    );
    const credentials = this.#keeper;
    this.signaling = new SignalingClient(
      { sockets, clock, random, log, session, credentials, tracer },
      { url: settings.signalingUrl },
    );
    this.signaling.listen({
      connecting: (attempt) => hooks().emit("onSignalingConnecting", { attempt }),
      connected: () => hooks().emit("onSignalingConnected", {}),
      disconnected: (reason) => hooks().emit("onSignalingDisconnected", { reason }),
      failed: (error) => hooks().emit("onError", signalingEvent(error, clock.now())),
    });
    this.#keys = new KeyCache({
      clock,
      fetchKey: (keyId, options) => this.signaling.getSigningKey(keyId, options),
    });
    this.#verifier = new PeerVerifier({ clock, keys: this.#keys });
    const { signaling } = this;
    this.#heartbeat = new Heartbeat({
      clock,
      log,
      session,
      signaling,
      credentials,
      load: parts.load,
    });
  }

  /** What transports need to prove who we are, and to check who others are. */
  get transportIdentity(): TransportIdentity {
    return {
      identity: () => {
        const { id, credential } = this.session.current;
        return { source: id, credential };
      },
      authenticate: (claim, options) => this.#verifier.verify(claim, options),
      signaling: this.signaling,
      turnLogin: () => this.session.current.turnCredential,
    };
  }

  /** Connects signaling and begins the heartbeat. @throws ActrError `unavailable`; the signal's reason. */
  async connect(signal: AbortSignal): Promise<void> {
    this.#keeper.start();
    await this.signaling.connect({ signal });
    this.#heartbeat.start();
  }

  /** What it is registered for now. */
  get standing(): Standing {
    const { current: issued } = this.session;
    return { registration: this.#registration, issued, record: this.#record };
  }

  /** Registers for something else as well; the node stays who it is until it adopts that. @throws as {@link Presence.register}. */
  async stand(registration: Registration, signal: AbortSignal): Promise<Standing> {
    const { components, settings } = this.#parts;
    const record = await IdentityRecord.of(components.store, settings.aisUrl, registration);
    return { registration, record, issued: await this.#ais.register(registration, { signal }) };
  }

  /** Stays who it is, and registers for something else when it has to do so again. @throws ActrError `storage`. */
  async restate(registration: Registration): Promise<void> {
    const { components, settings } = this.#parts;
    this.#record = await IdentityRecord.of(components.store, settings.aisUrl, registration);
    this.#registration = registration;
    await this.#record.save(this.session.current);
  }

  /** Becomes who that is, and resolves when signaling knows the node so. @throws the signal's reason. */
  async adopt({ registration, issued, record }: Standing, signal: AbortSignal): Promise<void> {
    this.#registration = registration;
    this.#record = record;
    this.#keeper.adopt(issued);
    await this.#active(signal);
  }

  #active(signal: AbortSignal): Promise<void> {
    const { session } = this;
    if (session.phase === "active") return Promise.resolve();
    const { promise, resolve } = withResolvers<void>();
    const stop = session.listen(() => {
      if (session.phase === "active") resolve();
    });
    return abortable(promise, signal).finally(stop);
  }

  /** Whether signaling answers within `limitMs`. */
  probe(limitMs: number): Promise<boolean> {
    return this.#heartbeat.probe(limitMs);
  }

  /** Tells the rendezvous that this node takes no more requests. */
  async leave(signal: AbortSignal): Promise<void> {
    this.#heartbeat.close();
    if (this.signaling.connected) await this.signaling.unregister("Graceful shutdown", { signal });
  }

  /** Ends signaling and every timer. Idempotent. */
  async close(): Promise<void> {
    this.#heartbeat.close();
    this.#keys.close();
    await this.#keeper.close();
    await this.signaling.close();
  }
}
