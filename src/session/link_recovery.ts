import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/transport.ts";
import { withinLimit } from "../time_limit.ts";
import type { Session } from "./session.ts";

/** How long requests are refused for links that recover before those are given up, milliseconds (`spec/transport.md` §6.8). */
const recoveryMs = 6_000;
/** Added to what is left of that in the hint of a refusal, milliseconds. */
const hintMarginMs = 300;
/** How long a link may take to prove that it works, milliseconds. */
const proofMs = 1_000;

/** Collaborators of {@link LinkRecovery}. */
export interface RecoveryComponents {
  readonly clock: Clock;
  /** By text form of the peer. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Takes a link out of its session and closes it. */
  readonly drop: (session: Session, link: Link) => void;
}

/** Keeps requests off links that may have died with the network, until those have proven that they work. */
export class LinkRecovery {
  readonly #components: RecoveryComponents;

  constructor(components: RecoveryComponents) {
    this.#components = components;
  }

  /** No request leaves on a link of now before it is known to work. */
  guard(): void {
    const { clock, sessions } = this.#components;
    const now = clock.monotonic();
    for (const session of sessions.values()) session.guard(now);
  }

  /** Has every link of now prove that it works, and drops those that do not. Asking again wins no time. */
  prove(): void {
    const { clock, sessions } = this.#components;
    const now = clock.monotonic();
    for (const session of sessions.values()) {
      for (const link of session.askForProof(now)) void this.#prove(session, link);
    }
  }

  /**
   * The request link of a session whose links recover, once one works; none when another link has to be dialled.
   * A link that has to prove at once whether it works is waited for.
   * @param patient waits for every link instead of refusing at once.
   * @throws ActrError `connection_not_ready`, with a hint while the links may still recover; the signal's reason.
   */
  async settled(key: string, patient: boolean, signal: AbortSignal): Promise<Link | undefined> {
    const { clock, sessions, drop } = this.#components;
    for (;;) {
      const session = sessions.get(key);
      const since = session?.recoveringSince;
      if (session === undefined || since === undefined) return session?.requestLink;
      const leftMs = since + recoveryMs - clock.monotonic();
      if (leftMs <= 0) for (const link of session.recovering) drop(session, link);
      if (!patient && !session.proving) throw recovering(key, leftMs);
      if (leftMs > 0) await this.#change(session, leftMs, signal);
    }
  }

  async #change(session: Session, ms: number, signal: AbortSignal): Promise<void> {
    const limit = { what: "the recovery", ms, signal };
    await withinLimit(this.#components.clock, limit, () => session.changed()).catch(() => {});
    signal.throwIfAborted();
  }

  /** One that tells by itself when it works again gets the whole time, and then goes with the next request. */
  async #prove(session: Session, link: Link): Promise<void> {
    const tells = link.onWorking !== undefined;
    const works = await link.recover?.(tells ? recoveryMs : proofMs);
    if (works !== false) session.recovered(link);
    else if (!tells) this.#components.drop(session, link);
  }
}

function recovering(key: string, leftMs: number): ActrError {
  const hint = leftMs > 0 ? { retryAfterMs: leftMs + hintMarginMs } : {};
  return new ActrError("connection_not_ready", `the connection to ${key} recovers`, hint);
}
