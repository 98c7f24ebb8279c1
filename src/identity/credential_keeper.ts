import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { ActrId } from "../protocol/ids.ts";
import { renewalDelayMs } from "./backoff.ts";
import type { IssueFailure } from "./issue_failure.ts";
import type { IssuedIdentity } from "./issued_identity.ts";
import type { IdentitySnapshot, SessionState } from "./session_state.ts";

/** Longest Retry-After that is obeyed, milliseconds. */
const longestRetryAfterMs = 300_000;
/** Shortest time from one renewal to the next planned one, milliseconds: a server may issue credentials that live seconds. */
const shortestPlanMs = 5_000;

/** Failures after which an exchange is not tried again: at once, or when the credential has ended and nothing is left to lose. */
interface FinalFailures {
  readonly atOnce: readonly IssueFailure[];
  readonly atLast: readonly IssueFailure[];
}

const finalOfRenewals: FinalFailures = {
  atOnce: ["TokenRejected"],
  atLast: ["InvalidRequest", "Protocol"],
};

/** Many a service does not know them, and what stands before it may answer anything then. */
const finalOfReissues: FinalFailures = {
  atOnce: ["TokenRejected", "InvalidRequest", "Protocol"],
  atLast: ["RealmUnavailable", "Retryable"],
};

/** What the keeper works with. */
export interface KeeperComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly session: SessionState;
  readonly ais: {
    /** Exchanges a renewal token for a new credential of the same ActrId. */
    renew(
      id: ActrId,
      token: Uint8Array,
      options: { readonly signal: AbortSignal },
    ): Promise<IssuedIdentity>;
  };
  /** Gets a new credential of the same ActrId for a renewal token that no longer counts, proven as a registration is. */
  readonly reissue: (
    id: ActrId,
    token: Uint8Array,
    options: { readonly signal: AbortSignal },
  ) => Promise<IssuedIdentity>;
  /** Registers anew, in the way in which the node registered first. */
  readonly register: (options: { readonly signal: AbortSignal }) => Promise<IssuedIdentity>;
}

/** What the keeper tells the node; what a hook throws is logged. */
export interface KeeperHooks {
  /** The credential was replaced, also by a new identity. */
  readonly onRenewed?: (current: IdentitySnapshot, previous: IdentitySnapshot) => void;
  /** Signaling warned of the credential or refused it; `expiresAtMs` is its last known expiry. */
  readonly onExpiring?: (expiresAtMs: number) => void;
  /** The node has a new ActrId: peers of the old one are to be closed. Signaling reconnects by itself. */
  readonly onRebound?: (current: IdentitySnapshot, previous: IdentitySnapshot) => void;
}

/** Keeps the session's credential valid: ahead of its expiry, when warned, and when it was refused (`spec/node.md` §15.3, D-41 to D-43). */
export class CredentialKeeper {
  readonly #components: KeeperComponents;
  readonly #hooks: KeeperHooks;
  readonly #closed = new AbortController();
  #timer: Timer | undefined;
  #renewing: Promise<void> | undefined;

  constructor(components: KeeperComponents, hooks: KeeperHooks = {}) {
    this.#components = components;
    this.#hooks = hooks;
  }

  /** Whether a renewal is under way, pauses between its attempts included. */
  get renewing(): boolean {
    return this.#renewing !== undefined;
  }

  /** Plans the first renewal. */
  start(): void {
    this.#plan();
  }

  /** Signaling warned that the credential will not be accepted for long. */
  warned(): void {
    this.#expiring(this.#components.session.current);
    this.#renew("warned");
  }

  /** Signaling refused the credential of `snapshot`; one that has been replaced since is of no interest. */
  refused(snapshot: IdentitySnapshot): void {
    if (snapshot.credential !== this.#components.session.current.credential) return;
    this.#expiring(snapshot);
    this.#renew("refused");
  }

  /** The node has registered as something else: that identity takes the place of the one before. */
  adopt(issued: IssuedIdentity): void {
    this.#rebound(issued);
    this.#plan();
  }

  /** Stops planning and renewing; resolves when nothing is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort(new ActrError("stopping", "the credential keeper is closed"));
    this.#timer?.cancel();
    await this.#renewing;
  }

  #plan(): void {
    const { clock, session, random } = this.#components;
    this.#timer?.cancel();
    if (this.#closed.signal.aborted) return;
    const remainingMs = endOfUse(session.current) - clock.now();
    const delayMs = Math.max(shortestPlanMs, remainingMs * (2 / 3) * (1 - 0.1 * random.next()));
    this.#timer = clock.timer(clock.now() + delayMs, () => this.#renew("planned"));
  }

  #renew(reason: string): void {
    if (this.#renewing !== undefined || this.#closed.signal.aborted) return;
    this.#timer?.cancel();
    this.#components.log.debug("identity.renewal.started", { reason });
    this.#renewing = this.#untilRenewed().finally(() => {
      this.#renewing = undefined;
      this.#plan();
    });
  }

  /** Tries until it succeeds or the keeper closes; never rejects. */
  async #untilRenewed(): Promise<void> {
    const { signal } = this.#closed;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await this.#renewOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#pause(attempt, ActrError.from(error), signal);
      }
    }
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    const { session } = this.#components;
    const previous = session.current;
    const issued = await this.#issuedAgain(previous, signal);
    signal.throwIfAborted();
    if (issued === undefined) return await this.#rebind(signal);
    session.update(issued);
    this.#tell(() => this.#hooks.onRenewed?.(session.current, previous));
  }

  /** A new credential of the same id; undefined when only a new id is left. */
  async #issuedAgain(
    { id, renewalToken: token, renewalTokenExpiresAtMs }: IdentitySnapshot,
    signal: AbortSignal,
  ): Promise<IssuedIdentity | undefined> {
    const { clock, ais, reissue } = this.#components;
    if (token === undefined) return undefined;
    const ended = renewalTokenExpiresAtMs !== undefined && renewalTokenExpiresAtMs <= clock.now();
    const renewed = ended
      ? undefined
      : await this.#unlessFinal(ais.renew(id, token, { signal }), finalOfRenewals);
    return renewed ?? (await this.#unlessFinal(reissue(id, token, { signal }), finalOfReissues));
  }

  /** What was issued; undefined when asking again will not help. @throws what is worth another try. */
  async #unlessFinal(
    issuing: Promise<IssuedIdentity>,
    { atOnce, atLast }: FinalFailures,
  ): Promise<IssuedIdentity | undefined> {
    try {
      return await issuing;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      const { clock, session } = this.#components;
      const lost = session.current.credentialExpiresAtMs <= clock.now();
      if (atOnce.includes(failure) || (lost && atLast.includes(failure))) return undefined;
      throw error;
    }
  }

  /** Nothing changes before the registration has succeeded. */
  async #rebind(signal: AbortSignal): Promise<void> {
    const issued = await this.#components.register({ signal });
    signal.throwIfAborted();
    this.#rebound(issued);
  }

  #rebound(issued: IssuedIdentity): void {
    const { session, log } = this.#components;
    const previous = session.commit(issued);
    log.warn("identity.rebound", { from: previous.idText, to: session.current.idText });
    this.#tell(() => this.#hooks.onRenewed?.(session.current, previous));
    this.#tell(() => this.#hooks.onRebound?.(session.current, previous));
  }

  #expiring({ credentialExpiresAtMs }: IdentitySnapshot): void {
    this.#tell(() => this.#hooks.onExpiring?.(credentialExpiresAtMs));
  }

  #tell(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#components.log.error("identity.hook.failed", { error });
    }
  }

  async #pause(attempt: number, error: ActrError, signal: AbortSignal): Promise<void> {
    const { clock, random, session, log } = this.#components;
    if (failureOf(error) === "RealmUnavailable") session.realmUnavailable();
    const toldMs = Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs);
    const delayMs = Math.max(renewalDelayMs(attempt, random), toldMs);
    log.warn("identity.renewal.failed", { attempt, delay_ms: delayMs, reason: error.message });
    await clock.sleep(delayMs, { signal }).catch(() => {}); // The loop looks at the signal.
  }
}

/** When a renewal must have happened, Unix milliseconds: the token ends as well as the credential. */
function endOfUse({ credentialExpiresAtMs, renewalTokenExpiresAtMs }: IdentitySnapshot): number {
  return Math.min(credentialExpiresAtMs, renewalTokenExpiresAtMs ?? Number.POSITIVE_INFINITY);
}

function failureOf(error: unknown): IssueFailure | undefined {
  return ActrError.is(error) ? (error.details?.["failure"] as IssueFailure | undefined) : undefined;
}
