import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Session } from "./session.ts";

/** Pause before the first try, and the longest one; each is twice the one before, less up to half of it at random, milliseconds. */
const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
/** A better link that lasted this long has proven itself: the pauses begin anew, milliseconds. */
const provenMs = 60_000;

/** Collaborators of {@link LinkUpgrades}. */
export interface UpgradeParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a session does without a link that would be better than the one that its requests leave on. */
  readonly wants: (session: Session) => boolean;
  /** Dials what is better, and takes it in; resolves when that has ended, however. */
  readonly dial: (session: Session) => Promise<void>;
}

/** What was done for one session. */
interface Effort {
  /** Tries since a better link has last proven itself. */
  tries: number;
  /** Since when it has what it wants, monotonic milliseconds. */
  contentAt: number | undefined;
}

/**
 * Goes on looking for better links: WebRTC may be possible later for a peer that only a WebSocket reaches now. One try
 * per session at a time, ever less often, and none while nobody sends it requests. One timer for all.
 */
export class LinkUpgrades {
  readonly #parts: UpgradeParts;
  readonly #efforts = new WeakMap<Session, Effort>();
  /** When to try next, monotonic milliseconds. */
  readonly #due = new Map<Session, number>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** To be called with each change of a session's links. */
  look(session: Session): void {
    const effort = this.#efforts.get(session);
    if (!this.#parts.wants(session)) return this.#content(session, effort);
    if (effort === undefined) this.#begin(session);
    else if (effort.contentAt !== undefined) this.#resume(session, effort, effort.contentAt);
  }

  /** The network is another one: what did not work may work now. */
  hurry(): void {
    for (const session of this.#due.keys()) {
      this.#efforts.set(session, { tries: 0, contentAt: undefined });
      this.#waitFor(session, 0);
    }
  }

  #begin(session: Session): void {
    const effort: Effort = { tries: 0, contentAt: undefined };
    this.#efforts.set(session, effort);
    this.#pause(session, effort);
  }

  #resume(session: Session, effort: Effort, contentAt: number): void {
    if (this.#parts.clock.monotonic() - contentAt >= provenMs) effort.tries = 0;
    effort.contentAt = undefined;
    this.#pause(session, effort);
  }

  #content(session: Session, effort: Effort | undefined): void {
    if (effort !== undefined) effort.contentAt ??= this.#parts.clock.monotonic();
    this.#due.delete(session);
    if (this.#due.size > 0) return;
    this.#timer?.cancel();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #pause(session: Session, { tries }: Effort): void {
    const longestMs = Math.min(firstPauseMs * 2 ** tries, longestPauseMs);
    this.#waitFor(session, longestMs * (1 - this.#parts.random.next() / 2));
  }

  #waitFor(session: Session, ms: number): void {
    const at = this.#parts.clock.monotonic() + ms;
    this.#due.set(session, at);
    this.#arm(at);
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = clock.timer(clock.now() + at - clock.monotonic(), () => this.#wake());
  }

  #wake(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#parts.clock.monotonic();
    for (const [session, at] of [...this.#due]) {
      if (at > now) this.#arm(at);
      else if (session.takeUsed()) void this.#try(session);
      else this.#waitFor(session, firstPauseMs);
    }
  }

  async #try(session: Session): Promise<void> {
    this.#due.delete(session);
    const effort = this.#efforts.get(session);
    if (effort === undefined) return;
    effort.tries += 1;
    await this.#parts.dial(session);
    const again = effort.contentAt === undefined && !this.#due.has(session);
    if (again && this.#parts.wants(session)) this.#pause(session, effort);
  }
}
